// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ApprovalWebhook } from '../mesh/oversight.ts';
import { WebhookApprover } from './approver-webhook.ts';

const notice = {
  waits: 'action', approval: '01K00000000000000000000000', action: 'pay_invoice', risk: 'HIGH', executor: 'payments',
  expiresAt: 1_800_000_000_000,
} as const;
const received: unknown[] = [];
let close = (): void => undefined;

async function receiver(status = 200): Promise<string> {
  received.length = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      received.push(JSON.parse(body));
      response.writeHead(status).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => void server.close();
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/hook`;
}

afterEach(() => close());

const hook = (url: string, kind: ApprovalWebhook['kind'] = 'slack'): ApprovalWebhook =>
  ({ name: 'team', url, urlFile: null, kind });

test('tells Slack where to look, and no value', async () => {
  const url = await receiver();
  await new WebhookApprover(() => [hook(url)], () => 'http://localhost:4848').waiting(notice);
  expect(received).toEqual([{
    text: 'HIGH action pay_invoice of payments waits for a person until 2027-01-15T08:00:00.000Z: ' +
      'http://localhost:4848/approvals/01K00000000000000000000000',
  }]);
});

test('tells others the notice, and nothing else', async () => {
  const url = await receiver();
  await new WebhookApprover(() => [hook(url, 'json')], () => null).waiting(notice);
  expect(received).toEqual([{ ...notice, link: null }]);
});

test('tells of a change of a workflow by its names and counts', async () => {
  const change = {
    waits: 'change', change: '01K00000000000000000000001', workflow: 'invoices', agent: 'planner', opens: 1, closes: 2,
    expiresAt: 1_800_000_000_000,
  } as const;
  const url = await receiver();
  const hooks = [hook(url), hook(url, 'json')];
  await new WebhookApprover(() => hooks, () => null).waiting(change);
  expect(received).toHaveLength(2);
  expect(received).toContainEqual({
    text: 'A change of workflow invoices by planner (opens 1, closes 2) waits for a person until ' +
      '2027-01-15T08:00:00.000Z: maso workflow show 01K00000000000000000000001',
  });
  expect(received).toContainEqual({ ...change, link: null });
});

test('rejects when one of them refuses, after the others were told', async () => {
  const url = await receiver(403);
  const approver = new WebhookApprover(() => [hook('http://127.0.0.1:1/'), hook(url)], () => null);
  await expect(approver.waiting(notice)).rejects.toThrow();
  expect(received).toHaveLength(1);
});

test('says whether anybody is told', () => {
  expect(new WebhookApprover(() => [], () => null).configured).toBe(false);
  expect(new WebhookApprover(() => [hook('http://127.0.0.1:1/')], () => null)).toMatchObject({
    configured: true, name: 'team',
  });
});
