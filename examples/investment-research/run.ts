// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { playStory, type Played, type PlayedStory } from './story/play.ts';

const help = `node examples/investment-research/run.ts [--json] [--state DIR]

Plays the story of an investment report on a real mesh: five agents, their sidecars, a bus and a judge that
differs with itself, in processes of their own on this machine. Needs no API key.

  --json       print one JSON document instead of text
  --state DIR  keep the state of the mesh here (default: a fresh temporary directory)

Exit code 0 when every order ended as expected, 1 when one did not.
`;

async function main(): Promise<number> {
  const { values: options } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      state: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) return say(help.trimEnd());
  // Short, because the path of a unix socket may not be long.
  const state = resolve(options.state ?? mkdtempSync(join(tmpdir(), 'maso-')));
  mkdirSync(state, { recursive: true, mode: 0o711 });
  const { stop, result } = await playStory(state, (played) => {
    if (!options.json) say(lines(played).join('\n'));
  });
  await stop();
  say(options.json ? JSON.stringify(result) : summary(result).join('\n'));
  return result.ok ? 0 : 1;
}

function lines({ ticker, title, asExpected, seen, task }: Played): readonly string[] {
  return [
    `${asExpected ? 'ok  ' : 'FAIL'} ${ticker}  ${title}`,
    `           ${[seen.status, ...seen.codes].join(' ')}`,
    `           done: ${seen.done.join(', ') || 'nothing'}; judged ${seen.judged} times; maso trace ${task}`,
  ];
}

function summary({ reached, workflows, recorder, state, ok, readyMs }: PlayedStory): readonly string[] {
  const held = workflows.filter(({ outcome }) => outcome !== 'GO').length;
  return [
    '',
    `the first report found wrong: its figures reached ${reached.messages} messages` +
      `${reached.published ? ' and a publication, which somebody has to correct' : ''}`,
    `workflow: ${workflows.length} runs, ${held} of them doubted; maso intent --state ${state}`,
    `recorder: ${recorder.entries} entries, ${recorder.ok ? 'verified' : 'DOES NOT VERIFY'}`,
    `${ok ? 'all as expected' : 'NOT AS EXPECTED'}; the mesh took ${(readyMs / 1000).toFixed(1)} s to start`,
  ];
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (failure) {
  process.stderr.write(`${failure instanceof Error ? failure.message : String(failure)}\n`);
  process.exitCode = 1;
}
