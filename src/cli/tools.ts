// SPDX-License-Identifier: Apache-2.0
import { formatDiagnostic } from '../mesh/diagnostic.ts';
import type { CommandIo } from './check.ts';
import { pinTools } from './tools-pin.ts';

type PinCommand = { readonly file: string; readonly check: boolean; readonly json: boolean };

/** `maso tools pin FILE`: writes the pin file and says what changed; `--check` only compares. */
export async function toolsPin(options: PinCommand, io: CommandIo): Promise<number> {
  const report = await pinTools({
    meshFile: options.file,
    write: !options.check,
    onProgress: (line) => io.err(line),
  });
  const good = report.outcome === 'pinned' || report.outcome === 'unchanged';
  if (options.json) {
    io.out(JSON.stringify(report));
    return good ? 0 : 1;
  }
  if (report.outcome === 'mesh-invalid') {
    for (const item of report.diagnostics) io.err(formatDiagnostic(item));
    return 1;
  }
  for (const tool of report.tools) {
    io.out(`${tool.tool}: ${tool.code ?? `${tool.changes.length} change(s)`}`);
    for (const change of tool.changes) io.out(`  ${JSON.stringify(change)}`);
  }
  io.out(`${report.outcome}: ${report.pinFile}`);
  return good ? 0 : 1;
}
