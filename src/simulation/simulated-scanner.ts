// SPDX-License-Identifier: Apache-2.0
import { createScanner, type Scanner } from '../scanner/scan.ts';
import type { Ground } from './ground.ts';

/** The scanner of a simulated sidecar, and of the simulated bus: the same rules at both. */
export function simulatedScanner({ mesh, schemas }: Ground, digestKey: Uint8Array): Scanner {
  return createScanner({
    schemas,
    limits: { depthMax: 32, membersMax: 20_000, stringLengthMax: 1e6, bytesMax: 1e6 },
    patterns: mesh.patterns,
    digestKey,
    nowUs: () => 0,
  });
}
