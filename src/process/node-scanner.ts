// SPDX-License-Identifier: Apache-2.0
import { systemRandom } from '../adapters/random-system.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { Scanner } from '../scanner/scan.ts';
import type { LivePolicy } from './live-policy.ts';
import { scannerOf } from './sidecar-parts.ts';

const digestKeyBytes = 32;

/**
 * The scanner of the bus, for the mesh file in force: made when a message first needs it, and anew with each
 * version. A suppression ends here a little after it ended at every sidecar, so that clocks which
 * differ make no honest one look as if it had skipped a rule.
 */
export function busScanner(live: Pick<LivePolicy, 'mesh' | 'schemas'>, clock: Clock): () => Scanner {
  const digestKey = systemRandom.bytes(digestKeyBytes);
  let made: { readonly mesh: Mesh; readonly scanner: Scanner } | null = null;
  return () => {
    const { mesh, schemas } = live;
    if (made?.mesh === mesh) return made.scanner;
    const late = { nowMs: () => clock.nowMs() - mesh.limits.clockSkewMs };
    made = { mesh, scanner: scannerOf(mesh, {}, digestKey, late, schemas) };
    return made.scanner;
  };
}
