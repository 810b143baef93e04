// SPDX-License-Identifier: Apache-2.0
// A hop in a RETRIEVAL domain next to the same hop in a PLAINTEXT one, in one run: three processes, real
// TLS, durable record; this process is the load. `npm run bench:tiers -- --json`.
//
// Samples are pairs: one message of either tier right after the other, the first of them in turn, so that
// whatever else the machine does meets both alike. What RETRIEVAL takes more is the difference of the two
// 99th percentiles (and of the two medians) over all samples of one run; none is left out. A 99th
// percentile rests on one sample of a hundred, so the interval that 95 of 100 such runs would give is printed beside
// it: a bootstrap over blocks of pairs in a row, since stalls hit several. Cached: the data key was made, wrapped, released
// and opened within the lease. Fresh: all of that is done for this message; it is the first one of its
// domain for longer than a lease. Domains take turns for that, so that a sample does not cost a lease.
//
// Options: --messages N pairs with a cached key of each size, --fresh N pairs with a fresh one,
// --profile DIR. The defaults take about seven minutes: of 64 KB a
// 99th percentile is garbage collection of three processes, and takes many samples to be known.
import { setTimeout as delay } from 'node:timers/promises';
import { leaseMsDefault } from '../src/identity/lease.ts';
import type { MeshAgent } from '../src/sdk/join-mesh.ts';
import { machine, numberOption, percentiles, print, rounded, textOption } from './machine.ts';
import { startBenchMesh } from './mesh.ts';

const messages = numberOption('messages', 12_000);
const freshMessages = numberOption('fresh', 1024);
const warmUpMessages = 300;
const targets = { cachedExtraP99Ms: 2, freshExtraP99Ms: 8 };
const blockPairs = 20;
const resamples = 1000;
const plaintextDomain = 'work';
const cachedDomain = 'sealed';
const freshDomains = Array.from({ length: 64 }, (_, at) => `sealed-${at}`);
/** Each of the fresh domains comes again after more than a lease. */
const freshEveryMs = (leaseMsDefault + 250) / freshDomains.length;
const line = 'The quarterly figures are in; the summary for the board follows below. ';
/** Texts of the payload; the envelope around it is about 0.7 KB. */
const sizes = { '1KB': line.repeat(14).slice(0, 1024), '64KB': line.repeat(924).slice(0, 65_536) };

type Size = keyof typeof sizes;
type Pair = { readonly plaintextMs: number; readonly retrievalMs: number };

const mesh = await startBenchMesh(textOption('profile'), 'none', false, [cachedDomain, ...freshDomains]);
const sender = await mesh.join('a');
const recipient = await mesh.join('b');
const arrivals = new Map<number, (atMs: number) => void>();
const stop = new AbortController();
const receiving = receive(recipient);
let next = 0;
let pairsSoFar = 0;

for (const size of ['1KB', '64KB'] as const) {
  for (let at = 0; at < warmUpMessages; at += 1) await pair(cachedDomain, size);
}
const cached = { '1KB': await cachedPairs('1KB'), '64KB': await cachedPairs('64KB') };
const fresh = { '1KB': await freshPairs('1KB'), '64KB': await freshPairs('64KB') };
stop.abort();
await receiving;
sender.close();
recipient.close();
await mesh.stop();
report();

async function hop(domain: string, size: Size): Promise<number> {
  const number = next++;
  const arrived = new Promise<number>((resolve) => arrivals.set(number, resolve));
  const sentMs = performance.now();
  const payload = { number, text: sizes[size] };
  const sent = await sender.send({ to: 'b', type: 'data', schema: 'note/1', domain, payload });
  if (sent.verdict !== 'GO') throw new Error(`A message was refused: ${sent.code ?? ''}`);
  return (await arrived) - sentMs;
}

async function receive(agent: MeshAgent): Promise<void> {
  try {
    for await (const message of agent.messages(stop.signal)) {
      const { number } = message.payload as { readonly number: number };
      arrivals.get(number)?.(performance.now());
      arrivals.delete(number);
    }
  } catch (failure) {
    if (!stop.signal.aborted) throw failure;
  }
}

async function pair(domain: string, size: Size): Promise<Pair> {
  pairsSoFar += 1;
  if (pairsSoFar % 2 === 0) {
    const plaintextMs = await hop(plaintextDomain, size);
    return { plaintextMs, retrievalMs: await hop(domain, size) };
  }
  const retrievalMs = await hop(domain, size);
  return { plaintextMs: await hop(plaintextDomain, size), retrievalMs };
}

async function cachedPairs(size: Size) {
  const pairs: Pair[] = [];
  let releasedMs = Number.NEGATIVE_INFINITY;
  while (pairs.length < messages) {
    const sinceMs = performance.now() - releasedMs;
    // A pair that meets the end of a lease is none with a cached key: the next lease is begun before it.
    if (sinceMs > leaseMsDefault - 500) {
      await delay(Math.max(0, leaseMsDefault - sinceMs));
      await hop(cachedDomain, size);
      releasedMs = performance.now();
    }
    pairs.push(await pair(cachedDomain, size));
  }
  return compared(pairs);
}

async function freshPairs(size: Size) {
  // Those of the size before may have a lease yet.
  await delay(leaseMsDefault);
  const pairs: Pair[] = [];
  while (pairs.length < freshMessages) {
    for (const domain of freshDomains) {
      const untilMs = performance.now() + freshEveryMs;
      pairs.push(await pair(domain, size));
      await delay(Math.max(0, untilMs - performance.now()));
    }
  }
  return compared(pairs);
}

function compared(pairs: readonly Pair[]) {
  const plaintext = percentiles(pairs.map(({ plaintextMs }) => plaintextMs));
  const retrieval = percentiles(pairs.map(({ retrievalMs }) => retrievalMs));
  return {
    plaintextMs: plaintext,
    retrievalMs: retrieval,
    extraMs: {
      p50: rounded(retrieval.p50 - plaintext.p50),
      p99: rounded(retrieval.p99 - plaintext.p99),
      p99Interval: intervalOf(pairs),
    },
  };
}

/** Where the difference of the two 99th percentiles lies in 95 of 100 resamples of blocks of pairs. */
function intervalOf(pairs: readonly Pair[]): readonly [number, number] {
  const chance = chanceOf(20_261_122);
  const differences = Array.from({ length: resamples }, () => {
    const drawn: Pair[] = [];
    while (drawn.length < pairs.length) {
      const from = Math.floor(chance() * Math.max(1, pairs.length - blockPairs));
      drawn.push(...pairs.slice(from, from + blockPairs));
    }
    const p99Of = (member: keyof Pair): number => percentiles(drawn.map((one) => one[member])).p99;
    return p99Of('retrievalMs') - p99Of('plaintextMs');
  }).toSorted((a, b) => a - b);
  const at = (share: number): number => rounded(differences[Math.floor(share * resamples)] ?? Number.NaN);
  return [at(0.025), at(0.975)];
}

/** The same draws in every run (Park and Miller). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function report(): void {
  print({
    bench: 'tiers',
    machine: machine(),
    leaseMs: leaseMsDefault,
    cached,
    fresh,
    targets,
    pass: {
      cached1KB: cached['1KB'].extraMs.p99 <= targets.cachedExtraP99Ms,
      cached64KB: cached['64KB'].extraMs.p99 <= targets.cachedExtraP99Ms,
      fresh1KB: fresh['1KB'].extraMs.p99 <= targets.freshExtraP99Ms,
      fresh64KB: fresh['64KB'].extraMs.p99 <= targets.freshExtraP99Ms,
    },
  });
}
