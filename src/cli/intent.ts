// SPDX-License-Identifier: Apache-2.0
import { nodeDirectories } from '../process/directories.ts';
import { AlignmentScores } from '../recorder/alignment.ts';
import { ClarityLog, type Clarity } from '../recorder/clarity.ts';
import { WorkflowRuns, type WorkflowRun } from '../recorder/workflow-runs.ts';
import type { CommandIo } from './check.ts';
import { withProgress } from './progress.ts';
import { stateDirectoryOf } from './state.ts';
import { entriesOf } from './trace.ts';

type IntentOptions = { readonly state: string; readonly json: boolean };

/**
 * `maso intent`: how far each agent keeps to what it is declared to be for, whether it asks what is
 * unclear, and what was said of each workflow as a whole, from the log itself.
 */
export async function intent(options: IntentOptions, io: CommandIo): Promise<number> {
  const { log } = nodeDirectories(stateDirectoryOf(options.state, null));
  const scores = new AlignmentScores();
  const workflows = new WorkflowRuns();
  const clarity = new ClarityLog();
  for await (const entry of withProgress(entriesOf(log), (count) => io.err(`${count} entries read`))) {
    scores.add(entry);
    workflows.add(entry);
    clarity.add(entry);
  }
  const found = scores.scores();
  if (options.json) {
    io.out(JSON.stringify({ agents: found, workflows: workflows.runs(), clarity: clarity.clarities() }));
  }
  else {
    for (const { agent, score, steps, refused, escalated } of found) {
      io.out(`${score.toFixed(1).padStart(6)}  ${agent.padEnd(24)} ${steps} steps, ${refused} refused, ${escalated} escalated`);
    }
    for (const one of clarity.clarities()) io.out(clarityLine(one));
    for (const run of workflows.runs()) for (const line of runLines(run)) io.out(line);
  }
  return 0;
}

function clarityLine({ agent, unclear, asked, again, neverAsks }: Clarity): string {
  return `        ${agent.padEnd(24)} ${unclear} unclear instructions, asked back ${asked} times, ` +
    `sent ${again} messages again${neverAsks ? ': NEVER ASKS' : ''}`;
}

function runLines({ workflow, version, task, ended, outcome, phases }: WorkflowRun): readonly string[] {
  const state = ended ? 'ended' : 'runs';
  return [
    `${outcome.padStart(8)}  ${workflow}@${version}  ${state}  task ${task}`,
    ...phases.map((one) => `${''.padStart(10)}${one.phase}: ${[one.outcome, ...one.findings].join(', ')}`),
  ];
}
