// SPDX-License-Identifier: Apache-2.0
import { explainCommand } from './check-explain.ts';
import { testCommand } from './check-test.ts';
import { checkCommand, checkUsage, type CommandIo, type ExitCode } from './check.ts';

export type CheckLine = {
  readonly file: string | undefined;
  /** AGENT ACTION, and the file when it stands behind them. */
  readonly explain?: readonly string[];
  readonly test: boolean;
  readonly json: boolean;
};

/** What `maso check` is asked to do: report, explain one request, or run the policy tests. */
export function checkLine(line: CheckLine, io: CommandIo): Promise<ExitCode> {
  const { explain, test, json } = line;
  const [agent, action, behind, ...more] = explain ?? [];
  const file = line.file ?? behind;
  const once = line.file === undefined || behind === undefined;
  if (file === undefined || file === '' || more.length > 0 || !once || (test && agent)) {
    return wrongUsage(io);
  }
  if (test) return testCommand({ file, json }, io);
  if (explain === undefined) return checkCommand({ file, json }, io);
  if (agent === undefined || action === undefined) return wrongUsage(io);
  return explainCommand({ file, agent, action, json }, io);
}

async function wrongUsage(io: CommandIo): Promise<ExitCode> {
  io.err(checkUsage);
  return 2;
}
