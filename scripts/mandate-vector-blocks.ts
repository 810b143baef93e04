// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createPrivateKey } from 'node:crypto';
import { canonicalize } from '../src/message/canonical-json.ts';
import type { JsonObject, JsonValue } from '../src/message/json.ts';
import { appendBlock, issuerOf, mandateId, type MandateSigner } from '../src/mandate/block.ts';
import type { MandateCode } from '../src/mandate/codes.ts';
import { noLimits, type MandateBlock, type RequestRight } from '../src/mandate/mandate.ts';
import { credential, jwkOf, nowMs } from './mandate-vector-keys.ts';

/** Blocks of the mandate vectors, and what an attacker can make of them. */
/** What differs from the usual context of the vectors; the test knows how to apply it. */
export type Setting = {
  readonly task?: string;
  /** Name of the certificate whose owner presents the mandate. */
  readonly presenter?: string;
  readonly nowMs?: number;
  readonly revokedMandates?: readonly string[];
  readonly revokedAgents?: readonly string[];
  readonly endedTasks?: readonly string[];
  readonly snapshotValidUntilMs?: number;
  readonly oispecs?: { readonly [agent: string]: string };
  readonly hopsMax?: { readonly [agent: string]: number };
};
export type Vector = {
  readonly name: string;
  readonly code: MandateCode;
  readonly chain: string;
  readonly context: Setting;
};

export const task = '01K74F0Z00ZZZZZZZZZZZZZZZZ';
export const otherTask = '01K74F0Z00YYYYYYYYYYYYYYYY';
export const digest = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

export const pay: RequestRight = {
  right: 'request',
  executor: 'payments',
  action: 'pay_invoice',
  constraints: {
    account: { formats: ['uuid'] },
    amount: { atMost: 500 },
    day: { max: 28, min: 1 },
    invoice: { equalTo: [{ message: 'invoice/1', pointer: '/number' }] },
    payee: { oneOf: ['ACME', 'Globex'] },
  },
  limits: { count: 3, rates: [{ count: 2, windowMs: 60_000 }], totals: { amount: 900 } },
};
export const root: MandateBlock = {
  v: 1,
  issuer: credential('desk').spiffeId,
  parent: null,
  audience: 'triage',
  task,
  sponsor: 'alice@example.org',
  rights: [{ right: 'perform', action: 'sort_mail', constraints: {}, limits: noLimits }, pay],
  notBefore: nowMs - 1_000,
  expiresAt: nowMs + 600_000,
  output: 'report/1',
  maxDepth: 2,
  approval: null,
  oispec: null,
};
export const deepRoot: MandateBlock = { ...root, maxDepth: 3, approval: 'approval-1' };

export function nhi(name: string): MandateSigner {
  return { kind: 'nhi', credential: credential(name) };
}

export function operator(name: string): MandateSigner {
  const privateKey = createPrivateKey({ key: { ...jwkOf(name) }, format: 'jwk' });
  return { kind: 'operator', name, privateKey };
}

/** Signs whatever it is given: what an attacker who owns the signer can do. */
export function sign(
  chain: string | null,
  block: JsonObject | MandateBlock,
  signer: MandateSigner,
): string {
  return appendBlock(chain, block as MandateBlock, signer);
}

export function rooted(change: JsonObject = {}, signer: MandateSigner = nhi('desk')): string {
  return sign(null, { ...root, issuer: issuerOf(signer), ...change }, signer);
}

/** Appends a block that narrows nothing but for `change`. */
export function hop(
  chain: string,
  from: string,
  to: string,
  change: JsonObject = {},
  base = root,
): string {
  const issuer = credential(from).spiffeId;
  const block = { ...base, issuer, audience: to, parent: mandateId(chain), ...change };
  return sign(chain, block, nhi(from));
}

/** Exchanges the payload of one block and keeps its signature. */
export function edited(
  chain: string,
  index: number,
  change: (block: JsonObject) => JsonObject,
): string {
  const blocks = chain.split('~');
  const [header = '', payload = '', signature = ''] = (blocks[index] ?? '').split('.');
  const block: JsonObject = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  const text = Buffer.from(canonicalize(change(block))).toString('base64url');
  blocks[index] = `${header}.${text}.${signature}`;
  return blocks.join('~');
}

export function flipped(text: string): string {
  return text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`;
}

export function vector(
  name: string,
  code: MandateCode,
  chain: string,
  context: Setting = {},
): Vector {
  return { name, code, chain, context };
}

/** A value of the same form, so that nothing but the signature can tell. */
export function otherValue(member: string, value: JsonValue | undefined): JsonValue {
  if (member === 'parent') return value === null ? digest : null;
  if (member === 'approval') return value === null ? 'approval-1' : null;
  if (member === 'oispec') return digest;
  if (member === 'task') return otherTask;
  if (member === 'maxDepth') return value === 2 ? 1 : 2;
  if (member === 'issuer') return credential('stranger').spiffeId;
  if (member === 'audience') return 'stranger';
  if (member === 'rights') return [];
  if (typeof value === 'number') return value + 1;
  return 'mallory';
}
