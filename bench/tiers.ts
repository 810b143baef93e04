// SPDX-License-Identifier: Apache-2.0
// A hop in a RETRIEVAL domain next to the same hop in a PLAINTEXT one, in one run and taken in turns:
// three processes, real TLS, durable record; this process is the load. `npm run bench:tiers -- --json`.
// Options: --messages N of each tier and size, --fresh N hops that each need a new data key (5 s each).
import { setTimeout as delay } from 'node:timers/promises';
import { leaseMsDefault } from '../src/identity/lease.ts';
import type { MeshAgent } from '../src/sdk/join-mesh.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';
import { startBenchMesh } from './mesh.ts';

const messages = numberOption('messages', 400);
const freshMessages = numberOption('fresh', 20);
const warmUpMessages = 300;
const targets = { cachedExtraP99Ms: 2, freshExtraP99Ms: 8 };
const domains = { PLAINTEXT: 'work', RETRIEVAL: 'sealed' } as const;
const line = 'The quarterly figures are in; the summary for the board follows below. ';
/** Texts of the payload; the envelope around it is about 0.7 KB. */
const sizes = { '1KB': line.repeat(14).slice(0, 1024), '64KB': line.repeat(920).slice(0, 65_536) };

type Tier = keyof typeof domains;
type Size = keyof typeof sizes;

const mesh = await startBenchMesh(null, 'none', false, true);
const sender = await mesh.join('a');
const recipient = await mesh.join('b');
const arrivals = new Map<number, (atMs: number) => void>();
const stop = new AbortController();
const receiving = receive(recipient);
let next = 0;

for (let at = 0; at < warmUpMessages; at += 1) {
  await hop('PLAINTEXT', '1KB');
  await hop('RETRIEVAL', '1KB');
}
const cached = { '1KB': await inTurns('1KB'), '64KB': await inTurns('64KB') };
const fresh = { '1KB': await freshHops('1KB'), '64KB': await freshHops('64KB') };
stop.abort();
await receiving;
sender.close();
recipient.close();
await mesh.stop();
report();

async function hop(tier: Tier, size: Size): Promise<number> {
  const number = next++;
  const arrived = new Promise<number>((resolve) => arrivals.set(number, resolve));
  const sentMs = performance.now();
  const payload = { number, text: sizes[size] };
  const sent = await sender.send({ to: 'b', type: 'data', schema: 'note/1', domain: domains[tier], payload });
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

/** One after the other, so that whatever else the machine does meets both alike. */
async function inTurns(size: Size) {
  const plaintextMs: number[] = [];
  const retrievalMs: number[] = [];
  let releasedMs = Number.NEGATIVE_INFINITY;
  while (retrievalMs.length < messages) {
    plaintextMs.push(await hop('PLAINTEXT', size));
    const startMs = performance.now();
    const tookMs = await hop('RETRIEVAL', size);
    // The first hop after a lease makes a new key; it is no cached one, and is measured below.
    if (startMs - releasedMs < leaseMsDefault - 500) retrievalMs.push(tookMs);
    else {
      await delay(Math.max(0, leaseMsDefault - (startMs - releasedMs)));
      await hop('RETRIEVAL', size);
      releasedMs = performance.now();
    }
  }
  return compared(plaintextMs, retrievalMs);
}

/** Each of these waits until the lease of the key before it is over. */
async function freshHops(size: Size) {
  const plaintextMs: number[] = [];
  const retrievalMs: number[] = [];
  for (let at = 0; at < freshMessages; at += 1) {
    await delay(leaseMsDefault + 50);
    // The machine wakes up for one hop of either kind.
    await hop('PLAINTEXT', size);
    plaintextMs.push(await hop('PLAINTEXT', size));
    retrievalMs.push(await hop('RETRIEVAL', size));
  }
  return compared(plaintextMs, retrievalMs);
}

function compared(plaintextMs: readonly number[], retrievalMs: readonly number[]) {
  const plaintext = percentiles(plaintextMs);
  const retrieval = percentiles(retrievalMs);
  return {
    plaintextMs: plaintext,
    retrievalMs: retrieval,
    extraMs: { p50: rounded(retrieval.p50 - plaintext.p50), p99: rounded(retrieval.p99 - plaintext.p99) },
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
