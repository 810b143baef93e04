// SPDX-License-Identifier: Apache-2.0
import { nodeDirectories } from '../process/directories.ts';
import { AlignmentScores } from '../recorder/alignment.ts';
import type { CommandIo } from './check.ts';
import { withProgress } from './progress.ts';
import { stateDirectoryOf } from './state.ts';
import { entriesOf } from './trace.ts';

type IntentOptions = { readonly state: string; readonly json: boolean };

/** `maso intent`: how far each agent keeps to what it is declared to be for, from the log itself. */
export async function intent(options: IntentOptions, io: CommandIo): Promise<number> {
  const { log } = nodeDirectories(stateDirectoryOf(options.state, null));
  const scores = new AlignmentScores();
  for await (const entry of withProgress(entriesOf(log), (count) => io.err(`${count} entries read`))) {
    scores.add(entry);
  }
  const found = scores.scores();
  if (options.json) io.out(JSON.stringify({ agents: found }));
  else {
    for (const { agent, score, steps, refused, escalated } of found) {
      io.out(`${score.toFixed(1).padStart(6)}  ${agent.padEnd(24)} ${steps} steps, ${refused} refused, ${escalated} escalated`);
    }
  }
  return 0;
}
