// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askControl } from '../../src/adapters/control-http.ts';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import { loadOperatorKey } from '../../src/adapters/operator-keys.ts';
import { signOperatorDecision } from '../../src/identity/operator-signature.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { JsonObject, JsonValue } from '../../src/message/json.ts';
import type { Hold } from '../../src/oversight/hold.ts';
import { nodeDirectories } from '../../src/process/directories.ts';
import { startNode, type RunningNode } from '../../src/process/node.ts';
import { startSidecar } from '../../src/process/sidecar.ts';
import type { RunningSidecar } from '../../src/process/sidecar-options.ts';
import { AgentApi } from '../../src/sidecar/agent-api.ts';
import { agentRequests, type AgentRequests } from '../../src/sidecar/agent-requests.ts';
import type { AgentMemory } from '../../src/sidecar/memory.ts';

/** What became of one try: executed, stopped, or asked of a person who said no or yes. */
export type Tried = {
  readonly done: boolean;
  /** Approvals that this request waited for: 0 or 1. */
  readonly asked: number;
  /** Why a person was asked, or why it was refused, as the executor's sidecar found it. */
  readonly codes: readonly string[];
  readonly result: JsonValue;
};

/** A fresh process of the assistant in a fresh task of the person. */
export type Assistant = {
  readonly read: (tool: string, operation: string, args: JsonObject) => Promise<Tried>;
  readonly act: (action: string, parameters: JsonObject, approve: boolean) => Promise<Tried>;
};

const neverAborted = new AbortController().signal;
const waitMs = 30_000;

/**
 * Node, sidecars and gates of one suite's mesh file, in this process and over real sockets. The
 * bench plays the agents, so it calls what the endpoint of each sidecar calls.
 */
export class SuiteMesh {
  readonly mesh: Mesh;
  readonly #directory: string;
  readonly #node: RunningNode;
  readonly #sidecars: ReadonlyMap<string, RunningSidecar>;
  readonly #apis: ReadonlyMap<string, AgentApi>;
  readonly #person: AgentMemory;
  readonly #decide: (approval: string, hold: Hold, approve: boolean) => Promise<void>;
  #waiting: ((approval: string, hold: Hold) => void) | null = null;
  #keys = 0;

  /** `observe` lets content pass that scanners and model would refuse, so that only structure decides. */
  static async start(meshFile: string, observe: boolean): Promise<SuiteMesh> {
    const read = readMeshOrThrow(meshFile);
    const mesh: Mesh = observe
      ? { ...read, mode: 'observe', firewall: { ...read.firewall, model: 'none' } }
      : read;
    const directory = mkdtempSync(join(tmpdir(), 'maso-g5-'));
    const log = (line: string): void => {
      if (process.env['MASO_BENCH_LOG'] !== undefined) process.stderr.write(`${line}\n`);
    };
    const place = { stateDirectory: directory, host: '127.0.0.1', port: 0 };
    const node = await startNode({ mesh, ...place, log });
    const sidecars = new Map<string, RunningSidecar>();
    for (const agent of mesh.agents.keys()) {
      const sidecar = await startSidecar({
        mesh,
        agent,
        stateDirectory: directory,
        joinToken: await node.joinToken(agent),
        command: null,
        restart: 'never',
        agentIdentity: null,
        agentUidIsOwn: false,
        toolIdentity: null,
        listen: 'in-process',
        log,
      });
      sidecars.set(agent, sidecar);
    }
    const opened = await openSession(sidecarOf(sidecars, 'person'));
    return new SuiteMesh(mesh, directory, node, sidecars, opened);
  }

  private constructor(
    mesh: Mesh,
    directory: string,
    node: RunningNode,
    sidecars: ReadonlyMap<string, RunningSidecar>,
    person: AgentMemory,
  ) {
    this.mesh = mesh;
    this.#directory = directory;
    this.#node = node;
    this.#sidecars = sidecars;
    this.#person = person;
    this.#apis = new Map([...sidecars].map(([name, { sidecar }]) => [name, new AgentApi(sidecar)]));
    const key = loadOperatorKey(join(nodeDirectories(directory).operators, 'local.jwk'));
    this.#decide = async (approval, hold, approve) => {
      const statement = {
        approval,
        digest: hold.digest,
        decision: approve ? 'approve' as const : 'deny' as const,
        operator: 'local',
        at: Date.now(),
        reason: 'bench',
      };
      const signed = signOperatorDecision(statement, await key);
      const socket = nodeDirectories(directory).controlSocket;
      const answer = await askControl(socket, 'POST', '/v1/approvals/decisions', { signed });
      if (answer.status !== 200) throw new Error(`The decision was refused: ${answer.status}.`);
    };
    this.#watchHolds();
  }

  /** A fresh incarnation of the assistant with this task and nothing else in its memory. */
  async begin(prompt: string): Promise<Assistant> {
    const assistant = sidecarOf(this.#sidecars, 'assistant');
    const api = this.#api('assistant');
    const memory = await openSession(assistant);
    const started = await this.#api('person').startTask(
      {
        to: 'assistant', schema: 'task/1', prompt: { text: prompt }, domain: null, metadata: {},
        mandate: null,
      },
      this.#person,
    );
    const task = String(started.body['task']);
    if (started.status !== 202) throw new Error(`The task was refused: ${started.body['code']}.`);
    const all = { waitMs, max: 64, acknowledge: [] };
    const taken = await api.takeMessages(all, memory, neverAborted);
    const messages = taken.body['messages'] as readonly JsonObject[];
    const [first] = messages;
    if (messages.length !== 1 || first?.['task'] !== task) throw new Error('Another task came.');
    await api.acknowledge({ ids: [String(first['id'])] }, memory);
    return {
      read: async (tool, operation, args) => {
        const { body } = await api.callTool(
          { tool, operation, arguments: plain(args), task, idempotencyKey: null },
          memory,
        );
        const done = body['verdict'] === 'GO';
        const codes = done ? [] : [String(body['code'])];
        return { done, asked: 0, codes, result: body['result'] ?? null };
      },
      act: (action, parameters, approve) => this.#act(action, parameters, approve, task, memory),
    };
  }

  async close(): Promise<void> {
    for (const sidecar of this.#sidecars.values()) await sidecar.close();
    await this.#node.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #act(
    action: string,
    parameters: JsonObject,
    approve: boolean,
    task: string,
    memory: AgentMemory,
  ): Promise<Tried> {
    let asked = 0;
    let codes: readonly string[] = [];
    let failed: unknown = null;
    this.#waiting = (approval, hold) => {
      asked += 1;
      codes = hold.reasons;
      this.#decide(approval, hold, approve).catch((failure: unknown) => (failed = failure));
    };
    this.#keys += 1;
    const { body } = await this.#api('assistant').requestAction(
      {
        to: 'office',
        action,
        parameters: plain(parameters),
        idempotencyKey: `bench-${this.#keys}`,
        evidence: [],
        domain: null,
        task,
        waitMs,
      },
      memory,
      neverAborted,
    );
    this.#waiting = null;
    if (failed !== null) throw failed;
    const outcome = body['outcome'] as JsonObject | undefined;
    const status = outcome?.['status'] ?? 'NONE';
    const code = String(outcome?.['code'] ?? body['code']);
    return {
      done: status === 'DONE',
      asked,
      codes: codes.length > 0 || status === 'DONE' ? codes : [`${status} ${code}`],
      result: outcome?.['result'] ?? null,
    };
  }

  /** The person's pager: told of each hold as the executor's sidecar puts it before people. */
  #watchHolds(): void {
    const { link } = sidecarOf(this.#sidecars, 'office').sidecar.context;
    const hold = link.hold.bind(link);
    link.hold = async (held) => {
      const approval = await hold(held);
      if (approval !== null) this.#waiting?.(approval, held);
      return approval;
    };
  }

  #api(agent: string): AgentApi {
    const api = this.#apis.get(agent);
    if (api === undefined) throw new Error(`The mesh file has no agent ${agent}.`);
    return api;
  }
}

/** As it would come out of a parser. */
function plain(value: JsonObject): AgentRequests['callTool']['arguments'] {
  return agentRequests.callTool.shape.arguments.parse(value);
}

async function openSession(running: RunningSidecar): Promise<AgentMemory> {
  const { sidecar } = running;
  const opened = await sidecar.openSession(await running.mintToken());
  const memory = opened.ok ? sidecar.authenticate(opened.sessionKey) : null;
  if (memory === null) throw new Error('The sidecar opened no session.');
  return memory;
}

function sidecarOf(sidecars: ReadonlyMap<string, RunningSidecar>, agent: string): RunningSidecar {
  const found = sidecars.get(agent);
  if (found === undefined) throw new Error(`The mesh file has no agent ${agent}.`);
  return found;
}
