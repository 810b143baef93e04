// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { readMesh, readTextFile } from '../adapters/mesh-files.ts';
import { diagnostic, formatDiagnostic, type Diagnostic } from '../mesh/diagnostic.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { CedarPolicies } from '../policy/cedar.ts';
import { policyCodes } from '../policy/codes.ts';
import { fixtureFilePattern, parseFixtures } from '../policy/fixtures-file.ts';
import { runFixtures, type FixtureResult } from '../policy/fixtures.ts';
import { policyDiagnostics, type CommandIo, type ExitCode } from './check.ts';

export type TestOptions = { readonly file: string; readonly json: boolean };

type FileReport = {
  readonly file: string;
  /** Why the file could not be run; empty when it was. */
  readonly diagnostics: readonly Diagnostic[];
  readonly results: readonly FixtureResult[];
};

/**
 * `maso check --test FILE`: runs every `*.policy-test.yaml` beside the mesh file. 0 when all cases
 * pass; 1 when one fails, a file or the mesh is refused, or there is nothing to run.
 */
export async function testCommand(options: TestOptions, io: CommandIo): Promise<ExitCode> {
  const meshFile = resolve(io.directory, options.file);
  const loaded = readMesh(meshFile);
  const faults = [...loaded.diagnostics, ...(await policyDiagnostics(loaded))]
    .filter((item) => item.severity === 'error');
  if (!loaded.ok || faults.length > 0) return refused(faults, options, io);
  const files = fixtureFilesBeside(meshFile);
  if (files.length === 0) {
    const { means, mend } = policyCodes.POLICY_TEST_NONE;
    const place = { file: meshFile, line: 1, column: 1 };
    const code = 'POLICY_TEST_NONE';
    return refused([{ ...place, code, message: means, mend, severity: 'error' }], options, io);
  }
  const cedar = await CedarPolicies.load(loaded.mesh);
  const reports = files.map((file) => runFile(file, loaded.mesh, cedar));
  const passed = reports.every(({ diagnostics, results }) =>
    diagnostics.length === 0 && results.every((result) => result.passed));
  if (options.json) io.out(JSON.stringify({ ok: passed, files: reports.map(relativeTo(io)) }));
  else for (const line of reportLines(reports, io)) io.out(line);
  return passed ? 0 : 1;
}

function fixtureFilesBeside(meshFile: string): readonly string[] {
  const directory = dirname(meshFile);
  return readdirSync(directory).filter((name) => fixtureFilePattern.test(name)).sort()
    .map((name) => join(directory, name));
}

function runFile(file: string, mesh: Mesh, cedar: CedarPolicies | null): FileReport {
  let text: string | null = null;
  try {
    text = readTextFile(file);
  } catch {
    // Not a plain file, too large or not UTF-8: nothing in it was tested, which is a failure.
  }
  if (text === null) {
    const place = { file, line: 1, column: 1 };
    const unreadable = diagnostic('MESH_FILE_UNREADABLE', 'error', place);
    return { file, diagnostics: [unreadable], results: [] };
  }
  const parsed = parseFixtures(file, text, mesh);
  if (!parsed.ok) return { file, diagnostics: parsed.diagnostics, results: [] };
  return { file, diagnostics: [], results: runFixtures(parsed.fixtures, mesh, cedar) };
}

function reportLines(reports: readonly FileReport[], io: CommandIo): readonly string[] {
  const results = reports.flatMap((report) => report.results);
  const failed = results.filter((result) => !result.passed).length;
  const broken = reports.filter(({ diagnostics }) => diagnostics.length > 0).length;
  const faults = reports.flatMap(({ diagnostics, results: run }) =>
    [...diagnostics, ...run.flatMap((result) => result.diagnostics)]);
  const unread = broken === 0 ? '' : `, ${broken} of ${reports.length} files not run`;
  return [
    ...faults.map((item) => formatDiagnostic(shownFrom(io)(item))),
    `${results.length - failed} passed, ${failed} failed${unread}`,
  ];
}

function refused(
  faults: readonly Diagnostic[],
  options: TestOptions,
  io: CommandIo,
): ExitCode {
  const diagnostics = faults.map(shownFrom(io));
  if (options.json) io.out(JSON.stringify({ ok: false, diagnostics }));
  else for (const item of diagnostics) io.out(formatDiagnostic(item));
  return 1;
}

function relativeTo(io: CommandIo): (report: FileReport) => FileReport {
  const show = shownFrom(io);
  return ({ file, diagnostics, results }) => ({
    file: relative(io.directory, file),
    diagnostics: diagnostics.map(show),
    results: results.map((result) =>
      ({ ...result, diagnostics: result.diagnostics.map(show) })),
  });
}

function shownFrom({ directory }: CommandIo): (item: Diagnostic) => Diagnostic {
  return (item) => ({ ...item, file: relative(directory, item.file) || item.file });
}
