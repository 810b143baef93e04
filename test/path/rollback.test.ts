// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { pacePeople, writeKeys, type PacePeople } from '../mesh-harness/pace-mesh.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

/** What a kill leaves behind: what is undone, who stands in, what is captured. Each test goes on where the one before ended. */
describe('after a kill on the running mesh', () => {
  const people = pacePeople();
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let desk: HostileAgent;

  const joinAs = async (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
  const back = (agent: string) => until(`${agent} is back`, () => joinAs(agent).catch(() => null), 30_000);
  const as = ['--as', 'bob', '--key'];
  const run = async (...args: readonly string[]): Promise<JsonObject> => {
    const ran = await maso([...args, '--state', folder.state, '--json']);
    const said: unknown = JSON.parse(ran.out);
    return { status: ran.status ?? -1, ...(isJsonObject(said) ? said : {}) };
  };
  const begin = () => desk.post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt: { text: 'book' } });
  const ask = (agent: HostileAgent, action: string, key: string) => agent.post('/v1/requests', {
    to: 'booking', action, parameters: { name: 'a', seats: 3 }, idempotencyKey: key, task: agent.task, waitMs: 20_000,
  });
  const calls = (): readonly string[] =>
    readFileSync(join(folder.directory, 'calls.log'), 'utf8').trim().split('\n');

  beforeAll(async () => {
    folder = await MeshFolder.create(bookingMesh(people));
    writeKeys(folder, people);
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    desk = await joinAs('desk');
    const planner = await joinAs('planner');
    expect((await begin()).body).toMatchObject({ verdict: 'GO' });
    await until('the order', async () => {
      await planner.take(1_000);
      return planner.task;
    });
    for (const action of ['book', 'note']) {
      expect((await ask(planner, action, action)).body['outcome']).toMatchObject({ status: 'DONE' });
    }
    // What the node knows of it from here on stands in the log alone.
    await mesh.stop();
    mesh = await up(folder);
    desk = await back('desk');
  }, 120_000);
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  it('undoes what an earlier run of the node saw done, where an action is declared for it, and lists the rest', async () => {
    const killed = await run('kill', 'agent:planner', ...as, join(folder.directory, 'bob.jwk'));
    expect(killed).toMatchObject({
      status: 0, state: 'killed',
      report: {
        done: { recalled: true, reversible: [{ action: 'book', undo: 'cancel' }], compensable: [{ action: 'note', undo: null }] },
        rollback: { started: 1, leftToPeople: 1, irreversible: 0 },
      },
    });
    const undone = await until('the undoing', async () => {
      const { rollback } = await run('pace', 'rollback');
      const all = Array.isArray(rollback) ? rollback.filter(isJsonObject) : [];
      return all.some(({ state }) => state === 'waiting') ? null : all;
    });
    expect(undone).toMatchObject([
      { action: 'note', state: 'people', code: null }, { action: 'book', undo: 'cancel', state: 'undone', code: null },
    ]);
    expect(calls()).toEqual(['book a 3', 'note a 3', 'cancel R-3 3']);
    const entry = find(await folder.entries(), 'pace.undone', null);
    expect(entry?.detail).toMatchObject({ action: 'book', undo: 'cancel', executor: 'booking', incident: killed['id'] });
    const verified = await maso(['recorder', 'verify', '--state', folder.state]);
    expect(verified.status, verified.out).toBe(0);
  });

  it('sends what is for the stopped agent to its standby, which reads and does not write yet', async () => {
    const standby = await back('planner_b');
    const sent = await begin();
    expect(sent.body).toMatchObject({ verdict: 'GO', standby: 'planner_b' });
    const [order] = await until('the order', async () => {
      const taken = await standby.take(1_000);
      return taken.length > 0 ? taken : null;
    });
    expect(order).toMatchObject({ from: 'desk', id: sent.body['messageId'] });
    const outbound = find(await folder.entries(), 'message.outbound', null, ({ detail }) => detail['insteadOf'] !== undefined);
    expect(outbound?.detail).toMatchObject({ insteadOf: 'planner', to: 'planner_b' });
    expect((await ask(standby, 'book', 'too-soon')).body).toMatchObject({ verdict: 'NO-GO' });
    expect(calls()).toHaveLength(3);
  });

  it('has captured what the agent stood in, and tells when that was changed', async () => {
    const { snapshots } = await run('pace', 'snapshots');
    const [captured] = Array.isArray(snapshots) ? snapshots.filter(isJsonObject) : [];
    expect(captured).toMatchObject({ agent: 'planner', phase: 'EMERGENCY', state: 'good' });
    appendFileSync(String(captured?.['file']), ' ');
    expect(await run('pace', 'snapshots')).toMatchObject({ status: 1, snapshots: [{ state: 'changed' }] });
  });
});

function bookingMesh(people: PacePeople): { readonly [file: string]: string } {
  const agents = ['planner', 'planner_b', 'booking'];
  const specs = agents.map((agent) => [`oispec/${agent}.yaml`, specification(agent)] as const);
  return { 'security_mesh.yaml': meshText(people), 'seats.mjs': seatsModule, ...Object.fromEntries(specs) };
}

const specification = (agent: string): string => `oisspec_version: "1.0"
oisspec_id: ${agent}-spec
agent_id: ${agent}
agent_role: ${agent === 'booking' ? 'task' : 'orchestrator'}
created_by: dev@example.org
version: "1"
objective: { goal: book seats }
parameters: { permitted_tools: [${agent === 'booking' ? 'seats' : ''}], permitted_actions: [${agent === 'booking' ? 'book, note, cancel' : ''}], data_scope: [work] }
authority: { can_delegate: false, max_delegation_depth: 0 }
risk_classification: HIGH
`;

const meshText = (people: PacePeople): string => `security_mesh:
  global: { tls_min_version: "1.3", development: true, autonomy_tier: 2 }
  firewall: { model: none }
  defaults: { domain: work, timeout_ms: 10000 }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, EXECUTOR] }
  zones: { core: { clearance: confidential } }
  agents:
    desk: { role: ORCHESTRATOR, zone: core, originator: true }
    planner: { role: ORCHESTRATOR, zone: core, oispec: oispec/planner.yaml }
    planner_b: { role: ORCHESTRATOR, zone: core, oispec: oispec/planner_b.yaml }
    booking: { role: EXECUTOR, zone: core, oispec: oispec/booking.yaml, tools: [seats], isolation: uid }
  edges:
    - { from: desk, to: planner, schemas: [order/1] }
    - { from: desk, to: planner_b, schemas: [order/1] }
    - { from: planner, to: booking, may_request: [book, note] }
    - { from: planner_b, to: booking, may_request: [book, note] }
  schemas:
    order/1:
      type: instruction
      schema: { type: object, required: [text], properties: { text: { type: string } } }
  actions:
    book:
      risk: LOW
      reversibility: reversible
      tool: seats.book
      parameters: &seats
        type: object
        additionalProperties: false
        required: [name, seats]
        properties: { name: { enum: [a, b] }, seats: { type: integer } }
      output: &booked
        type: object
        additionalProperties: false
        properties: { reference: { type: string, pattern: "^R-[0-9]+$", maxLength: 16 } }
      undo: { action: cancel, parameters: { reference: result.reference, seats: request.seats } }
    note: { risk: LOW, reversibility: compensable, tool: seats.note, parameters: *seats, output: *booked }
    cancel:
      risk: MEDIUM
      reversibility: irreversible
      tool: seats.cancel
      parameters:
        type: object
        additionalProperties: false
        required: [reference, seats]
        properties: { reference: { type: string, pattern: "^R-[0-9]+$", maxLength: 16 }, seats: { type: integer } }
      output: *booked
  tools:
    seats:
      function: ./seats.mjs
      results: { "book.reference": internal, "note.reference": internal, "cancel.reference": internal }
      operations: { book: { write: true }, note: { write: true }, cancel: { write: true } }
  operators:
${Object.entries(people).map(([name, key]) => `    ${name}: ${JSON.stringify(key.publicJwk)}`).join('\n')}
  pace:
    authorities: { security: [alice], incident_commander: [bob, dave], risk_owner: [carol] }
  workflows: { booking: { agents: [planner], pace: { standbys: { planner: planner_b } } } }
`;

const seatsModule = `
import { appendFileSync } from 'node:fs';
const file = new URL('./calls.log', import.meta.url);
const note = (...words) => appendFileSync(file, words.join(' ') + '\\n');
const inputSchema = { type: 'object', properties: { name: { type: 'string' }, reference: { type: 'string' }, seats: { type: 'integer' } } };
const operation = (name) => ({
  description: 'Seats.', inputSchema,
  run: ({ name: who, reference, seats }) => {
    note(name, who ?? reference, seats);
    return { reference: 'R-' + seats };
  },
});
export const operations = { book: operation('book'), note: operation('note'), cancel: operation('cancel') };
`;
