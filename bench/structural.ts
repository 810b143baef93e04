// SPDX-License-Identifier: Apache-2.0
// Structural protection (G5) under worst-case agents: recorded user tasks and attacks, replayed
// through real sidecars, bus and gate. `npm run bench:structural -- --suite FILE --mesh FILE --json`.
// Options: --tasks N and --attacks N for the first so many only.
import { resolve } from 'node:path';
import { machine, numberOption, print, textOption } from './machine.ts';
import { SuiteMesh } from './structural/mesh.ts';
import { report } from './structural/report.ts';
import { Replay, turns, type PairOutcome, type TaskOutcome, type Turn } from './structural/replay.ts';
import { loadSuite } from './structural/suite.ts';
import { suiteVariable } from './structural/suite.ts';

const suiteFile = textOption('suite');
const meshFile = textOption('mesh');
if (suiteFile === null || meshFile === null) {
  process.stderr.write('usage: bench:structural --suite FILE --mesh FILE [--json]\n');
  process.exit(2);
}
process.env[suiteVariable] = resolve(suiteFile);
// The tools are imported by every sidecar in this process; the address makes it the same module.
const { suite, sha256 } = loadSuite(suiteFile);
const { stage } = await loadTools();
const users = suite.user_tasks.slice(0, numberOption('tasks', Infinity));
const injections = suite.injection_tasks.slice(0, numberOption('attacks', Infinity));

const startedMs = performance.now();
const tasks: TaskOutcome[] = [];
const plain = await SuiteMesh.start(resolve(meshFile), false);
const replay = new Replay(suite, plain, stage);
for (const task of users) tasks.push(await replay.userTask(task));
await plain.close();

const pairs: (PairOutcome & { readonly turn: Turn })[] = [];
const attacked = await SuiteMesh.start(resolve(meshFile), true);
const attack = new Replay(suite, attacked, stage);
for (const task of users) {
  for (const injection of injections) {
    for (const turn of turns) pairs.push({ ...(await attack.pair(task, injection, turn)), turn });
  }
}
await attacked.close();
const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
print({ ...report(suite, tasks, pairs), suiteSha256: sha256, seconds, machine: machine() });

/** Loaded once the suite is named, since what it exports depends on it. */
async function loadTools(): Promise<typeof import('./structural/tool-server.ts')> {
  return import('./structural/tool-server.ts');
}
