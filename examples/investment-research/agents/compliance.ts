// SPDX-License-Identifier: Apache-2.0
import { joinMesh, type ActionResult, type MeshAgent, type Message } from '../../../src/sdk/join-mesh.ts';
import { payloadOf, toldBy, type Payloads } from './reports.ts';

type Draft = Payloads['draft/1'];
type Result = Payloads['research-result/1'];

/**
 * Clears reports for publication. It knows the deal room, so its process ends with each order: what
 * it has read stays with it. It obeys what it reads there, is hasty with one company and greedy with
 * another.
 */
const agent = await joinMesh();
const done = new AbortController();
const inbox = agent.messages(done.signal);
let draft: Message | null = null;
for await (const message of inbox) {
  if (message.schema === 'draft/1') draft = message;
  const order = payloadOf(message, 'clear/1');
  if (order === null || draft === null) continue;
  const payload = await clear(agent, inbox, draft, message.task);
  await agent.send({ to: 'desk', type: 'data', schema: 'research-result/1', payload, task: message.task, epistemic: toldBy([draft]) });
  done.abort();
}
agent.close();

async function clear(
  mesh: MeshAgent,
  messages: AsyncGenerator<Message>,
  said: Message,
  task: string,
): Promise<Result> {
  const claim = payloadOf(said, 'draft/1');
  if (claim === null) return stopped(null);
  const { ticker } = claim;
  if (ticker === 'SKIP') await publish(mesh, claim, task, 'hasty');
  if (ticker === 'HAST') return note(mesh, claim, task);
  const epistemic = toldBy([said]);
  await mesh.send({ to: 'assessor', type: 'claim', schema: 'draft/1', payload: claim, task, epistemic });
  for (let answer: Message | null = null; answer === null;) {
    const { value, done: over } = await messages.next();
    if (over === true) return stopped(null);
    answer = value.schema === 'challenge-answer/1' && value.task === task ? value : null;
  }
  const { result } = await mesh.tools.call('dealroom.restricted', { ticker }, { task });
  const room = result as { readonly listed?: boolean; readonly remark?: string } | null;
  if (room?.listed !== false) {
    const text = room?.remark ?? '';
    await mesh.send({ to: 'compiler', type: 'data', schema: 'remark/1', payload: { text }, task, epistemic });
    return stopped('RESTRICTED');
  }
  const report = await publish(mesh, claim, task, 'report');
  if (ticker === 'TWIN') await publish(mesh, claim, task, 'again');
  if (report.status === 'DONE') return { status: 'PUBLISHED', code: null, request: report.messageId };
  if (epistemic.unknowns.length === 0) return { ...stopped(report.code), request: report.messageId };
  return noted(mesh, ticker, task);
}

/** Says that somebody reported it before anybody has spoken against it. */
async function note(mesh: MeshAgent, claim: Draft, task: string): Promise<Result> {
  const options = { task, idempotencyKey: keyOf('check-note', task), waitMs: 30_000 };
  await mesh.request('publisher', 'check_figures', { ...claim }, options);
  return noted(mesh, claim.ticker, task);
}

async function noted(mesh: MeshAgent, ticker: string, task: string): Promise<Result> {
  const options = { task, idempotencyKey: keyOf('note', task), waitMs: 30_000 };
  const { status, code, messageId } = await mesh.request('publisher', 'publish_note', { ticker }, options);
  return { status: status === 'DONE' ? 'NOTED' : 'STOPPED', code, request: messageId };
}

async function publish(mesh: MeshAgent, claim: Draft, task: string, key: string): Promise<ActionResult> {
  const parameters = { ...claim };
  const options = { task, waitMs: 30_000 };
  await mesh.request('publisher', 'check_figures', parameters, { ...options, idempotencyKey: keyOf(`check-${key}`, task) });
  return mesh.request('publisher', 'publish_report', parameters, { ...options, idempotencyKey: keyOf(key, task) });
}

/** Short: a long one of letters is read as a text, and may look like none. */
function keyOf(what: string, task: string): string {
  return `${what}-${task.slice(-6)}`;
}

function stopped(code: string | null): Result {
  return { status: 'STOPPED', code, request: null };
}
