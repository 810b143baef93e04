// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { credentialOf, task, terms } from '../mandate/mandate-fixture.ts';
import { noLimits, type FieldReference } from '../mandate/mandate.ts';
import { issueMandate } from '../mandate/narrow.ts';
import type { EnvelopeBody, Label, Outgoing } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { namedFieldOf, withNamedFields } from './named-fields.ts';
import type { HeldMandate, InboxMessage } from './ports.ts';

const order: FieldReference = { message: 'order/1', pointer: '/payee' };
const trusted: Label = { classification: 'internal', integrity: 'trusted', origins: ['prompt'] };

function held(...references: readonly FieldReference[]): HeldMandate {
  const constraints = { payee: { equalTo: references } };
  const rights = [{ right: 'request', executor: 'payments', action: 'pay', constraints, limits: noLimits }] as const;
  const issued = issueMandate({ ...terms, rights: [...rights] }, { kind: 'nhi', credential: credentialOf('desk') });
  if (!issued.ok) throw new Error(issued.code);
  return { task, principal: 'desk', isOwn: true, chain: issued.chain };
}

function message(id: string, payload: JsonValue, label: Label = trusted, schema = 'order/1'): InboxMessage {
  const body = { id, schema, label, payload, task } as EnvelopeBody;
  return { body, state: 'done', entries: [], incarnation: null, reply: null };
}

function asking(parameters: { readonly [name: string]: JsonValue }): Outgoing {
  const payload = { action: 'pay', parameters, idempotencyKey: 'k', evidence: [] };
  return { type: 'instruction', to: 'payments', schema: 'action-request/1', payload } as unknown as Outgoing;
}

function stamped(
  parameters: { readonly [name: string]: JsonValue },
  messages: readonly InboxMessage[],
  mandates: readonly HeldMandate[] = [held(order)],
) {
  const inputs = messages.map(({ body }) => body.id);
  const store = { message: (id: string) => messages.find(({ body }) => body.id === id) ?? null };
  return withNamedFields({}, asking(parameters), { mandates, inputs }, store);
}

describe('a field of a trusted message that a mandate names', () => {
  it('is found nowhere but in a trusted message of that name that has it', () => {
    const planted: Label = { ...trusted, integrity: 'internal' };
    const parameters = { payee: 'ACME' };
    expect(stamped(parameters, [])).toEqual({});
    expect(stamped(parameters, [message('m1', { payee: 'ACME' }, planted)])).toEqual({});
    expect(stamped(parameters, [message('m1', { payee: 'ACME' }, trusted, 'note/1')])).toEqual({});
    expect(stamped(parameters, [message('m1', { other: 'ACME' })])).toEqual({});
    expect(stamped(parameters, [message('m1', { payee: 'Globex' })])).toEqual({});
    expect(stamped(parameters, [message('m1', { payee: 'ACME' })], [])).toEqual({});
    expect(stamped({ constructor: 'x' }, [message('m1', {})], [held({ message: 'order/1', pointer: '/constructor' })])).toEqual({});
  });

  it('is that of the newest trusted message, and no untrusted one takes its place', () => {
    const untrusted: Label = { ...trusted, integrity: 'untrusted' };
    const messages = [
      message('m1', { payee: 'ACME' }), message('m2', { payee: 'Globex' }), message('m3', { payee: 'EVIL' }, untrusted),
    ];
    expect(stamped({ payee: 'ACME' }, messages)).toEqual({});
    expect(stamped({ payee: 'EVIL' }, messages)).toEqual({});
    expect(stamped({ payee: 'Globex' }, messages)).toEqual({ '/parameters/payee': ['field:order/1:/payee'] });
  });

  it('is read back by the executor as the value that stands there, and as nothing without the word of the sidecar', () => {
    const sources = stamped({ payee: 'ACME', others: ['ACME', 'Globex'] }, [message('m1', { payee: 'ACME' })]);
    expect(Object.keys(sources)).toEqual(['/parameters/payee', '/parameters/others/0']);
    const payload = { parameters: { payee: 'ACME', others: ['ACME', 'Globex'] } };
    const body = { sources, payload } as unknown as EnvelopeBody;
    expect(namedFieldOf(body)(order)).toBe('ACME');
    expect(namedFieldOf(body)({ ...order, pointer: '/amount' })).toBeUndefined();
    expect(namedFieldOf({ ...body, sources: { '/parameters/payee': ['prompt'] } })(order)).toBeUndefined();
    const elsewhere = { '/evidence/0': ['field:order/1:/payee'] };
    expect(namedFieldOf({ ...body, sources: elsewhere })(order)).toBeUndefined();
  });

  it('may be named by the id of its message', () => {
    const id = '01K74F0Z00ABCDEFGHJKMNPQRS';
    const own = [held({ message: id, pointer: '/payee' })];
    expect(stamped({ payee: 'ACME' }, [message(id, { payee: 'ACME' }), message('m2', { payee: 'B' })], own))
      .toEqual({ '/parameters/payee': [`field:${id}:/payee`] });
  });
});
