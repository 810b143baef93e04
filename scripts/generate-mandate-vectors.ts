// SPDX-License-Identifier: Apache-2.0
/**
 * Writes `test/vectors/mandate-*.json`. The keys in `mandate-keys.json` are made once and kept, and
 * Ed25519 is deterministic, so a second run writes the same vectors. Test-only keys: nothing may
 * ever trust them. The expected codes are written by hand, not asked of the verifier.
 *
 *     node scripts/generate-mandate-vectors.ts
 */
import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { signCompactJws } from '../src/identity/jws.ts';
import { canonicalize } from '../src/message/canonical-json.ts';
import type { JsonObject, JsonValue } from '../src/message/json.ts';
import { mandateId, type MandateSigner } from '../src/mandate/block.ts';
import { mandateCodes, type MandateCode } from '../src/mandate/codes.ts';
import { noLimits, type RequestRight } from '../src/mandate/mandate.ts';
import {
  deepRoot,
  digest,
  edited,
  flipped,
  hop,
  nhi,
  operator,
  otherTask,
  otherValue,
  pay,
  root,
  rooted,
  sign,
  task,
  vector,
  type Vector,
} from './mandate-vector-blocks.ts';
import {
  bundlePem,
  certificates,
  credential,
  folder,
  hourMs,
  keys,
  nowMs,
  trustDomain,
} from './mandate-vector-keys.ts';

const one = rooted();
const two = hop(one, 'triage', 'planner');
const deepOne = sign(null, deepRoot, nhi('desk'));
const deepTwo = hop(deepOne, 'triage', 'planner', {}, deepRoot);
const deepThree = hop(deepTwo, 'planner', 'ledger', {}, deepRoot);
const blockOf = (chain: string, index: number): string => chain.split('~')[index] ?? '';

const members = Object.keys(root).filter((member) => member !== 'v');
const everyFieldEdited: readonly Vector[] = [0, 1].flatMap((index) =>
  members.map((member) => vector(
    `block ${index}, ${member} edited`,
    'MANDATE_SIGNATURE_INVALID',
    edited(two, index, (block) => ({ ...block, [member]: otherValue(member, block[member]) })),
    { presenter: 'planner' },
  )));

type Path = readonly [constraint: string, member: string, value: JsonValue];
const deepEdits: readonly Path[] = [
  ['amount', 'atMost', 5_000],
  ['day', 'max', 29],
  ['day', 'min', 0],
  ['payee', 'oneOf', ['ACME', 'Globex', 'Mallory']],
  ['account', 'formats', ['email']],
  ['invoice', 'equalTo', [{ message: 'invoice/2', pointer: '/number' }]],
];

function withConstraint([parameter, member, value]: Path): JsonValue {
  const constraint = { ...pay.constraints[parameter], [member]: value };
  const constraints = { ...pay.constraints, [parameter]: constraint };
  return [root.rights[0] ?? pay, { ...pay, constraints }];
}

function withLimits(limits: Partial<RequestRight['limits']>): JsonValue {
  return [{ ...pay, limits: { ...pay.limits, ...limits } }];
}

const { payee: _payee, ...withoutPayee } = pay.constraints;
const rightEdits: readonly Vector[] = deepEdits.map((path) => vector(
  `a constraint edited: ${path[0]}.${path[1]}`,
  'MANDATE_SIGNATURE_INVALID',
  edited(two, 0, (block) => ({ ...block, rights: withConstraint(path) })),
  { presenter: 'planner' },
));

/** Signed by the very holder, whose sidecar refuses to: only the verifier stands in between. */
function widened(name: string, code: MandateCode, change: JsonObject): Vector {
  return vector(`widened, signed: ${name}`, code, hop(one, 'triage', 'planner', change), {
    presenter: 'planner',
  });
}

const widenings: readonly Vector[] = [
  ...deepEdits.map((path) => widened(`${path[0]}.${path[1]}`, 'MANDATE_WIDENS_CONSTRAINT', {
    rights: withConstraint(path),
  })),
  widened('a constraint dropped', 'MANDATE_WIDENS_CONSTRAINT', {
    rights: [{ ...pay, constraints: withoutPayee }],
  }),
  ...Object.entries(pay.constraints).flatMap(([parameter, constraint]) =>
    Object.keys(constraint).length < 2 ? [] : Object.keys(constraint).map((member) => {
      const { [member]: _dropped, ...rest } = constraint as JsonObject;
      const constraints = { ...pay.constraints, [parameter]: rest };
      return widened(`${parameter}.${member} dropped`, 'MANDATE_WIDENS_CONSTRAINT', {
        rights: [{ ...pay, constraints }],
      });
    })),
  widened('absence allowed', 'MANDATE_WIDENS_CONSTRAINT', {
    rights: withConstraint(['amount', 'absent', true]),
  }),
  widened('a list allowed', 'MANDATE_WIDENS_CONSTRAINT', {
    rights: withConstraint(['amount', 'each', true]),
  }),
  widened('a right to request', 'MANDATE_WIDENS_RIGHT', {
    rights: [{ ...pay, action: 'close_account' }],
  }),
  widened('another executor', 'MANDATE_WIDENS_RIGHT', { rights: [{ ...pay, executor: 'ledger' }] }),
  widened('request turned into perform', 'MANDATE_WIDENS_RIGHT', {
    rights: [{ right: 'perform', action: pay.action, constraints: {}, limits: noLimits }],
  }),
  widened('the count', 'MANDATE_WIDENS_LIMIT', { rights: withLimits({ count: 4 }) }),
  widened('no count', 'MANDATE_WIDENS_LIMIT', { rights: withLimits({ count: null }) }),
  widened('a total', 'MANDATE_WIDENS_LIMIT', { rights: withLimits({ totals: { amount: 901 } }) }),
  widened('no total', 'MANDATE_WIDENS_LIMIT', { rights: withLimits({ totals: {} }) }),
  widened('no rate', 'MANDATE_WIDENS_LIMIT', { rights: withLimits({ rates: [] }) }),
  widened('a shorter window', 'MANDATE_WIDENS_LIMIT', {
    rights: withLimits({ rates: [{ count: 2, windowMs: 59_999 }] }),
  }),
  widened('a higher rate', 'MANDATE_WIDENS_LIMIT', {
    rights: withLimits({ rates: [{ count: 3, windowMs: 60_000 }] }),
  }),
  widened('an earlier beginning', 'MANDATE_WIDENS_TIME', { notBefore: root.notBefore - 1 }),
  widened('a later end', 'MANDATE_WIDENS_TIME', { expiresAt: root.expiresAt + 1 }),
  widened('no output', 'MANDATE_WIDENS_OUTPUT', { output: null }),
  widened('another output', 'MANDATE_WIDENS_OUTPUT', { output: 'report/2' }),
  widened('the depth', 'MANDATE_WIDENS_DEPTH', { maxDepth: 3, approval: 'approval-1' }),
  widened('another task', 'MANDATE_TASK_CHANGED', { task: otherTask }),
  widened('another sponsor', 'MANDATE_SPONSOR_CHANGED', { sponsor: 'mallory@example.org' }),
];

const otherRoot = rooted({ rights: [], audience: 'triage' });
const wrongParents: readonly Vector[] = [
  vector('a swapped parent', 'MANDATE_PARENT_MISMATCH', `${otherRoot}~${blockOf(two, 1)}`, {
    presenter: 'planner',
  }),
  vector('a block without the first', 'MANDATE_PARENT_UNKNOWN', blockOf(two, 1), {
    presenter: 'planner',
  }),
  vector('blocks in reverse', 'MANDATE_PARENT_UNKNOWN', `${blockOf(two, 1)}~${one}`),
  vector(
    'the last two blocks reordered',
    'MANDATE_PARENT_MISMATCH',
    [blockOf(deepThree, 0), blockOf(deepThree, 2), blockOf(deepThree, 1)].join('~'),
    { presenter: 'planner' },
  ),
  vector(
    'the middle block removed',
    'MANDATE_PARENT_MISMATCH',
    [blockOf(deepThree, 0), blockOf(deepThree, 2)].join('~'),
    { presenter: 'ledger' },
  ),
  vector('the first block twice', 'MANDATE_PARENT_MISMATCH', `${one}~${one}`),
  vector('the parent left out, signed', 'MANDATE_PARENT_MISMATCH',
    hop(one, 'triage', 'planner', { parent: null }), { presenter: 'planner' }),
  vector('a first block with a parent, signed', 'MANDATE_PARENT_UNKNOWN',
    rooted({ parent: digest })),
  vector('narrowed by somebody who does not hold it', 'MANDATE_HOLDER_MISMATCH',
    hop(one, 'stranger', 'planner'), { presenter: 'planner' }),
  vector(
    'narrowed by another instance than the one it was given to',
    'MANDATE_HOLDER_MISMATCH',
    hop(rooted({ audience: credential('triageSecond').spiffeId }), 'triage', 'planner'),
    { presenter: 'planner' },
  ),
  vector('narrowed by a node of the holder\'s name', 'MANDATE_HOLDER_MISMATCH',
    hop(one, 'nodeTriage', 'planner'), { presenter: 'planner' }),
  vector('narrowed by an operator', 'MANDATE_HOLDER_MISMATCH', sign(one, {
    ...root, issuer: 'operator:alice', audience: 'planner', parent: mandateId(one),
  }, operator('alice')), { presenter: 'planner' }),
];

const wrongRoots: readonly Vector[] = [
  vector('a first block by an agent that may not originate', 'MANDATE_ROOT_UNTRUSTED',
    rooted({}, nhi('stranger'))),
  vector('a first block by the holder itself', 'MANDATE_ROOT_UNTRUSTED', rooted({}, nhi('triage'))),
  vector('a first block by an unknown operator', 'MANDATE_SIGNER_UNKNOWN',
    rooted({}, operator('mallory'))),
  vector('a first block in the name of an operator', 'MANDATE_SIGNATURE_INVALID',
    rooted({}, { ...operator('mallory'), name: 'alice' } as MandateSigner)),
  vector('a first block in the name of another agent', 'MANDATE_ISSUER_MISMATCH',
    rooted({ issuer: credential('triage').spiffeId })),
  vector('an agent in the name of an operator', 'MANDATE_ISSUER_MISMATCH',
    rooted({ issuer: 'operator:alice' })),
  vector('a certificate of another authority', 'MANDATE_SIGNER_UNKNOWN',
    rooted({}, nhi('deskImpostor'))),
  vector('a parent signed with an expired certificate', 'MANDATE_SIGNER_UNKNOWN',
    hop(one, 'triageExpired', 'planner'), { presenter: 'planner' }),
  vector('a mandate that outlives its signer', 'MANDATE_OUTLIVES_SIGNER',
    hop(one, 'triageShort', 'planner'), { presenter: 'planner' }),
];

const depthAndCycles: readonly Vector[] = [
  vector('a third hop without approval', 'MANDATE_DEPTH_EXCEEDED', hop(two, 'planner', 'ledger'), {
    presenter: 'ledger',
  }),
  vector('a third hop under an approval that nobody gave', 'MANDATE_DEPTH_UNAPPROVED',
    ['triage planner', 'planner ledger'].reduce((chain, pair) => {
      const [from = '', to = ''] = pair.split(' ');
      return hop(chain, from, to, {}, { ...deepRoot, approval: 'forged' });
    }, rooted({ maxDepth: 3, approval: 'forged' })), { presenter: 'ledger' }),
  vector('a fourth hop', 'MANDATE_DEPTH_EXCEEDED',
    hop(deepThree, 'ledger', 'stranger', {}, deepRoot), { presenter: 'stranger' }),
  vector('a depth of three without a reference', 'MANDATE_TERMS_INVALID', rooted({ maxDepth: 3 })),
  vector('a depth of four', 'MANDATE_TERMS_INVALID', rooted({ maxDepth: 4, approval: 'a' })),
  vector('a hop where the parent allows none', 'MANDATE_DEPTH_EXCEEDED',
    hop(rooted({ maxDepth: 1 }), 'triage', 'planner', { maxDepth: 1 }), { presenter: 'planner' }),
  vector('a cycle to the originator', 'MANDATE_CYCLE', hop(one, 'triage', 'desk'), {
    presenter: 'desk',
  }),
  vector('a cycle to the holder itself', 'MANDATE_CYCLE', hop(one, 'triage', 'triage')),
  vector('a cycle to another instance of the holder', 'MANDATE_CYCLE',
    hop(one, 'triage', credential('triageSecond').spiffeId), { presenter: 'triageSecond' }),
  vector('a cycle over two hops', 'MANDATE_CYCLE',
    hop(deepTwo, 'planner', 'triage', {}, deepRoot)),
  vector('an originator that delegates to itself', 'MANDATE_CYCLE', rooted({ audience: 'desk' }), {
    presenter: 'desk',
  }),
  vector('a delegator whose OISpec forbids it', 'MANDATE_DELEGATION_FORBIDDEN', two, {
    presenter: 'planner', hopsMax: { triage: 0 },
  }),
  vector('a delegator whose OISpec allows one hop', 'MANDATE_DELEGATION_FORBIDDEN', deepThree, {
    presenter: 'ledger', hopsMax: { triage: 1 },
  }),
  vector('a delegate whom nobody knows', 'MANDATE_DELEGATE_UNKNOWN', rooted({ audience: 'ghost' })),
  vector('a delegate with a newer OISpec', 'MANDATE_OISPEC_MISMATCH', one, {
    oispecs: { triage: digest },
  }),
  vector('an OISpec where the delegate has none', 'MANDATE_OISPEC_MISMATCH',
    rooted({ oispec: digest })),
];

const presented: readonly Vector[] = [
  vector('replay under another task', 'MANDATE_TASK_MISMATCH', one, { task: otherTask }),
  vector('presented by somebody else', 'MANDATE_AUDIENCE_MISMATCH', one, { presenter: 'stranger' }),
  vector('a truncated chain, presented by the last holder', 'MANDATE_AUDIENCE_MISMATCH', one, {
    presenter: 'planner',
  }),
  vector('given to one instance, presented by another', 'MANDATE_AUDIENCE_MISMATCH',
    rooted({ audience: credential('triageSecond').spiffeId })),
  vector('the whole chain, presented by an earlier holder', 'MANDATE_AUDIENCE_MISMATCH', two),
  vector('at the very end of its time', 'MANDATE_EXPIRED', one, { nowMs: root.expiresAt }),
  vector('an expired parent', 'MANDATE_EXPIRED',
    hop(rooted({ expiresAt: nowMs - 1 }), 'triage', 'planner', { expiresAt: nowMs - 1 }),
    { presenter: 'planner' }),
  vector('an expired parent of a child that is not', 'MANDATE_WIDENS_TIME',
    hop(rooted({ expiresAt: nowMs - 1 }), 'triage', 'planner'), { presenter: 'planner' }),
  vector('just before its time', 'MANDATE_NOT_YET_VALID', one, { nowMs: root.notBefore - 1 }),
  vector('a clock that is no number of a time', 'MANDATE_CLOCK_INVALID', one, { nowMs: -1 }),
  vector('a revoked mandate', 'MANDATE_REVOKED', one, { revokedMandates: [mandateId(one)] }),
  vector('narrowed from a revoked mandate', 'MANDATE_REVOKED', two, {
    presenter: 'planner', revokedMandates: [mandateId(one)],
  }),
  vector('a revoked originator', 'MANDATE_SIGNER_REVOKED', one, { revokedAgents: ['desk'] }),
  vector('a revoked delegator', 'MANDATE_SIGNER_REVOKED', two, {
    presenter: 'planner', revokedAgents: ['triage'],
  }),
  vector('a revoked holder', 'MANDATE_HOLDER_REVOKED', one, { revokedAgents: ['triage'] }),
  vector('a task that has ended', 'MANDATE_TASK_ENDED', one, { endedTasks: [task] }),
  vector('a stale snapshot', 'MANDATE_SNAPSHOT_STALE', one, { snapshotValidUntilMs: nowMs }),
];

/** Signs a payload as it stands, under the header of the first block. */
function raw(payload: string, header = blockOf(one, 0).split('.')[0] ?? ''): string {
  return signCompactJws(header, payload, credential('desk').privateKey);
}

function headed(change: (header: string) => string): string {
  const [part = ''] = one.split('.');
  const header = change(Buffer.from(part, 'base64url').toString('latin1'));
  return raw(canonicalize(root), Buffer.from(header, 'latin1').toString('base64url'));
}

const text = canonicalize(root);
const [head = '', load = '', tail = ''] = one.split('.');
const malformed: readonly Vector[] = [
  ...[
    ['an empty text', ''],
    ['a chain cut off', two.slice(0, -10)],
    ['a separator at the end', `${one}~`],
    ['a separator at the beginning', `~${one}`],
    ['an unsigned block', `${head}.${load}.`],
    ['padding', `${one}==`],
    ['white space', `${one}\n`],
    ['a JSON-serialised JWS', JSON.stringify({ protected: head, payload: load, signature: tail })],
  ].map(([name = '', chain = '']) => vector(name, 'MANDATE_MALFORMED', chain)),
  vector('a signature with a flipped bit', 'MANDATE_SIGNATURE_INVALID',
    `${head}.${load}.${flipped(tail)}`),
  vector('a payload with a flipped bit', 'MANDATE_SIGNATURE_INVALID',
    `${head}.${flipped(load)}.${tail}`),
  vector('more blocks than any depth', 'MANDATE_DEPTH_EXCEEDED', Array(9).fill(one).join('~')),
  vector('a chain of megabytes', 'MANDATE_TOO_LARGE', one + 'A'.repeat(20_000)),
  vector('a block that is too large', 'MANDATE_TOO_LARGE', raw(' '.repeat(8_193))),
  ...[
    ['algorithm none', headed((header) => header.replace('EdDSA', 'none '))],
    ['algorithm HS256', headed((header) => header.replace('EdDSA', 'HS256'))],
    ['the type of an envelope', headed((header) => header.replace('mandate', 'envelope'))],
    ['an embedded key', headed((header) => header.replace('{', '{"jwk":{},'))],
    ['a critical extension', headed((header) => header.replace('{', '{"crit":["exp"],'))],
    ['five certificates', headed((header) => header.replace('"],', `${'","AAAA'.repeat(4)}"],`))],
    ['a second certificate that is nothing', headed((header) => header.replace('"],', '",""],'))],
    ['white space in the second certificate', headed((header) => header.replace('"],', '","AA AA"],'))],
    ['white space in the certificate', headed((header) => header.replace('["M', '[" M'))],
    ['no certificate', headed((header) => header.replace(/"x5c":\["[^"]+"\],/, ''))],
    ['a certificate of another thumbprint', headed((header) => {
      const other = credential('triage').thumbprint;
      return header.replace(credential('desk').thumbprint, other);
    })],
  ].map(([name = '', chain = '']) => vector(`header: ${name}`, 'MANDATE_HEADER_REFUSED', chain)),
  vector('header: a second certificate that is none', 'MANDATE_SIGNER_UNKNOWN',
    headed((header) => header.replace('"],', '","AAAA"],'))),
  ...[
    ['not JSON', '{'],
    ['white space', text.replace(':', ': ')],
    ['a duplicate member', text.replace('"v":1', '"v":1,"v":1')],
    ['an unknown member', canonicalize({ ...root, zzz: 1 })],
    ['another version', canonicalize({ ...root, v: 2 })],
    ['no rights', canonicalize({ ...root, rights: null })],
    ['one right twice', canonicalize({ ...root, rights: [pay, pay] })],
    ['rights out of order', canonicalize({ ...root, rights: root.rights.toReversed() })],
    ['values out of order', canonicalize({
      ...root, rights: [{ ...pay, constraints: { payee: { oneOf: ['b', 'a'] } } }],
    })],
    ['no values', canonicalize({
      ...root, rights: [{ ...pay, constraints: { payee: { oneOf: [] } } }],
    })],
    ['an unknown constraint', canonicalize({
      ...root, rights: [{ ...pay, constraints: { payee: { anyOf: ['a'] } } }],
    })],
    ['a constraint that says nothing', canonicalize({
      ...root, rights: [{ ...pay, constraints: { payee: {} } }],
    })],
    ['a range upside down', canonicalize({
      ...root, rights: [{ ...pay, constraints: { day: { max: 1, min: 2 } } }],
    })],
    ['a bound that is text', canonicalize({
      ...root, rights: [{ ...pay, constraints: { day: { max: '1' } } }],
    })],
    ['a time box upside down', canonicalize({ ...root, expiresAt: root.notBefore })],
  ].map(([name = '', payload = '']) =>
    vector(`terms: ${name}, signed`, 'MANDATE_TERMS_INVALID', raw(payload))),
];

const mustFail = [
  ...malformed, ...everyFieldEdited, ...rightEdits, ...widenings, ...wrongParents, ...wrongRoots,
  ...depthAndCycles, ...presented,
];

const byOperator = rooted({}, operator('alice'));
const byNode = rooted({}, nhi('node'));
const toInstance = rooted({ audience: credential('triageSecond').spiffeId });
const narrowed = hop(one, 'triage', 'planner', {
  rights: [{ ...pay, constraints: { ...pay.constraints, payee: { oneOf: ['ACME'] } } }],
  expiresAt: nowMs + 60_000,
});
const valid = [
  { name: 'one block by an originator', chain: one, context: {} },
  { name: 'one block by an operator', chain: byOperator, context: {} },
  { name: 'one block by a node', chain: byNode, context: {} },
  { name: 'one block to one instance', chain: toInstance, context: { presenter: 'triageSecond' } },
  { name: 'two blocks, nothing narrowed', chain: two, context: { presenter: 'planner' } },
  { name: 'two blocks, narrowed', chain: narrowed, context: { presenter: 'planner' } },
  { name: 'three blocks, approved', chain: deepThree, context: { presenter: 'ledger' } },
  { name: 'the last millisecond', chain: one, context: { nowMs: root.expiresAt - 1 } },
].map((one) => ({ ...one, id: mandateId(one.chain), blocks: one.chain.split('~').map(termsOf) }));

function termsOf(block: string): JsonValue {
  return JSON.parse(Buffer.from(block.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

const unknown = mustFail.filter(({ code }) => !(code in mandateCodes));
if (unknown.length > 0) throw new Error(`unknown code: ${unknown[0]?.code}`);
const source = 'scripts/generate-mandate-vectors.ts';
const certificateKeys = {
  nodeTriage: 'node', triageSecond: 'second', triageExpired: 'triage', triageShort: 'triage', deskImpostor: 'desk',
};
const note = 'Test-only keys and certificates, published on purpose. Nothing may ever trust them.';
write('mandate-keys.json', {
  note, source, nowMs, trustDomain, task, bundlePem, keys, certificates, certificateKeys,
  rootAuthority: { agents: ['desk'], nodes: ['bus-1'], operators: ['alice'] },
  approvals: [{ reference: 'approval-1', task }],
  snapshotValidUntilMs: nowMs + hourMs,
});
write('mandate-must-fail.json', { source, vectors: mustFail });
write('mandate-valid.json', { source, vectors: valid });

function write(name: string, content: unknown): void {
  writeFileSync(new URL(name, folder), `${JSON.stringify(content, null, 1)}\n`);
  process.stdout.write(`wrote test/vectors/${name}\n`);
}
