// SPDX-License-Identifier: Apache-2.0
// Verifying a mandate of three hops, on one core: `node bench/mandate.ts --json`.
// Options: --rounds N, --rights N of the root.
// `strangers`: the certificates of the chain were never seen. `cold`: they were, the chain was not.
// `cached`: the chain was verified before, under the same revocations and policy.
import { verify, type KeyObject } from 'node:crypto';
import { readTrustBundle, createPeerVerifier } from '../src/identity/peer.ts';
import { splitChain } from '../src/mandate/block.ts';
import {
  contextFor,
  credentialOf,
  nhi,
  nowMs,
  payInvoice,
  spiffeIdOf,
  terms,
  vectorKeys,
} from '../src/mandate/mandate-fixture.ts';
import type { EffectiveMandate, Right } from '../src/mandate/mandate.ts';
import { issueMandate, narrow } from '../src/mandate/narrow.ts';
import { satisfies } from '../src/mandate/satisfies.ts';
import { peersOf, verifyMandate, type MandateContext } from '../src/mandate/verify.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const rounds = numberOption('rounds', 2_000);
const rightsCount = numberOption('rights', 4);
/** The whole policy check may take 0.8 ms cold and 0.4 ms cached; this is one part of it. */
const targets = { coldP50Ms: 0.6, cachedP50Ms: 0.1 };

const chain = delegated();
const bundle = readTrustBundle(vectorKeys.bundlePem, vectorKeys.trustDomain);
const usual = contextFor('ledger');
const context: MandateContext = { ...usual, peerByThumbprint: peersOf(verifier()) };
const cached: MandateContext = { ...context, cache: new Map<string, EffectiveMandate>() };
const mandate = accepted(context);
const request = {
  requester: { name: 'ledger', spiffeId: spiffeIdOf('ledger') },
  executor: 'payments',
  action: payInvoice.action,
  parameters: { payee: 'ACME', amount: 100 },
  trustedField: () => undefined,
  usage: { uses: () => 0, total: () => 0 },
  nowMs,
};
if (satisfies(mandate, request).length > 0) throw new Error('the request is not granted');

const floor = measured(signaturesOnly());
const strangers = measured(() => accepted({ ...usual, peerByThumbprint: peersOf(verifier()) }));
const cold = measured(() => accepted(context));
const warm = measured(() => accepted(cached));
const asked = measured(() => satisfies(mandate, request));
print({
  bench: 'mandate',
  machine: machine(),
  chain: { hops: mandate.depth, characters: chain.length, rights: rightsCount },
  threeSignaturesMs: floor,
  strangersMs: strangers,
  coldMs: cold,
  cachedMs: warm,
  satisfiesMs: asked,
  coldToFloor: rounded(cold.p50 / floor.p50),
  targets,
  pass: { cold: cold.p50 <= targets.coldP50Ms, cached: warm.p50 <= targets.cachedP50Ms },
});

function delegated(): string {
  const rights: readonly Right[] = Array.from({ length: rightsCount }, (_, index) =>
    index === 0 ? payInvoice : { ...payInvoice, action: `action_${index}` });
  const root = issueMandate({ ...terms, rights, maxDepth: 3, approval: 'approval-1' }, nhi('desk'));
  if (!root.ok) throw new Error(root.code);
  const second = narrow(root.chain, { audience: 'planner', oispec: null }, credentialOf('triage'));
  if (!second.ok) throw new Error(second.code);
  const third = narrow(second.chain, { audience: 'ledger', oispec: null }, credentialOf('planner'));
  if (!third.ok) throw new Error(third.code);
  return third.chain;
}

function verifier() {
  return createPeerVerifier(bundle, { nowMs: () => nowMs });
}

function accepted(by: MandateContext): EffectiveMandate {
  const verdict = verifyMandate(chain, by);
  if (!verdict.ok) throw new Error(verdict.code);
  return verdict.mandate;
}

/** What no verifier can do without. */
function signaturesOnly(): () => void {
  const received = splitChain(chain);
  if (!received.ok) throw new Error(received.code);
  const parts = received.blocks.map(({ jws, signer }) => {
    if (signer.kind !== 'nhi') throw new Error('an operator signed the bench chain');
    const peer = context.peerByThumbprint(signer.thumbprint, signer.certificates);
    const key: KeyObject | undefined = peer?.publicKey;
    if (key === undefined) throw new Error('a signer of the bench chain is unknown');
    return { input: Buffer.from(jws.signingInput, 'latin1'), key, signature: jws.signature };
  });
  return () => parts.every(({ input, key, signature }) => verify(null, input, key, signature));
}

function measured(once: () => unknown) {
  for (let round = 0; round < 200; round += 1) once();
  const tookMs = Array.from({ length: rounds }, () => {
    const startedMs = performance.now();
    once();
    return performance.now() - startedMs;
  });
  return percentiles(tookMs);
}
