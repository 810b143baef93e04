// SPDX-License-Identifier: Apache-2.0
import type { AdmitContext } from '../../src/bus/admit.ts';
import { ScanShare } from '../../src/bus/crossing.ts';
import { InOrder } from '../../src/bus/in-order.ts';
import { ContagionMonitor, defaultContagionLimits } from '../../src/contagion/monitor.ts';
import { noInjectionModel } from '../../src/firewall/injection-model.ts';
import { noAttestor } from '../../src/identity/attestor.ts';
import { RevocationList } from '../../src/identity/revocation.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import { primaryPace } from '../../src/pace/pace-view.ts';
import { plaintextProtection } from '../../src/protection/protection.ts';
import { TokenBuckets } from '../../src/scanner/rate.ts';
import { createSchemaRegistry } from '../../src/scanner/schema-registry.ts';
import { scannerFor } from './scanner.ts';
import { startMs } from './sidecar.ts';

/** A bus for one mesh file, in which nobody is revoked, stopped or late. */
export function admissionFor(
  mesh: Mesh,
  parts: Pick<AdmitContext, 'clock' | 'queue' | 'recorder'> & Partial<AdmitContext>,
): AdmitContext {
  const schemas = createSchemaRegistry(mesh.schemas.values());
  const scanner = scannerFor(mesh, schemas);
  return {
    policy: { version: 1 },
    mesh,
    pace: primaryPace,
    schemas,
    protection: plaintextProtection,
    attestor: noAttestor,
    rates: new TokenBuckets({ perSecond: 1000, burst: 1000 }),
    order: new InOrder(),
    scanner: () => scanner,
    scanShare: new ScanShare(),
    secondReader: { model: noInjectionModel },
    contagion: new ContagionMonitor(defaultContagionLimits, new Uint8Array(32), startMs),
    revocations: new RevocationList([], 0, startMs),
    keyAhead: () => undefined,
    noteHandOver: async () => undefined,
    isRunAside: () => false,
    identityOf: () => null,
    lineageOf: () => null,
    mandates: { refusal: () => null, register: async () => undefined },
    payloads: { keep: () => null, keepRead: () => null },
    ...parts,
  };
}
