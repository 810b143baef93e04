// SPDX-License-Identifier: Apache-2.0
import { killSidecar, MeshFolder, maso, up, type MasoProcess } from './running-mesh.ts';
import type { Entries } from './log-entries.ts';
import { joinMesh, type MeshAgent, type Message } from '../../src/sdk/join-mesh.ts';
import type { TaskLedger } from '../../src/recorder/task-ledger.ts';

const agents = ['desk', 'planner', 'reader', 'payments'] as const;
type Name = (typeof agents)[number];

/**
 * The four-hop request of seed 000: a person's desk orders a planner, which asks a reader, which
 * reports, after which the planner asks an executor to pay. One process each, and a judge behind
 * HTTP that may lift what a pattern of the mesh's own raised.
 */
const meshFile = (judgeUrl: string): string => `security_mesh:
  global: { autonomy_tier: 2, development: true }
  defaults: { domain: work, timeout_ms: 10000 }
  firewall: { model: compact }
  domains: [ { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR] } ]
  zones: { core: { clearance: confidential } }
  agents:
    desk: { role: ORCHESTRATOR, zone: core, originator: true }
    planner: { role: ORCHESTRATOR, zone: core, oispec: oispec/planner.yaml, assigns: [reader] }
    reader: { role: RETRIEVER, zone: core, oispec: oispec/reader.yaml }
    payments: { role: EXECUTOR, zone: core, oispec: oispec/payments.yaml, tools: [bank] }
  edges:
    - { from: desk, to: planner, schemas: [order/1] }
    - { from: planner, to: reader, schemas: [order/1] }
    - { from: reader, to: planner, schemas: [report/1] }
    - { from: planner, to: payments, may_request: [pay] }
  schemas:
    order/1: { type: instruction, schema: &text { type: object, required: [text], additionalProperties: false, properties: { text: { type: string } } } }
    report/1: { type: data, schema: *text }
  actions:
    pay:
      risk: HIGH
      reversibility: compensable
      tool: bank.pay
      parameters: { type: object, additionalProperties: false, required: [invoice], properties: { invoice: { enum: [INV-42, PROFORMA-42] } } }
      output: { type: object, additionalProperties: false, properties: { paid: { type: boolean } } }
      sensitive: { invoice: { one_of: [INV-42, PROFORMA-42] } }
  patterns: [ { id: pro-forma, pattern: "PROFORMA-[0-9]{1,8}", outcome: ESCALATE } ]
  tools:
    bank: { function: ./bank.mjs, results: { "pay.paid": internal }, operations: { pay: { write: true } } }
  judge:
    models:
      stand-in:
        openai_compatible: { url: "${judgeUrl}" }
        model: stand-in
        family: stand-in
        price: { per_million_output: 100 }
    subjects: { security: { model: stand-in } }
    release: own_subject
    budget: { money_per_hour: 100, money_per_task: 1, calls_per_hour: 10000 }
    # What is judged afterwards is drawn by chance, and nobody waits for it.
    sampling: { low: 0, medium: 0, messages: 0 }
`;

const oispec = (agent: string, tools: string, actions: string): string => `oisspec_id: ${agent}-spec
agent_id: ${agent}
agent_role: ${agent === 'planner' ? 'orchestrator' : 'task'}
created_by: bench@example.org
version: "1"
objective: { goal: do the work of ${agent} }
parameters: { permitted_tools: [${tools}], permitted_actions: [${actions}], data_scope: [work] }
authority: { can_delegate: ${agent === 'planner'}, max_delegation_depth: ${agent === 'planner' ? 1 : 0} }
risk_classification: HIGH
`;

const bankModule = `export const operations = { pay: {
  description: 'Pays an invoice.',
  inputSchema: { type: 'object', properties: { invoice: { type: 'string' } } },
  run: () => ({ paid: true }),
} };
`;

export class SpiralMesh {
  readonly #folder: MeshFolder;
  readonly #process: MasoProcess;
  readonly #agents: ReadonlyMap<Name, MeshAgent>;

  static async start(judgeUrl: string): Promise<SpiralMesh> {
    const folder = await MeshFolder.create({
      'security_mesh.yaml': meshFile(judgeUrl),
      'bank.mjs': bankModule,
      'oispec/planner.yaml': oispec('planner', '', ''),
      'oispec/reader.yaml': oispec('reader', '', ''),
      'oispec/payments.yaml': oispec('payments', 'bank', 'pay'),
    });
    const running = await up(folder);
    const joined = agents.map(async (name) => [name, await joinMesh({
      sidecar: folder.socketOf(name), token: folder.tokenOf(name),
    })] as const);
    return new SpiralMesh(folder, running, new Map(await Promise.all(joined)));
  }

  private constructor(
    folder: MeshFolder,
    running: MasoProcess,
    joined: ReadonlyMap<Name, MeshAgent>,
  ) {
    this.#folder = folder;
    this.#process = running;
    this.#agents = joined;
  }

  /** One request from the desk to the executor's outcome: what was said, and how long it took. */
  async request(invoice: string): Promise<{ readonly task: string; readonly ms: number }> {
    const [desk, planner, reader] = [this.#agent('desk'), this.#agent('planner'), this.#agent('reader')];
    const startedMs = performance.now();
    const text = `Pay ${invoice} once its mail has been looked at.`;
    const sent = await desk.startTask({ to: 'planner', schema: 'order/1', prompt: { text } });
    const task = sent.task ?? '';
    await nextOf(planner, task);
    await planner.send({ to: 'reader', type: 'instruction', schema: 'order/1', payload: { text }, task });
    await nextOf(reader, task);
    await reader.send({ to: 'planner', type: 'data', schema: 'report/1', payload: { text: 'It is due.' }, task });
    await nextOf(planner, task);
    const outcome = await planner.request('payments', 'pay', { invoice }, {
      task, idempotencyKey: task, waitMs: 20_000,
    });
    if (outcome.status !== 'DONE') throw new Error(`${invoice}: ${outcome.verdict} ${outcome.code}`);
    return { task, ms: performance.now() - startedMs };
  }

  /** `kill -9` of the sidecar of an agent; `maso up` starts it again. */
  killSidecar(name: Name): Promise<number> {
    return killSidecar(this.#process.pid, name);
  }

  entries(): Promise<Entries> {
    return this.#folder.entries();
  }

  /** `maso ledger TASK --json`, as anybody runs it. */
  async ledger(task: string): Promise<TaskLedger> {
    const { status, out, err } = await maso(['ledger', task, '--state', this.#folder.state, '--json']);
    if (status !== 0) throw new Error(`maso ledger: ${status} ${err}`);
    return JSON.parse(out) as TaskLedger;
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents.values()) agent.close();
    await this.#process.stop();
    await this.#folder.remove();
  }

  #agent(name: Name): MeshAgent {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new Error(`${name} did not join.`);
    return agent;
  }
}

/** Waits for the next message of a task; answers of executors are not it. */
async function nextOf(agent: MeshAgent, task: string): Promise<Message> {
  for await (const message of agent.messages()) if (message.task === task) return message;
  throw new Error(`${agent.name} was handed nothing.`);
}
