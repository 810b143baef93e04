// SPDX-License-Identifier: Apache-2.0
import { nodeDirectories } from '../process/directories.ts';
import { JudgeQualityLog, type JudgeQualities, type JudgeQuality } from '../recorder/judge-quality.ts';
import type { SharedErrors } from '../review/shared-errors.ts';
import type { CommandIo } from './check.ts';
import { withProgress } from './progress.ts';
import { stateDirectoryOf } from './state.ts';
import { entriesOf } from './trace.ts';

/** `maso judge status`: how the judges of a mesh answer cases with a known answer, from the log itself. */
export async function judgeStatus(
  options: { readonly state: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const { log } = nodeDirectories(stateDirectoryOf(options.state, null));
  const quality = new JudgeQualityLog();
  for await (const entry of withProgress(entriesOf(log), (count) => io.err(`${count} entries read`))) {
    quality.add(entry);
  }
  const found = quality.qualities();
  if (options.json) io.out(JSON.stringify(found));
  else for (const line of textOf(found)) io.out(line);
  return 0;
}

function textOf({ judges, rulings, conflicts, misaligned, shared }: JudgeQualities): readonly string[] {
  return [
    ...(judges.length === 0 ? ['no case was put to a judge'] : judges.map(lineOf)),
    `${conflicts} of ${rulings} rulings of more than one judge were conflicts${misaligned ? ': their criteria do not fit together' : ''}`,
    ...shared.map(({ subject, ...pair }) => `${subject.padEnd(16)} ${sharedText(pair)}`),
  ];
}

function lineOf({ subject, spec, version, digest, cases, agreed, recent, drifts }: JudgeQuality): string {
  const now = recent === null ? '' : `, newest ${(100 * recent).toFixed(0)} %`;
  return `${subject.padEnd(16)} ${spec}@${version} (${digest.slice(0, 12)})  ${agreed} of ${cases} agree${now}${drifts ? ', DRIFTS' : ''}`;
}

/** How often two models were wrong together; said wherever such a pair is reported. */
export function sharedText({ models, cases, either, both, byChance }: SharedErrors): string {
  return `${models.join(' and ')}: ${both} of ${either} errors shared (${byChance.toFixed(1)} by chance), ${cases} cases`;
}
