// SPDX-License-Identifier: Apache-2.0
import { askControl } from '../../src/adapters/control-http.ts';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import type { OperatorKey } from '../../src/identity/operator-key.ts';
import { signOperatorDecision } from '../../src/identity/operator-signature.ts';
import type { RevocationTarget } from '../../src/identity/revocation.ts';
import { signRevocation } from '../../src/identity/revocation-statement.ts';
import { mintUlid } from '../../src/message/identifiers.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { nodeDirectories } from '../../src/process/directories.ts';
import { startNode, type RunningNode } from '../../src/process/node.ts';
import { startSidecar } from '../../src/process/sidecar.ts';
import type { RunningSidecar } from '../../src/process/sidecar-options.ts';
import { AgentApi } from '../../src/sidecar/agent-api.ts';
import { agentRequests } from '../../src/sidecar/agent-requests.ts';
import type { AgentMemory } from '../../src/sidecar/memory.ts';
import type { MeshFolder } from './running-mesh.ts';

const never = new AbortController().signal;

/** What an agent's endpoint answered. */
export type Answered = { readonly status: number; readonly body: JsonObject };

/**
 * Node and sidecars of a mesh file in this process, over real sockets, with the agents played by
 * the test. What a test takes out of a sidecar, its key above all, an attacker stole.
 */
export class MeshInProcess {
  readonly node: RunningNode;
  readonly sidecars = new Map<string, RunningSidecar>();
  readonly #folder: MeshFolder;
  readonly #memories = new Map<string, AgentMemory>();
  readonly #log: (line: string) => void;
  #keys = 0;

  static async start(
    folder: MeshFolder,
    agents: readonly string[],
    log: (line: string) => void = () => undefined,
  ): Promise<MeshInProcess> {
    const mesh = readMeshOrThrow(folder.meshFile);
    const place = { stateDirectory: folder.state, host: '127.0.0.1', port: 0 };
    const node = await startNode({ mesh, ...place, log });
    const running = new MeshInProcess(folder, node, log);
    for (const agent of agents) await running.join(agent);
    return running;
  }

  private constructor(folder: MeshFolder, node: RunningNode, log: (line: string) => void) {
    this.#folder = folder;
    this.#log = log;
    this.node = node;
  }

  async join(agent: string): Promise<void> {
    const sidecar = await startSidecar({
      mesh: readMeshOrThrow(this.#folder.meshFile),
      agent,
      stateDirectory: this.#folder.state,
      joinToken: await this.node.joinToken(agent),
      command: null,
      restart: 'never',
      agentIdentity: null,
      agentUidIsOwn: false,
      toolIdentity: null,
      listen: 'in-process',
      log: this.#log,
    });
    this.sidecars.set(agent, sidecar);
  }

  sidecar(agent: string): RunningSidecar {
    const found = this.sidecars.get(agent);
    if (found === undefined) throw new Error(`${agent} has no sidecar.`);
    return found;
  }

  /** A fresh process of the agent: it has read nothing. */
  async fresh(agent: string): Promise<void> {
    const { sidecar } = this.sidecar(agent);
    const opened = await sidecar.openSession(await sidecar.mintToken());
    const memory = opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
    if (memory === null) throw new Error(`${agent} got no session.`);
    this.#memories.set(agent, memory);
  }

  memory(agent: string): AgentMemory {
    const memory = this.#memories.get(agent);
    if (memory === undefined) throw new Error(`${agent} has no session.`);
    return memory;
  }

  api(agent: string): AgentApi {
    return new AgentApi(this.sidecar(agent).sidecar);
  }

  /** A person's order through an originator. */
  startTask(from: string, to: string, prompt: JsonObject, more: JsonObject = {}): Promise<Answered> {
    const body = { to, schema: 'order/1', prompt, ...more };
    return this.api(from).startTask(agentRequests.startTask.parse(body), this.memory(from));
  }

  instruct(from: string, to: string, task: string | null, more: JsonObject = {}): Promise<Answered> {
    const body = {
      to, type: 'instruction', schema: 'order/1', payload: { text: 'do it' }, task, ...more,
    };
    return this.api(from).sendMessage(agentRequests.sendMessage.parse(body), this.memory(from));
  }

  /** Asks `payments`; an outcome that is not there in time is null. */
  async request(
    from: string,
    action: string,
    parameters: JsonObject,
    task: string | null,
    waitMs = 5_000,
  ): Promise<{ readonly id: string; readonly outcome: JsonObject | null; readonly body: JsonObject }> {
    const idempotencyKey = `key-${++this.#keys}`;
    const asked = { to: 'payments', action, parameters, idempotencyKey, task, waitMs };
    const { body } = await this.api(from)
      .requestAction(agentRequests.requestAction.parse(asked), this.memory(from), never);
    const outcome = (body['outcome'] ?? null) as JsonObject | null;
    return { id: String(body['messageId']), outcome, body };
  }

  /** Takes and acknowledges what waits, up to somebody's first message of this task. */
  async take(agent: string, task: string): Promise<readonly JsonObject[]> {
    const taken: JsonObject[] = [];
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline) {
      const asked = agentRequests.takeMessages.parse({ waitMs: 500 });
      const { body } = await this.api(agent).takeMessages(asked, this.memory(agent), never);
      const messages = (body['messages'] ?? []) as readonly JsonObject[];
      taken.push(...messages);
      const ids = messages.map((message) => String(message['id']));
      await this.api(agent).acknowledge({ ids }, this.memory(agent));
      const said = messages.filter(({ schema }) => schema !== 'action-outcome/1');
      if (said.some((message) => message['task'] === task)) return taken;
    }
    throw new Error(`${agent} was handed nothing.`);
  }

  control(method: 'GET' | 'POST', path: string, body: JsonObject | null = null) {
    return askControl(nodeDirectories(this.#folder.state).controlSocket, method, path, body);
  }

  revoke(target: RevocationTarget, key: OperatorKey, operator = 'alice') {
    const statement = {
      id: mintUlid(systemClock(), systemRandom),
      op: 'revoke' as const,
      target,
      lifts: null,
      operator,
      at: Date.now(),
      reason: 'test',
    };
    return this.control('POST', '/v1/revocations', { signed: signRevocation(statement, key) });
  }

  async decide(
    approval: { readonly id: string; readonly digest: string },
    decision: 'approve' | 'deny',
    key: OperatorKey,
    operator = 'alice',
  ) {
    const statement = { decision, operator, at: Date.now(), reason: 'test' };
    const signed = signOperatorDecision(
      { approval: approval.id, digest: approval.digest, ...statement }, key,
    );
    return this.control('POST', '/v1/approvals/decisions', { signed });
  }

  async close(): Promise<void> {
    for (const sidecar of this.sidecars.values()) await sidecar.close();
    await this.node.close();
  }
}
