// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSidecar, partyOf, settled } from '../../test/sidecar-fixture/sidecar.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import { AgentSidecar } from './agent-sidecar.ts';

const triage = partyOf('triage');
let fake: FakeSidecar;
let sidecar: AgentSidecar;

beforeEach(async () => {
  fake = new FakeSidecar('payments');
  fake.knows(triage);
  sidecar = new AgentSidecar(fake.context);
  await sidecar.recover();
});

async function ask(request: Parameters<FakeSidecar['requestFrom']>[1]): Promise<void> {
  sidecar.deliver(fake.requestFrom(triage, request), null, () => undefined);
  await settled();
}

function outcomes(): readonly ActionOutcome[] {
  return fake.link.bodies().map((body) => body.payload as unknown as ActionOutcome);
}

describe('a cap', () => {
  test('keeps what was paid when its key comes again with another amount', async () => {
    await ask({ key: 'k', parameters: { amount: 5000 } });
    fake.ran = () => ({ status: 'REFUSED', code: 'TOOL_KEY_REUSED' });
    await ask({ key: 'k', parameters: { amount: 1 } });
    expect(outcomes().map((outcome) => outcome.status)).toEqual(['DONE', 'REFUSED']);
    expect(fake.store.reserved('pay_invoice', 'amount', 0)).toBe(5000);
  });

  test('is given back when the call certainly did nothing', async () => {
    fake.ran = () => ({ status: 'FAILED', code: 'TOOL_FAILED' });
    await ask({ key: 'k', parameters: { amount: 5000 } });
    expect(fake.store.reserved('pay_invoice', 'amount', 0)).toBe(0);
  });

  test('stands when nobody knows what the call did', async () => {
    fake.ran = () => ({ status: 'IN-DOUBT', code: 'TOOL_TIMEOUT' });
    await ask({ key: 'k', parameters: { amount: 5000 } });
    expect(fake.store.reserved('pay_invoice', 'amount', 0)).toBe(5000);
  });
});
