// SPDX-License-Identifier: Apache-2.0
import { relative, resolve } from 'node:path';
import { readMesh } from '../adapters/mesh-files.ts';
import { positionInPolicy } from '../mesh/cedar-text.ts';
import { describeLines, describeMesh } from '../mesh/describe.ts';
import { formatDiagnostic, type Diagnostic } from '../mesh/diagnostic.ts';
import { proveDuties, type DutyProof } from '../mesh/duty-proof.ts';
import { edgePlace, proofLines } from '../mesh/duty-proof-text.ts';
import type { LoadedMesh } from '../mesh/load.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Placed } from '../mesh/problems.ts';
import { coverageOf } from '../mesh/workflow.ts';
import { CedarPolicies } from '../policy/cedar.ts';
import { policyCodes } from '../policy/codes.ts';
import { PolicyError } from '../policy/policy-error.ts';
import { firewallDiagnostics } from './check-firewall.ts';
import { suppressionDiagnostics } from './check-suppressions.ts';

export type CheckOptions = {
  /** Path of the mesh file; empty or absent is a usage error. */
  readonly file: string | undefined;
  readonly json: boolean;
};

/** Where a command writes, line by line, and the folder that paths are shown from. */
export type CommandIo = {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly directory: string;
};

/** 0 clean or warnings only, 1 errors in the mesh, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

export const checkUsage = 'usage: maso check [--explain AGENT ACTION | --test] FILE [--json]';

/**
 * `maso check FILE [--json]`: every error and warning of a mesh file with its place and its mend,
 * then what the mesh is: tiers, deselected controls, the proof of separation of duties. Never
 * rejects.
 */
export async function checkCommand(options: CheckOptions, io: CommandIo): Promise<ExitCode> {
  const { file, json } = options;
  if (file === undefined || file === '') {
    io.err(checkUsage);
    return 2;
  }
  const loaded = readMesh(resolve(io.directory, file));
  const ofControls = [...firewallDiagnostics(loaded), ...suppressionDiagnostics(loaded, Date.now())];
  const diagnostics = [...loaded.diagnostics, ...ofControls, ...(await policyDiagnostics(loaded))]
    .map((item) => ({ ...item, file: relative(io.directory, item.file) || item.file }));
  const errors = diagnostics.filter((item) => item.severity === 'error');
  const description = loaded.ok ? describeMesh(loaded.placed.mesh) : null;
  const proof = loaded.ok ? proveDuties(loaded.placed.mesh) : null;
  if (json) {
    const duties = loaded.ok && proof !== null
      ? placedProof(proof, loaded.placed, io.directory) : null;
    const coverage = loaded.ok ? coverageOf(loaded.placed.mesh) : null;
    io.out(JSON.stringify({ ok: errors.length === 0, diagnostics, mesh: description, duties, coverage }));
  } else {
    for (const item of diagnostics) io.out(formatDiagnostic(item));
    for (const line of description === null ? [] : describeLines(description)) io.out(line);
    const shown = loaded.ok && proof !== null ? proofLines(proof, loaded.placed) : [];
    for (const line of shown) io.out(line);
    for (const line of loaded.ok ? coverageLines(loaded.placed.mesh) : []) io.out(line);
    io.out(summary(errors.length, diagnostics.length - errors.length));
  }
  return errors.length === 0 ? 0 : 1;
}

/** Who answers for what the workflows are to reach and to avoid; gaps stop the check before this. */
function coverageLines(mesh: Mesh): readonly string[] {
  return coverageOf(mesh).map(({ workflow, criterion, kind, coveredBy }) =>
    `workflow ${workflow}, ${kind} ${criterion}: covered by ${coveredBy.join(', ')}`);
}

/** The proof with the place of each edge that it uses, once. */
function placedProof(proof: DutyProof, placed: Placed, directory: string): object {
  const used = new Set(proof.rights.flatMap(({ causes }) => causes.map(({ edge }) => edge)));
  const places = [...used].map((edge) => {
    const place = edgePlace(edge, placed);
    return { edge, ...place, file: relative(directory, place.file) };
  });
  return { ...proof, places };
}

/** Faults of the Cedar policies; Cedar is loaded only when the mesh configures any. */
export async function policyDiagnostics(loaded: LoadedMesh): Promise<readonly Diagnostic[]> {
  if (!loaded.ok) return [];
  try {
    await CedarPolicies.load(loaded.mesh);
    return [];
  } catch (error) {
    const faults = error instanceof PolicyError ? error.faults : [];
    const code = error instanceof PolicyError ? error.code : 'POLICY_CEDAR_UNAVAILABLE';
    const { means, mend } = policyCodes[code];
    const start = { file: loaded.mesh.directory, line: 1, column: 1 };
    if (faults.length === 0) return [{ ...start, code, message: means, mend, severity: 'error' }];
    return faults.map(({ policy, offset, reason }) => {
      const place = loaded.policyPlaces.get(policy);
      const at = place === undefined ? start : positionInPolicy(place, offset ?? 0);
      const message = `Policy ${policy}: ${firstLine(reason)}.`;
      return { ...at, code, message, mend, severity: 'error' };
    });
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 300);
}

function summary(errors: number, warnings: number): string {
  const counts = `${errors} error${errors === 1 ? '' : 's'}, ` +
    `${warnings} warning${warnings === 1 ? '' : 's'}`;
  return errors === 0 ? `the mesh may start: ${counts}` : `the mesh is refused: ${counts}`;
}
