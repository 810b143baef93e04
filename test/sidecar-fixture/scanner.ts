// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../../src/mesh/mesh.ts';
import { defaultScannerSettings } from '../../src/mesh/scanner-settings.ts';
import { createScanner, type Scanner } from '../../src/scanner/scan.ts';
import { createSchemaRegistry } from '../../src/scanner/schema-registry.ts';

/** The scanner of a mesh file, as sidecars and bus of that mesh have it. */
export function scannerFor(mesh: Mesh, schemas = createSchemaRegistry(mesh.schemas.values())): Scanner {
  return createScanner({
    schemas,
    limits: { depthMax: 32, membersMax: 20_000, stringLengthMax: 1e6, bytesMax: 1e6 },
    patterns: mesh.patterns,
    settings: mesh.scanner ?? defaultScannerSettings,
    digestKey: new Uint8Array(32).fill(5),
    nowUs: () => 0,
  });
}
