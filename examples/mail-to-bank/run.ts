// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { followNpm, untilStopped } from '../../src/cli/stopping.ts';
import { warningsOf } from './story/mesh-process.ts';
import { playStory } from './story/play.ts';
import { furtherLines, scenarioLines, startLines, summaryLines } from './story/print.ts';

const help = `node examples/mail-to-bank/run.ts [--once] [--json] [--state DIR]

Plays the story of mails that want money on a real mesh: bus, sidecars, agents and
tools in processes of their own, on this machine, with nothing else installed.

  --once       stop the mesh at the end instead of leaving it running
  --json       print one JSON document instead of text
  --state DIR  keep the state of the mesh here (default: a fresh temporary directory)

Exit code 0 when every scenario ended as expected, 1 when one did not.
`;

async function main(): Promise<number> {
  followNpm();
  const { values: options } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      state: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) return say([help.trimEnd()]);
  // Short, because the path of a unix socket may not be long.
  const state = resolve(options.state ?? mkdtempSync(join(tmpdir(), 'maso-')));
  mkdirSync(state, { recursive: true, mode: 0o711 });
  const logFile = join(state, 'mesh.log');
  const print = (lines: readonly string[]): number => (options.json ? 0 : say(lines));
  print([`The mesh starts, with its state in ${state}`]);
  let number = 0;
  const { mesh, result } = await playStory(state, logFile, {
    started: (running) => print(startLines(running.ready, warningsOf(running))),
    played: async (played, story) => {
      number += 1;
      const trace = played.trace === null ? null : await story.record.trace(played.trace);
      print(scenarioLines(number, played, trace));
    },
  }, !options.once);
  print(summaryLines(result));
  if (options.json) say([JSON.stringify(result)]);
  if (!options.once) {
    print(furtherLines(result));
    await untilStopped();
  }
  await mesh.stop();
  return result.ok ? 0 : 1;
}

function say(lines: readonly string[]): number {
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (failure) {
  process.stderr.write(`${failure instanceof Error ? failure.message : String(failure)}\n`);
  process.exitCode = 1;
}
