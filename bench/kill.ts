// SPDX-License-Identifier: Apache-2.0
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { signPaceOrder } from '../src/pace/statement.ts';
import { mintUlid } from '../src/message/identifiers.ts';
import { systemClock } from '../src/adapters/clock-system.ts';
import { systemRandom } from '../src/adapters/random-system.ts';
import type { PaceOrder } from '../src/pace/book.ts';
import { meshUnit } from '../src/pace/unit.ts';
import { nodeDirectories } from '../src/process/directories.ts';
import { StopOrders } from '../src/process/stop-orders.ts';
import { paceMesh, pacePeople } from '../test/mesh-harness/pace-mesh.ts';
import { MeshFolder, up, type MasoProcess } from '../test/mesh-harness/running-mesh.ts';
import { openRelay } from './kill-relay.ts';
import { machine } from './machine.ts';

/**
 * Kill under load: how long after the order the last tool call begins, with agents that never stop
 * trying. Once with a node that is well, then across its restart; once with a node that is stopped in
 * place, and once with the network cut, so that only the end of the leases is left.
 */
const { values } = parseArgs({ options: {
  json: { type: 'boolean', default: false },
  agents: { type: 'string', default: '200' },
  hosts: { type: 'string', default: '4' },
  'every-ms': { type: 'string', default: '500' },
} });
const agentCount = Number(values.agents);
const hostCount = Number(values.hosts);
const everyMs = Number(values['every-ms']);
const people = pacePeople();
const names = Array.from({ length: agentCount }, (_none, index) => `agent${index + 1}`);

type Running = { readonly folder: MeshFolder; node: MasoProcess; readonly hosts: readonly ChildProcess[] };

/** Where the node listens for sidecars. */
function busPortOf(folder: MeshFolder): number {
  const ports: unknown = JSON.parse(readFileSync(join(nodeDirectories(folder.state).node, 'ports.json'), 'utf8'));
  return Number(Reflect.get(Object(ports), 'bus'));
}

async function start(relayPort: number | null = null, found: (busPort: number) => void = () => undefined): Promise<Running> {
  const folder = await MeshFolder.create(paceMesh(people, names, '    kill_window_ms: 30000\n'));
  const node = await up(folder, ['--no-sidecars']);
  found(busPortOf(folder));
  const shares = Array.from({ length: hostCount }, (_none, host) =>
    names.filter((_name, index) => index % hostCount === host));
  const hosts = await Promise.all(shares.map(async (share) => {
    const child = fork(new URL('./kill-host.ts', import.meta.url).pathname, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (said) => {
        if (typeof said === 'object' && said !== null && Reflect.get(said, 'kind') === 'ready') resolve();
      });
      child.once('exit', (status) => reject(new Error(`A host ended with ${status}.`)));
    });
    child.send({ meshFile: folder.meshFile, state: folder.state, everyMs, relayPort, agents: share });
    await ready;
    return child;
  }));
  return { folder, node, hosts };
}

async function stop({ folder, node, hosts }: Running): Promise<void> {
  for (const host of hosts) host.kill('SIGKILL');
  await node.kill();
  await folder.remove();
}

/** Times at which a tool was really called, milliseconds since 1970. */
function calls({ folder }: Running): readonly number[] {
  return readFileSync(join(folder.directory, 'calls.log'), 'utf8').trim().split('\n')
    .map((line) => Number(line.split(' ')[2]));
}

function signed(order: PaceOrder, operator: 'bob' | 'dave') {
  const clock = systemClock();
  const id = mintUlid(clock, systemRandom);
  const statement = { id, order, operator, at: clock.nowMs(), reason: 'bench' };
  return { id, signed: signPaceOrder(statement, people[operator]) };
}

const nowMs = (): number => performance.timeOrigin + performance.now();

function figures(all: readonly number[], orderedMs: number) {
  const before = all.filter((time) => time <= orderedMs);
  const after = all.filter((time) => time > orderedMs);
  const lastMs = after.length === 0 ? 0 : Math.max(...after) - orderedMs;
  const recent = before.filter((time) => time > orderedMs - 5_000).length;
  return { callsPerSecondBefore: recent / 5, callsAfter: after.length, lastCallAfterMs: Math.round(lastMs) };
}

async function connectedKill() {
  const running = await start();
  try {
    await delay(6_000);
    const { id, signed: order } = signed({ op: 'kill', unit: meshUnit }, 'bob');
    const orderedMs = nowMs();
    const answer = await running.folder.control('POST', '/v1/pace/orders', { signed: order });
    const answeredMs = nowMs() - orderedMs;
    await delay(3_000);
    const confirmed = signed({ op: 'confirm', stop: id }, 'dave').signed;
    await running.folder.control('POST', '/v1/pace/orders', { signed: confirmed });
    await delay(2_500);
    const report = (await running.folder.control('GET', '/v1/pace')).body['reports'];
    const first = figures(calls(running), orderedMs);
    const countBefore = calls(running).length;
    await running.node.kill();
    running.node = await up(running.folder, ['--no-sidecars']);
    await delay(6_000);
    const acrossRestart = calls(running).length - countBefore;
    return { status: answer.status, answeredMs: Math.round(answeredMs), ...first, callsAcrossRestart: acrossRestart, report };
  } finally {
    await stop(running);
  }
}

async function stoppedNodeKill() {
  const running = await start();
  try {
    await delay(6_000);
    process.kill(running.node.pid, 'SIGSTOP');
    const { id, signed: order } = signed({ op: 'kill', unit: meshUnit }, 'bob');
    const orderedMs = nowMs();
    new StopOrders(nodeDirectories(running.folder.state).stops).leave(id, order);
    await delay(8_000);
    const whileStopped = figures(calls(running), orderedMs);
    const countBefore = calls(running).length;
    process.kill(running.node.pid, 'SIGCONT');
    await delay(5_000);
    return { ...whileStopped, callsAfterItGoesOn: calls(running).length - countBefore };
  } finally {
    process.kill(running.node.pid, 'SIGCONT');
    await stop(running);
  }
}

/** The node is well and nobody hears it: lines lead nowhere, and nobody is told. */
async function cutNetworkKill() {
  let busPort = 0;
  const relay = await openRelay(() => busPort);
  const running = await start(relay.port, (port) => {
    busPort = port;
  });
  try {
    await delay(6_000);
    relay.cut();
    const cutMs = nowMs();
    const { signed: order } = signed({ op: 'kill', unit: meshUnit }, 'bob');
    const orderedMs = nowMs();
    const answer = await running.folder.control('POST', '/v1/pace/orders', { signed: order });
    await delay(9_000);
    return { status: answer.status, cutBeforeMs: Math.round(orderedMs - cutMs), ...figures(calls(running), orderedMs) };
  } finally {
    relay.close();
    await stop(running);
  }
}

const connected = await connectedKill();
const stopped = await stoppedNodeKill();
const cut = await cutNetworkKill();
const result = {
  machine: machine(), agents: agentCount, hosts: hostCount, everyMs, connected, stopped, cut,
  holds: connected.lastCallAfterMs <= 1_000 && connected.callsAcrossRestart === 0 &&
    stopped.lastCallAfterMs <= 5_000 && stopped.callsAfterItGoesOn === 0 && cut.lastCallAfterMs <= 5_000,
};
if (values.json) console.log(JSON.stringify(result));
else {
  console.log(`${agentCount} agents in ${hostCount} hosts, ${connected.callsPerSecondBefore.toFixed(0)} calls/s`);
  console.log(`kill, node well:     last call ${connected.lastCallAfterMs} ms after the order (${connected.callsAfter} calls), none later: ${connected.callsAcrossRestart === 0}`);
  console.log(`kill, node stopped:  last call ${stopped.lastCallAfterMs} ms after the order (${stopped.callsAfter} calls), when it goes on: ${stopped.callsAfterItGoesOn}`);
  console.log(`kill, network cut:   last call ${cut.lastCallAfterMs} ms after the order (${cut.callsAfter} calls)`);
}
process.exitCode = result.holds ? 0 : 1;
