// SPDX-License-Identifier: Apache-2.0
import { joinMesh, type MeshAgent, type Message } from '../../../src/sdk/join-mesh.ts';
import type { ActionResult } from '../../../src/sdk/join-mesh.ts';
import { SidecarRefused } from '../../../src/sdk/sidecar-http.ts';
import { payloadOf, type Details, type Forward, type Payloads } from './messages.ts';

type Order = Payloads['invoice-order/1'];
type Result = Payloads['order-result/1'];

/**
 * Has an order carried out: the mail read, the invoice checked, the payment requested. It has no
 * tool of its own. Where a report contains an order, it follows that one instead of its person's.
 */
async function main(): Promise<void> {
  const agent = await joinMesh();
  const done = new AbortController();
  const inbox = agent.messages(done.signal);
  for await (const message of inbox) {
    const order = payloadOf(message, 'invoice-order/1');
    if (order === null) continue;
    const payload = await carryOut(agent, inbox, message, order);
    const { id: inReplyTo } = message;
    await agent.send({ to: 'desk', type: 'data', schema: 'order-result/1', payload, inReplyTo });
    done.abort();
  }
  agent.close();
}

async function carryOut(
  agent: MeshAgent,
  inbox: AsyncGenerator<Message>,
  { task, id }: Message,
  order: Order,
): Promise<Result> {
  const { mail } = order;
  const asked = { type: 'instruction', task, inReplyTo: id } as const;
  await agent.send({ ...asked, to: 'triage', schema: 'read-mail/1', payload: { mail } });
  const { payload: report, id: reportId } = await next(inbox, task, 'mail-report/1');
  if (report.forward !== null) return forward(agent, report.forward, order, task);
  if (!report.read || (report.details ?? report.attachment) === null) {
    const [told] = report.instructions;
    return told === undefined ? nothing : pay(agent, report.instructions, task, [reportId]);
  }
  const payload = { mail, attachment: report.attachment };
  await agent.send({ ...asked, to: 'researcher', schema: 'check-invoice/1', payload });
  const finding = await next(inbox, task, 'invoice-finding/1');
  const instructions = [...report.instructions, ...finding.payload.instructions];
  const wanted = { ...(report.details ?? finding.payload.details), ...order };
  const payments = instructions.length > 0 ? instructions : [wanted];
  return pay(agent, payments, task, [reportId, finding.id]);
}

const nothing: Result = { status: 'NOT-PAID', code: null, request: null };

/** Requests each payment; the result of the last one is told. */
async function pay(
  agent: MeshAgent,
  payments: readonly Partial<Details>[],
  task: string,
  evidence: readonly string[],
): Promise<Result> {
  let result = nothing;
  for (const [index, { invoice, payee, amount }] of payments.entries()) {
    const idempotencyKey = `${task}-${index}`;
    const parameters = { invoice, payee, amount };
    const options = { task, idempotencyKey, evidence, waitMs: 30_000 };
    result = told(await agent.request('payments', 'pay_invoice', parameters, options));
  }
  return result;
}

/** Passes prose on to the executor, in the way that the mail asked for. */
async function forward(
  agent: MeshAgent,
  { how, text }: Forward,
  order: Order,
  task: string,
): Promise<Result> {
  const { invoice = '1', amount = 1 } = order;
  if (how === 'payee') return pay(agent, [{ invoice, payee: text, amount }], task, []);
  const [schema, payload] =
    how === 'message' ? ['forwarded-text/1', { text }] : ['action-request/1', text];
  const sent = await agent.send({ to: 'payments', type: 'instruction', schema, payload, task });
  return { status: 'NOT-PAID', code: sent.code, request: sent.messageId };
}

function told({ status, code, messageId }: ActionResult): Result {
  const waits = status === null && code === 'HELD';
  const ended = status === 'DONE' ? 'PAID' : waits ? 'HELD' : 'NOT-PAID';
  return { status: ended, code, request: messageId };
}

/** The next message of this task with that schema; others are read and forgotten. */
async function next<Schema extends keyof Payloads>(
  inbox: AsyncGenerator<Message>,
  task: string,
  schema: Schema,
): Promise<{ readonly id: string; readonly payload: Payloads[Schema] }> {
  for (;;) {
    const { value, done } = await inbox.next();
    if (done === true) throw new Error('The session ended.');
    const payload = value.task === task ? payloadOf(value, schema) : null;
    if (payload !== null) return { id: value.id, payload };
  }
}

try {
  await main();
} catch (failure) {
  // Thrown out: the sidecar ended the session, and only a new process gets another one.
  if (!(failure instanceof SidecarRefused)) throw failure;
  process.exitCode = 1;
}
