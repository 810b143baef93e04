// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readMeshOrThrow } from '../src/adapters/mesh-files.ts';
import { askNode } from '../src/cli/control.ts';
import { startSidecar } from '../src/process/sidecar.ts';
import type { RunningSidecar } from '../src/process/sidecar-options.ts';
import { AgentApi } from '../src/sidecar/agent-api.ts';
import { agentRequests } from '../src/sidecar/agent-requests.ts';
import type { AgentMemory } from '../src/sidecar/memory.ts';

/**
 * One process with the sidecars of many agents, each of which calls its tool without end: worst-case
 * agents, which open a new session whenever theirs is ended.
 */
type Start = {
  readonly meshFile: string;
  readonly state: string;
  readonly everyMs: number;
  /** Port of a relay that stands between these sidecars and their node; null: none does. */
  readonly relayPort: number | null;
  readonly agents: readonly string[];
};

let tried = 0;
let allowed = 0;

async function sessionOf({ sidecar }: RunningSidecar): Promise<AgentMemory | null> {
  const opened = await sidecar.openSession(await sidecar.mintToken());
  return opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
}

async function act(running: RunningSidecar, name: string, everyMs: number): Promise<never> {
  const api = new AgentApi(running.sidecar);
  let memory = await sessionOf(running);
  // One task for all calls: reads of a task are allotted ahead, and need no node for a while.
  let task: string | null = null;
  await delay(Math.random() * everyMs);
  for (;;) {
    memory ??= await sessionOf(running).catch(() => null);
    if (memory !== null) {
      tried += 1;
      const body = agentRequests.callTool.parse({ tool: 'counter', operation: 'count', arguments: { agent: name }, task });
      const answer = await api.callTool(body, memory).catch(() => null);
      if (answer?.body['verdict'] === 'GO') {
        allowed += 1;
        task = String(answer.body['task']);
      } else if (!running.sidecar.isLive(memory)) {
        memory = null;
        task = null;
      }
    }
    await delay(everyMs);
  }
}

/** Two hundred that join at once starve one another on few cores: a line that was cut meanwhile is tried again. */
async function again<Value>(attempt: () => Promise<Value>): Promise<Value> {
  for (let left = 9; ; left -= 1) {
    try {
      return await attempt();
    } catch (failure) {
      if (left === 0) throw failure;
      process.stderr.write(`joining again: ${failure instanceof Error ? failure.message : 'failed'}\n`);
      await delay(1_000);
    }
  }
}

process.once('message', (given: Start) => {
  const { meshFile, state, everyMs, relayPort, agents } = given;
  const mesh = readMeshOrThrow(meshFile);
  const begin = async (): Promise<void> => {
    for (const name of agents) {
      const start = (joinToken: string | null): Promise<RunningSidecar> => startSidecar({
        mesh, agent: name, stateDirectory: state, joinToken, command: null, restart: 'never',
        agentIdentity: null, agentUidIsOwn: false, toolIdentity: null, listen: 'in-process',
        log: () => undefined,
      });
      // A token whose answer was lost is spent: each attempt has one of its own.
      let running = await again(async () => {
        if (existsSync(join(state, 'sidecars', name, 'membership.json'))) return start(null);
        const minted = await askNode(state, 'POST', '/v1/join-tokens', { agent: name });
        return start(String(minted.body['token']));
      });
      if (relayPort !== null) {
        // It joined where the node is; from now on it finds the node behind the relay.
        await running.close();
        const file = join(state, 'sidecars', name, 'membership.json');
        const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
        writeFileSync(file, JSON.stringify({ ...Object(known), busPort: relayPort }), { mode: 0o600 });
        running = await again(() => start(null));
      }
      void act(running, name, everyMs);
    }
    process.send?.({ kind: 'ready' });
  };
  begin().catch((failure: unknown) => {
    process.stderr.write(`${failure instanceof Error ? failure.stack : 'failed'}\n`);
    process.exit(1);
  });
});

setInterval(() => {
  if (process.connected) process.send?.({ kind: 'count', tried, allowed });
}, 500).unref();
// Whoever measures is gone.
process.once('disconnect', () => process.exit(0));
