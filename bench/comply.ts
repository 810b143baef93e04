// SPDX-License-Identifier: Apache-2.0
// The policy compliance check of one action request, on one core: `npm run bench:comply -- --json`.
// Options: --rounds N, --profile PART (one part alone, for a profiler).
// `whole` is all of it: a mandate chain of three hops, OISpec, schema, sources, time boxes, Cedar with
// so many rules, and the sums of caps, bounds and mandates in SQLite. `cold`: the chain was not
// verified before; `cached`: it was, under the same revocations and policy. Not counted: parsing and
// compiling files, the way to the owner of the sums, and its disk.
import { base, input } from '../test/mesh-files/request.ts';
import { sampleMesh } from '../test/mesh-files/sample.ts';
import { SqliteLedgerStore } from '../src/adapters/bounds-store-sqlite.ts';
import { BatchedDatabase } from '../src/adapters/sqlite-batch.ts';
import { allot } from '../src/bounds/allot.ts';
import { askingOf } from '../src/bounds/bounds-of.ts';
import { amountMax } from '../src/bounds/charge.ts';
import { boundedMesh, payAsk, taskAt } from '../src/control/bounds-fixture.ts';
import { createPeerVerifier, readTrustBundle } from '../src/identity/peer.ts';
import {
  contextFor, credentialOf, nhi, nowMs, payInvoice, spiffeIdOf, terms, vectorKeys,
} from '../src/mandate/mandate-fixture.ts';
import type { EffectiveMandate, Right } from '../src/mandate/mandate.ts';
import { issueMandate, narrow } from '../src/mandate/narrow.ts';
import { chargesOf, satisfies } from '../src/mandate/satisfies.ts';
import { peersOf, verifyMandate, type MandateContext } from '../src/mandate/verify.ts';
import type { Mesh } from '../src/mesh/mesh.ts';
import { CedarPolicies } from '../src/policy/cedar.ts';
import { comply } from '../src/policy/comply.ts';
import { boundChargesOf } from '../src/sidecar/mandate-charges.ts';
import { machine, numberOption, percentiles, print, rounded, textOption } from './machine.ts';

const targets = { coldP50Ms: 0.8, cachedP50Ms: 0.4, thousandToHundred: 1.3 };
const rounds = numberOption('rounds', 3000);
const actions = ['pay_invoice', 'check_payment'];

const request = {
  requester: { name: 'ledger', spiffeId: spiffeIdOf('ledger') },
  executor: 'payments',
  action: payInvoice.action,
  parameters: { payee: 'ACME', amount: 100 },
  trustedField: () => undefined,
  usage: { uses: () => 0, total: () => 0 },
  nowMs,
};
const chain = delegated();
const bundle = readTrustBundle(vectorKeys.bundlePem, vectorKeys.trustDomain);
const verifier = createPeerVerifier(bundle, { nowMs: () => nowMs });
const cold: MandateContext = { ...contextFor('ledger'), peerByThumbprint: peersOf(verifier) };
const cached: MandateContext = { ...cold, cache: new Map<string, EffectiveMandate>() };

const rules = { 0: base, 100: withRules(100), 1000: withRules(1000) };
const loaded = {
  0: null,
  100: await CedarPolicies.load(rules[100]),
  1000: await CedarPolicies.load(rules[1000]),
};
const sums = owner();
const parts = {
  mandateCold: () => mandated(cold),
  mandateCached: () => mandated(cached),
  oispecAndRest: () => complied(0),
  cedar100: () => complied(100),
  cedar1000: () => complied(1000),
  sums,
  coldWith100: () => whole(cold, 100),
  cachedWith100: () => whole(cached, 100),
  coldWith1000: () => whole(cold, 1000),
  cachedWith1000: () => whole(cached, 1000),
};

/** Rounds that one part runs before the next has its turn. */
const roundsPerTurn = 100;
const only = textOption('profile');
if (only === null) report();
else measured(Object.entries(parts).filter(([name]) => name === only));

function report(): void {
  const figures = measured(Object.entries(parts));
  const p50 = (name: keyof typeof parts): number => figures[name]?.p50 ?? Number.NaN;
  const ratio = rounded(p50('cachedWith1000') / p50('cachedWith100'));
  const rulesAlone = rounded(p50('cedar1000') / p50('cedar100'));
  print({
    bench: 'comply',
    machine: machine(),
    ms: figures,
    thousandToHundred: ratio,
    thousandToHundredRulesAlone: rulesAlone,
    targets,
    pass: {
      cold: p50('coldWith100') <= targets.coldP50Ms,
      cached: p50('cachedWith100') <= targets.cachedP50Ms,
      scaling: ratio <= targets.thousandToHundred,
    },
  });
}

function whole(context: MandateContext, count: keyof typeof rules): void {
  mandated(context);
  complied(count);
  sums();
}

function complied(count: keyof typeof rules): void {
  const verdict = comply(input({ mesh: rules[count], cedar: loaded[count] }));
  if (verdict.outcome !== 'GO') throw new Error(verdict.findings.map(({ code }) => code).join());
}

function mandated(by: MandateContext): void {
  const verdict = verifyMandate(chain, by);
  if (!verdict.ok) throw new Error(verdict.code);
  if (satisfies(verdict.mandate, request).length > 0) throw new Error('the request is not granted');
}

/** The owner's decision on one payment of the least amount: nine sums, charged each time. */
function owner(): () => void {
  const database = new BatchedDatabase(':memory:');
  const store = new SqliteLedgerStore(database);
  const mesh = boundedMesh(sampleMesh());
  const verdict = verifyMandate(chain, cached);
  if (!verdict.ok) throw new Error(verdict.code);
  const charges = boundChargesOf(chargesOf(verdict.mandate, request), nowMs);
  const task = taskAt(nowMs);
  let asked = 0;
  return () => {
    asked += 1;
    // Over the hours of the windows, so that sums are over as many slices as they can be.
    const atMs = nowMs + asked * 60_000;
    const ask = payAsk(0.0001, { holder: `r${asked}`, task, charges });
    const derived = askingOf('payments', ask, ['desk'], mesh);
    if (derived === null) throw new Error('the sample has changed');
    // Limits that the bench does not reach; how high they are costs nothing.
    const charged = derived.charges.map((charge) => ({ ...charge, most: amountMax }));
    const asking = { ...derived, charges: charged };
    let granted = false;
    store.change((ledger) => {
      granted = allot(ledger, asking, atMs).outcome === 'granted';
    }).catch(() => undefined);
    database.flush();
    if (!granted) throw new Error('nothing was allotted');
  };
}

/** In turns, so that whatever else the machine does falls on all alike. */
function measured(measuring: readonly (readonly [string, () => void])[]) {
  const series = measuring.map(([name, once]) => ({ name, once, times: [] as number[], cpuUs: 0 }));
  for (const { once } of series) for (let round = 0; round < 500; round += 1) once();
  for (let round = 0; round < rounds; round += roundsPerTurn) {
    for (const one of series) {
      const before = process.cpuUsage();
      for (let turn = 0; turn < roundsPerTurn; turn += 1) one.times.push(timed(one.once));
      const { user, system } = process.cpuUsage(before);
      one.cpuUs += user + system;
    }
  }
  return Object.fromEntries(series.map(({ name, times, cpuUs }) =>
    [name, { ...percentiles(times), meanCpu: rounded(cpuUs / 1000 / times.length) }]));
}

function timed(once: () => void): number {
  const startedMs = performance.now();
  once();
  return performance.now() - startedMs;
}

/** Five rules are about the action asked for, whatever the count; the others about another. */
function withRules(count: number): Mesh {
  const mesh = sampleMesh();
  const policies = new Map(mesh.policies);
  for (let number = policies.size; number < count; number += 1) {
    const action = number % (count / 5) === 0 ? actions[0] : actions[1];
    policies.set(
      `rule-${number}`,
      `@id("rule-${number}") forbid(principal, action == Action::"${action}", resource) ` +
        `when { context.hop > ${10 + number} };`,
    );
  }
  return { ...mesh, policies };
}

/** Three hops after the originator, four rights. */
function delegated(): string {
  const rights: readonly Right[] = Array.from({ length: 4 }, (_, index) =>
    index === 0 ? payInvoice : { ...payInvoice, action: `action_${index}` });
  const root = issueMandate({ ...terms, rights, maxDepth: 3, approval: 'approval-1' }, nhi('desk'));
  if (!root.ok) throw new Error(root.code);
  const second = narrow(root.chain, { audience: 'planner', oispec: null }, credentialOf('triage'));
  if (!second.ok) throw new Error(second.code);
  const third = narrow(second.chain, { audience: 'ledger', oispec: null }, credentialOf('planner'));
  if (!third.ok) throw new Error(third.code);
  return third.chain;
}
