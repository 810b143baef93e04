// SPDX-License-Identifier: Apache-2.0
import { relative, resolve } from 'node:path';
import { formatDiagnostic } from '../mesh/diagnostic.ts';
import { toolCodes } from '../tool/codes.ts';
import type { CommandIo } from './check.ts';
import { pinTools, type PinReport, type ToolPinResult } from './tools-pin.ts';

type PinCommand = { readonly file: string; readonly check: boolean; readonly json: boolean };

/**
 * `maso tools pin FILE`: writes the pin file and says what changed; `--check` only compares. 0 when
 * the pins are what the tools are, 1 when they differ or a tool or the mesh file fails.
 */
export async function toolsPin(options: PinCommand, io: CommandIo): Promise<0 | 1> {
  const report = await pinTools({
    meshFile: resolve(io.directory, options.file),
    write: !options.check,
    onProgress: (line) => io.err(line),
  });
  if (options.json) io.out(JSON.stringify(report));
  else for (const line of reportLines(report, io.directory)) io.out(line);
  return report.outcome === 'pinned' || report.outcome === 'unchanged' ? 0 : 1;
}

function reportLines(report: PinReport, directory: string): readonly string[] {
  if (report.outcome === 'mesh-invalid') {
    return report.diagnostics.map((item) =>
      formatDiagnostic({ ...item, file: relative(directory, item.file) || item.file }),
    );
  }
  const pinFile = relative(directory, report.pinFile);
  return [...report.tools.flatMap(toolLines), closingLine(report.outcome, pinFile)];
}

/** One line for each change: what it is, by the name that the tool or the file system gives it. */
function toolLines({ tool, changes, code }: ToolPinResult): readonly string[] {
  if (code !== null) {
    const { means, mend } = toolCodes[code];
    return [`${tool}: ${code}: ${means} ${mend}`];
  }
  if (changes.length === 0) return [`${tool}: unchanged`];
  return changes.map(({ what, name, change }) => `${tool}: ${what} ${name} ${change}`);
}

function closingLine(
  outcome: Exclude<PinReport['outcome'], 'mesh-invalid'>,
  pinFile: string,
): string {
  switch (outcome) {
    case 'pinned':
      return `wrote ${pinFile}; commit it to approve these tools`;
    case 'unchanged':
      return `${pinFile} is up to date`;
    case 'differs':
      return `${pinFile} differs; look at the changes, then run without --check to approve them`;
    case 'incomplete':
      return `${pinFile} was not changed: not every tool could be pinned`;
    default:
      return outcome satisfies never;
  }
}
