// SPDX-License-Identifier: Apache-2.0
// Structural protection (G5) under worst-case agents: recorded user tasks and attacks, replayed
// through real sidecars, bus and gate.
// `npm run bench:structural -- --suite FILE --mesh FILE --json`.
// Options: --tasks N and --attacks N for the first so many only.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { machine, numberOption, print, textOption } from './machine.ts';
import { SuiteMesh } from './structural/mesh.ts';
import { Replay, type PairOutcome, type TaskOutcome } from './structural/replay.ts';
import { report } from './structural/report.ts';
import { loadSuite, suiteVariable, type InjectionTask, type UserTask } from './structural/suite.ts';

const suiteFile = textOption('suite');
const meshFile = textOption('mesh');
if (suiteFile === null || meshFile === null) {
  process.stderr.write('usage: bench:structural --suite FILE --mesh FILE [--json]\n');
  process.exit(2);
}
process.env[suiteVariable] = resolve(suiteFile);
// Loaded once the suite is named; every sidecar in this process gets this very module.
const { stage } = await import('./structural/tool-server.ts');
const { suite, sha256 } = loadSuite(suiteFile);
const users = suite.user_tasks.slice(0, numberOption('tasks', Infinity));
const injections = suite.injection_tasks.slice(0, numberOption('attacks', Infinity));

const startedMs = performance.now();
const tasks = await benign(users);
const pairs = await attacked(users, injections);
print({
  ...report(suite, tasks, pairs),
  suiteSha256: sha256,
  meshSha256: createHash('sha256').update(readFileSync(meshFile)).digest('hex'),
  seconds: Math.round((performance.now() - startedMs) / 100) / 10,
  machine: machine(),
});

/** Everything enforced, in an environment that nobody attacked. */
async function benign(all: readonly UserTask[]): Promise<readonly TaskOutcome[]> {
  const mesh = await SuiteMesh.start(resolve(meshFile ?? ''), false);
  const replay = new Replay(suite, mesh, stage);
  const outcomes: TaskOutcome[] = [];
  for (const task of all) outcomes.push(await replay.userTask(task));
  await mesh.close();
  return outcomes;
}

/** Scanners only observe: whether they would have seen the attack must not count. */
async function attacked(
  all: readonly UserTask[],
  attacks: readonly InjectionTask[],
): Promise<readonly PairOutcome[]> {
  const mesh = await SuiteMesh.start(resolve(meshFile ?? ''), true);
  const replay = new Replay(suite, mesh, stage);
  const outcomes: PairOutcome[] = [];
  for (const task of all) {
    for (const injection of attacks) {
      for (const turn of replay.turnsOf(task)) {
        outcomes.push(await replay.pair(task, injection, turn));
      }
    }
  }
  await mesh.close();
  return outcomes;
}
