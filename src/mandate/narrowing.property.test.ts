// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { appendBlock, mandateId } from './block.ts';
import { intersectConstraints } from './constraint.ts';
import { isHolder } from './link.ts';
import {
  contextFor,
  credentialOf,
  nhi,
  nowMs,
  spiffeIdOf,
  task,
  terms,
} from './mandate-fixture.ts';
import {
  rightKey,
  type Constraint,
  type EffectiveMandate,
  type Limits,
  type MandateBlock,
  type MandateTerms,
  type Right,
} from './mandate.ts';
import { intersectRequestRights, satisfies, satisfiesAll } from './satisfies.ts';
import type { MandatedRequest } from './satisfies.ts';
import { issueMandate, narrow, readUnverified, type Narrowing } from './narrow.ts';
import { verifyMandate } from './verify.ts';

const agents = ['triage', 'planner', 'payments', 'ledger', 'stranger'];
const values: readonly JsonValue[] = [0, 1, 2, 3, 'x', 'y', '2026-01-01', true, -1, ['x'], [1, 2]];
const trusted: { readonly [message: string]: JsonValue } = { 'm/1': 1, 'n/1': 'x' };
const shared = contextFor('triage').peerByThumbprint;

function optional<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  const nothing = fc.constant(undefined);
  return fc.oneof({ weight: 3, arbitrary: nothing }, { weight: 2, arbitrary: value });
}

function rarely<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });
}

function seldom<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return rarely(value).map((one) => one ?? undefined);
}

const constraintArbitrary: fc.Arbitrary<Constraint> = fc
  .record({
    absent: optional(fc.constant(true as const)),
    each: seldom(fc.constant(true as const)),
    oneOf: optional(fc.uniqueArray(fc.constantFrom(0, 1, 2, 'x', 'y', true), { minLength: 1 })),
    min: optional(fc.integer({ min: -1, max: 2 })),
    max: optional(fc.integer({ min: 0, max: 3 })),
    atMost: optional(fc.integer({ min: 0, max: 3 })),
    formats: seldom(fc.constant(['date'] as const)),
    equalTo: seldom(
      fc.constantFrom('m/1', 'n/1').map((message) => [{ message, pointer: '/value' }]),
    ),
  })
  .map((members) => without(members))
  .filter(({ min, max, ...rest }) =>
    (min !== undefined || max !== undefined || Object.keys(rest).length > 0) &&
    (min === undefined || max === undefined || min <= max));

const limitsArbitrary: fc.Arbitrary<Limits> = fc.record({
  count: fc.option(fc.integer({ min: 1, max: 3 })),
  totals: fc.option(fc.record({ a: fc.integer({ min: 0, max: 5 }) })).map((one) => one ?? {}),
  rates: fc.array(
    fc.record({ count: fc.integer({ min: 1, max: 3 }), windowMs: fc.constantFrom(100, 1_000) }),
    { maxLength: 1 },
  ),
});

const rightArbitrary: fc.Arbitrary<Right> = fc
  .record({
    perform: fc.boolean(),
    action: fc.constantFrom('pay', 'read'),
    executor: fc.constantFrom('payments', 'ledger'),
    constraints: fc
      .record({ a: optional(constraintArbitrary), b: optional(constraintArbitrary) })
      .map((members) => without(members)),
    limits: limitsArbitrary,
  })
  .map(({ perform, executor, ...scope }) =>
    perform ? { right: 'perform', ...scope } : { right: 'request', executor, ...scope });

const rightsArbitrary = fc.uniqueArray(rightArbitrary, {
  minLength: 1,
  maxLength: 4,
  selector: (right) => rightKey(right),
});

/** Changes a few members of rights that exist, so that narrowings are often close to legal. */
const mutationArbitrary = fc.record({
  drop: rarely(fc.nat(2)),
  parameter: fc.constantFrom('a', 'b'),
  constraint: fc.option(constraintArbitrary, { freq: 1 }),
  how: fc.constantFrom('intersect', 'merge', 'replace'),
  limits: rarely(limitsArbitrary),
});

const stepArbitrary = fc.record({
  held: fc.nat(7),
  byHolder: rarely(fc.constantFrom(...agents)),
  to: fc.constantFrom(...agents, 'desk'),
  rights: rarely(rightsArbitrary),
  mutation: mutationArbitrary,
  notBefore: rarely(fc.integer({ min: nowMs - 2_000, max: nowMs })),
  expiresAt: rarely(fc.integer({ min: nowMs + 1, max: nowMs + 700_000 })),
  maxDepth: rarely(fc.integer({ min: 1, max: 3 })),
  output: rarely(fc.constantFrom('report/1', 'report/2')),
  attacks: fc.boolean(),
  presenter: rarely(fc.constantFrom(...agents)),
});
type Step = typeof stepArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

const rootArbitrary: fc.Arbitrary<MandateTerms> = fc
  .record({ rights: rightsArbitrary, deep: fc.boolean(), to: fc.constantFrom(...agents) })
  .map(({ rights, deep, to }) => ({
    ...terms,
    audience: to,
    rights,
    maxDepth: deep ? 3 : 2,
    approval: deep ? 'approval-1' : null,
  }));

const requestArbitrary = fc.record({
  action: fc.constantFrom('pay', 'read'),
  executor: fc.constantFrom('payments', 'ledger', 'self'),
  a: optional(fc.constantFrom(...values)),
  b: optional(fc.constantFrom(...values)),
});

/** What the root says, read as plainly as can be: the law that the implementation is held to. */
function rootGrants(root: MandateTerms, request: MandatedRequest): boolean {
  const self = request.requester.name === request.executor;
  const right = root.rights.find((one) =>
    one.action === request.action &&
    (self
      ? one.right === 'perform'
      : one.right === 'request' && one.executor === request.executor));
  if (right === undefined) return false;
  return ['a', 'b'].every((name) => {
    const constraint = right.constraints[name];
    return constraint === undefined || allows(constraint, request.parameters[name]);
  });
}

function allows(constraint: Constraint, value: JsonValue | undefined): boolean {
  if (value === undefined) return constraint.absent === true;
  const items = constraint.each === true ? value : [value];
  if (!Array.isArray(items) || items.length === 0) return false;
  return items.every((item) => {
    const isNumber = typeof item === 'number';
    if (Array.isArray(item)) return false;
    if (constraint.oneOf !== undefined && !constraint.oneOf.includes(item)) return false;
    if (constraint.min !== undefined && !(isNumber && item >= constraint.min)) return false;
    if (constraint.max !== undefined && !(isNumber && item <= constraint.max)) return false;
    if (constraint.atMost !== undefined && !(isNumber && item >= 0 && item <= constraint.atMost)) {
      return false;
    }
    if (constraint.formats !== undefined && item !== '2026-01-01') return false;
    return (constraint.equalTo ?? []).every(({ message }) => trusted[message] === item);
  });
}

function requestOf(
  asked: typeof requestArbitrary extends fc.Arbitrary<infer Value> ? Value : never,
  holder: string,
): MandatedRequest {
  const { action, executor, ...parameters } = asked;
  return {
    requester: { name: holder, spiffeId: spiffeIdOf(holder) },
    executor: executor === 'self' ? holder : executor,
    action,
    parameters: without(parameters) as JsonObject,
    trustedField: ({ message }) => trusted[message],
    usage: { uses: () => 0, total: () => 0 },
    nowMs,
  };
}

function narrowingOf(step: Step, held: EffectiveMandate): Narrowing {
  const mutated = held.rights.flatMap((right, index) => {
    const { drop, parameter, limits } = step.mutation;
    if (drop === index) return [];
    const before = right.constraints[parameter];
    const stated = changed(before, step.mutation);
    const constraints = stated === undefined
      ? right.constraints
      : { ...right.constraints, [parameter]: stated };
    return [{ ...right, constraints, limits: limits ?? right.limits }];
  });
  return {
    audience: step.to,
    oispec: null,
    rights: step.rights ?? mutated,
    ...(step.notBefore === null ? {} : { notBefore: step.notBefore }),
    ...(step.expiresAt === null ? {} : { expiresAt: step.expiresAt }),
    ...(step.maxDepth === null ? {} : { maxDepth: step.maxDepth }),
    ...(step.output === null ? {} : { output: step.output }),
  };
}

function changed(
  before: Constraint | undefined,
  { constraint, how }: Step['mutation'],
): Constraint | undefined {
  if (constraint === null) return before;
  if (how === 'replace') return constraint;
  if (how === 'merge' || before === undefined) return { ...before, ...constraint };
  return intersectConstraints(before, constraint) ?? before;
}

/** What a compromised holder signs: its own terms, with no sidecar in the way. */
function attack(chain: string, by: string, narrowing: Narrowing, held: EffectiveMandate): string {
  const maxDepth = narrowing.maxDepth ?? held.maxDepth;
  const block: MandateBlock = {
    v: 1,
    issuer: spiffeIdOf(by),
    parent: mandateId(chain),
    task: held.task,
    sponsor: held.sponsor,
    rights: held.rights,
    notBefore: held.notBefore,
    expiresAt: held.expiresAt,
    output: held.output,
    ...narrowing,
    maxDepth,
    approval: maxDepth === 3 ? 'approval-1' : null,
  };
  return appendBlock(chain, block, nhi(by));
}

type Held = { readonly chain: string; readonly holder: string; readonly root: MandateTerms };

/** Plays the steps of one delegation graph; every chain that somebody gets verified is kept. */
function play(roots: readonly MandateTerms[], steps: readonly Step[]) {
  const pool: Held[] = roots.flatMap((root) => {
    const issued = issueMandate(root, nhi('desk'));
    return issued.ok ? [{ chain: issued.chain, holder: root.audience, root }] : [];
  });
  const verified: { readonly held: Held; readonly mandate: EffectiveMandate }[] = [];
  for (const step of steps) {
    const from = pool[step.held % Math.max(1, pool.length)];
    if (from === undefined) break;
    const parent = readUnverified(from.chain);
    if (!parent.ok) continue;
    const by = step.byHolder ?? from.holder;
    const narrowing = narrowingOf(step, parent.mandate);
    const chain = step.attacks
      ? attack(from.chain, by, narrowing, parent.mandate)
      : chainOf(narrow(from.chain, narrowing, credentialOf(by)));
    if (chain === null) continue;
    const holder = step.presenter ?? step.to;
    const verdict = verifyMandate(chain, { ...contextFor(holder), peerByThumbprint: shared });
    if (!verdict.ok) continue;
    const held = { chain, holder, root: from.root };
    pool.push(held);
    verified.push({ held, mandate: verdict.mandate });
  }
  return { pool, verified };
}

function chainOf(issued: ReturnType<typeof narrow>): string | null {
  return issued.ok ? issued.chain : null;
}

function without<Members extends object>(members: Members) {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [Key in keyof Members]?: Exclude<Members[Key], undefined> };
}

const graphs = [
  fc.array(rootArbitrary, { minLength: 1, maxLength: 2 }),
  fc.array(stepArbitrary, { minLength: 1, maxLength: 8 }),
  fc.array(requestArbitrary, { minLength: 12, maxLength: 12 }),
] as const;

describe('over random delegation graphs', () => {
  it('nobody obtains a right or a value that the root did not grant', () => {
    let granted = 0;
    fc.assert(
      fc.property(...graphs, (roots, steps, requests) => {
        for (const { held, mandate } of play(roots, steps).verified) {
          const { root, holder } = held;
          expect(mandate.depth).toBeLessThanOrEqual(root.maxDepth);
          expect(mandate.expiresAt).toBeLessThanOrEqual(root.expiresAt);
          expect(mandate.notBefore).toBeGreaterThanOrEqual(root.notBefore);
          expect(mandate.task).toBe(task);
          expect(new Set(mandate.path).size).toBe(mandate.path.length);
          expect(isHolder(mandate.audience, { name: holder, spiffeId: '' })).toBe(true);
          for (const asked of requests) {
            const request = requestOf(asked, holder);
            if (satisfies(mandate, request).length > 0) continue;
            granted += 1;
            expect(rootGrants(root, request)).toBe(true);
          }
        }
      }),
      { numRuns: 400 },
    );
    // The property would hold of a verifier that refuses everything.
    expect(granted).toBeGreaterThan(100);
  });

  it('a narrower mandate grants nothing that the one before it does not', () => {
    let narrowings = 0;
    fc.assert(
      fc.property(...graphs, (roots, steps, requests) => {
        for (const { held, mandate } of play(roots, steps).verified) {
          const before = readUnverified(held.chain.slice(0, held.chain.lastIndexOf('~')));
          if (!before.ok) throw new Error('the parent of a verified chain is unreadable');
          narrowings += 1;
          for (const asked of requests) {
            // Asked of the same holder, so that only the terms differ.
            const asHolder = { ...before.mandate, audience: mandate.audience };
            const request = requestOf(asked, held.holder);
            const wide = satisfies(asHolder, request).length === 0;
            if (satisfies(mandate, request).length === 0) expect(wide).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
    expect(narrowings).toBeGreaterThan(50);
  });

  it('what narrow computes is what the verifier computes, and it never signs a widening', () => {
    let signed = 0;
    fc.assert(
      fc.property(rootArbitrary, fc.array(stepArbitrary, { maxLength: 6 }), (root, steps) => {
        const issued = issueMandate(root, nhi('desk'));
        if (!issued.ok) throw new Error(issued.code);
        const pool = [{ chain: issued.chain, mandate: issued.mandate }];
        for (const step of steps) {
          const from = pool[step.held % pool.length] ?? pool[0];
          if (from === undefined) continue;
          const by = step.byHolder ?? from.mandate.audience;
          const narrowing = narrowingOf(step, from.mandate);
          const next = narrow(from.chain, narrowing, credentialOf(by));
          const context = { ...contextFor(step.to), peerByThumbprint: shared };
          if (!next.ok) {
            // What narrow refuses, the verifier refuses when it is signed anyway.
            const forced = attack(from.chain, by, narrowing, from.mandate);
            const verdict = verifyMandate(forced, context);
            expect(verdict.ok).toBe(false);
            continue;
          }
          signed += 1;
          expect(verifyMandate(next.chain, context)).toEqual({ ok: true, mandate: next.mandate });
          pool.push(next);
        }
      }),
      { numRuns: 200 },
    );
    expect(signed).toBeGreaterThan(50);
  });
});

describe('the intersection over principals', () => {
  it('grants a request only when each of them may make it', () => {
    let granted = 0;
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof({ weight: 9, arbitrary: rootArbitrary }, fc.constant(null)),
          { maxLength: 3 },
        ),
        fc.array(requestArbitrary, { minLength: 10, maxLength: 10 }),
        (roots, requests) => {
          const mandates = roots.map((root) => {
            if (root === null) return null;
            const issued = issueMandate(root, nhi('desk'));
            if (!issued.ok) throw new Error(issued.code);
            return issued.mandate;
          });
          const intersection = intersectRequestRights(mandates);
          for (const asked of requests) {
            if (asked.executor === 'self') continue;
            const request = requestOf(asked, 'stranger');
            const all = mandates.length > 0 && roots.every((root) =>
              root !== null && rootGrants(root, request));
            const may = satisfiesAll(intersection, request).length === 0;
            if (may) granted += 1;
            expect(may && !all).toBe(false);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(granted).toBeGreaterThan(10);
  });
});
