// SPDX-License-Identifier: Apache-2.0
import type { Diagnostic } from '../mesh/diagnostic.ts';
import type { LoadedMesh } from '../mesh/load.ts';
import type { Suppression } from '../mesh/scanner-settings.ts';
import { scannerCodes } from '../scanner/codes.ts';
import { suppressionDoubts } from '../scanner/suppression-doubts.ts';

/**
 * Suppressions of a mesh file that have ended, end soon or name no rule, each where it stands. Warnings: the mesh
 * is as strict as without them. `isMeant` picks the suppressions that are spoken of.
 */
export function suppressionDiagnostics(
  loaded: LoadedMesh,
  nowMs: number,
  isMeant: (item: Suppression) => boolean = () => true,
): readonly Diagnostic[] {
  if (!loaded.ok) return [];
  const { mesh, placed } = loaded;
  const suppressions = mesh.scanner?.suppressions ?? [];
  return suppressionDoubts(mesh, nowMs).flatMap(({ index, member, code, message }) => {
    const item = suppressions[index];
    if (item === undefined || !isMeant(item)) return [];
    const place = placed.at(['security_mesh', 'scanner', 'suppressions', index, member]);
    return [{ ...place, code, message, mend: scannerCodes[code].mend, severity: 'warning' }];
  });
}
