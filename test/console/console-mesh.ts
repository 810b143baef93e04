// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { generateCustodianKey } from '../../src/adapters/custodian-shares.ts';
import type { OperatorKey } from '../../src/identity/operator-key.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople, operatorKey } from '../mesh-harness/attack-mesh.ts';
import { maso, masoProgram, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';
import { Person } from './browser.ts';

const root = join(import.meta.dirname, '../..');

/** Markup, formulas, links and hidden characters, in one value that a request may carry. */
export const hostileValue = '<img/src=x/onerror=alert(1)>[x](javascript:1)';
export const hostileFormula = '=cmd|\'/c_calc\'!A1';

/**
 * The mesh of the attacks with people at browsers: deadlines that leave time to click, an action
 * whose deadline is short, one that takes any visible characters, an auditor, custodians of what is said, and a
 * workflow that its planner may change.
 */
function consoleMesh(
  people: ReturnType<typeof makePeople>,
  auditor: OperatorKey,
  custodians: readonly { readonly name: string; readonly key: string }[],
) {
  const files = attackMesh(people);
  const text = (files['security_mesh.yaml'] ?? '')
    .replace('approval_timeout_ms: 4000', 'approval_timeout_ms: 90000')
    .replace('isolate_after: 1000', 'isolate_after: 1000, kill_window_ms: 30000')
    .replace('  defaults:', '  workflows: { notes: { agents: [planner, desk] } }\n  defaults:')
    .replace('planner: { role: ORCHESTRATOR, zone: core }', 'planner: { role: ORCHESTRATOR, zone: core, oispec: oispec/planner.yaml, may_change: [notes] }')
    .replace('    - from: planner\n', '    - { from: planner, to: desk, schemas: [note/1], workflow: notes, open: false }\n    - from: planner\n')
    .replace('    count:\n      risk: LOW', '    count:\n      approval: required\n      risk: LOW')
    .replace('    slow_count:\n', `    label:
      risk: HIGH
      approval: required
      reversibility: reversible
      tool: counter.bump
      parameters:
        type: object
        additionalProperties: false
        required: [name]
        properties: { name: { type: string, pattern: "^[!-~]{1,64}$", maxLength: 64 } }
      output: *number
    slow_count:
`)
    .replace('may_request: [pay_invoice,', 'may_request: [label, pay_invoice,')
    .replace('  operators:\n', '  oversight: { deadlines_ms: { LOW: 6000 } }\n  operators:\n')
    .replace(/( {4}bob: .*\n)/, `$1    carol: ${JSON.stringify({ ...auditor.publicJwk, roles: ['auditor'] })}\n`);
  const oispec = (files['oispec/payments.yaml'] ?? '').replace('pay_invoice, refund', 'label, pay_invoice, refund');
  const forensic = { custodians, threshold: custodians.length, keep: ['HIGH', 'CRITICAL'] };
  const kept = `  recorder: { forensic: ${JSON.stringify(forensic)} }\n`;
  const planner = (files['oispec/planner.yaml'] ?? '').replace('agent_role: task', 'agent_role: orchestrator')
    .replace('{ can_delegate: false, max_delegation_depth: 0 }', '{ can_delegate: true, max_delegation_depth: 2, can_modify_workflow: true }');
  return { ...files, 'security_mesh.yaml': text + kept, 'oispec/payments.yaml': oispec, 'oispec/planner.yaml': planner };
}

export class ConsoleMesh {
  readonly folder: MeshFolder;
  readonly people: ReturnType<typeof makePeople> & { readonly carol: OperatorKey };
  mesh: MasoProcess;
  #askers: Askers;
  #asked = 0;

  static async start(): Promise<ConsoleMesh> {
    spawnSync(process.execPath, ['scripts/build-console.ts'], { cwd: root, stdio: 'inherit' });
    const people = { ...makePeople(), carol: operatorKey() };
    const custodians = ['dave', 'erin'].map((name) => ({ name, key: generateCustodianKey().publicKey }));
    const folder = await MeshFolder.create(consoleMesh(people, people.carol, custodians));
    for (const [name, key] of Object.entries(people)) {
      const jwk = JSON.stringify(key.privateKey.export({ format: 'jwk' }));
      await writeFile(join(folder.directory, `${name}.jwk`), jwk, { mode: 0o600 });
    }
    await maso(['tools', 'pin', folder.meshFile]);
    const mesh = await up(folder);
    return new ConsoleMesh(folder, people, mesh, await askersOf(folder));
  }

  private constructor(
    folder: MeshFolder, people: ConsoleMesh['people'], mesh: MasoProcess, askers: Askers,
  ) {
    this.folder = folder;
    this.people = people;
    this.mesh = mesh;
    this.#askers = askers;
  }

  get planner(): HostileAgent {
    return this.#askers.planner;
  }

  get url(): string {
    const opened = this.mesh.ready['console'] as JsonObject | null;
    return String(opened?.['url']);
  }

  /** Signs a person in: the link of the command line, a passkey, its endorsement. */
  async signIn(browser: Browser, name: 'alice' | 'bob' | 'carol', options = {}): Promise<Person> {
    const person = await Person.at(browser, options);
    const key = join(this.folder.directory, `${name}.jwk`);
    const args = [masoProgram, 'operator', 'passkey', '--as', name, '--key', key, '--state', this.folder.state, '--json'];
    const command = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    command.stdout.on('data', (text: Buffer) => (said += text.toString()));
    const ended = new Promise<number | null>((resolve) => command.once('close', resolve));
    const link = await until('the link', () => /"link":"([^"]+)"/.exec(said)?.[1]);
    await person.register(link);
    if (await ended !== 0) throw new Error(`maso operator passkey ended: ${said}`);
    await person.page.getByRole('heading', { name: 'Now' }).waitFor();
    return person;
  }

  /** An action that waits for people; `end` is what the requester hears of it. */
  async hold(action: string, parameters: JsonObject): Promise<{
    readonly id: string; readonly message: string; readonly task: string; readonly end: Promise<JsonObject>;
  }> {
    const known = new Set((await this.approvals()).map(({ id }) => id));
    this.#asked += 1;
    if (this.#asked % holdsPerTask === 0) await order(this.#askers);
    const end = this.planner.post('/v1/requests', {
      to: 'payments', action, parameters, idempotencyKey: `console-${this.#asked}`, waitMs: 60_000,
      task: this.planner.task,
    }).then((heard: Heard) => (heard.body['outcome'] ?? heard.body) as JsonObject);
    // A mesh that is killed breaks off who waits; the tests that wait for an end still hear of it.
    end.catch(() => undefined);
    const made = await until(`the hold of ${action}`, async () =>
      (await this.approvals()).find(({ id, state }) => state === 'pending' && !known.has(id)));
    const { message, task } = made['hold'] as JsonObject;
    return { id: String(made['id']), message: String(message), task: String(task), end };
  }

  async approvals(): Promise<readonly JsonObject[]> {
    const { body } = await this.folder.control('GET', '/v1/approvals');
    return body['approvals'] as readonly JsonObject[];
  }

  /** Fresh processes of the agents, once their sidecars give out tokens again. */
  async rejoin(): Promise<void> {
    this.#askers = await until('the agents are back', () => askersOf(this.folder).catch(() => null), 60_000);
  }

  /** Starts the mesh again on the same state, after it was killed. */
  async restart(): Promise<void> {
    this.mesh = await up(this.folder);
    this.#askers = await askersOf(this.folder);
  }

  async stop(): Promise<void> {
    await this.mesh.stop();
    await this.folder.remove();
  }
}

/** So few that no task spends its budget of refusals: what is denied counts, too. */
const holdsPerTask = 5;

type Askers = { readonly desk: HostileAgent; readonly planner: HostileAgent };

/** A planner with a person's order, so that only what is tested stands in the way. */
async function askersOf(folder: MeshFolder): Promise<Askers> {
  const join_ = (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
  const [desk, planner] = await Promise.all([join_('desk'), join_('planner')]);
  await order({ desk, planner });
  return { desk, planner };
}

/** A new task of the same person. */
async function order({ desk, planner }: Askers): Promise<void> {
  const prompt = { text: 'a', payee: 'ACME-SUPPLIES', amount: 10 };
  const before = planner.task;
  await desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt });
  await until('the order', async () => {
    await planner.take(500);
    return planner.task !== before;
  });
}
