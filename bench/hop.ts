// SPDX-License-Identifier: Apache-2.0
// One whole hop, agent a to agent b, with every control on and durably recorded: three processes
// and real TLS; this process is the load. `npm run bench:hop -- --json`.
// The load has one helper thread of the engine, to take as little as it can of the processors that the mesh runs on.
// Options: --seconds N of the open loop, --messages N for the memory run, --profile DIR,
// --model compact to have the semantic firewall read each message too; --forensic to have each payload
// kept for custodians.
import type { MeshAgent } from '../src/sdk/join-mesh.ts';
import { bareHops } from './bare-path.ts';
import {
  cpuUs,
  cryptoFloorUs,
  machine,
  numberOption,
  percentiles,
  print,
  residentBytes,
  rounded,
  textOption,
} from './machine.ts';
import { startBenchMesh, type BenchMesh } from './mesh.ts';

/** Long enough that a disk or a host that stood still once, for half a second, is not the slowest hundredth. */
const seconds = numberOption('seconds', 120);
const closedLoopSeconds = Math.min(seconds, 40);
/** Of messages over three processes that look at nothing, before the open loop and after it. */
const bareSeconds = Math.min(seconds, 15);
const memoryMessages = numberOption('messages', 200_000);
const warmUpMessages = 20_000;
/**
 * Messages that come one by one take other ways than those that come together: the engine compiles those
 * anew, some 200 ms of each processor, a second or two after the load has changed.
 */
const warmUpSeconds = 10;
const openLoopPerSecond = 300;
const inFlight = numberOption('in-flight', 64);
/** Makes the canonical body of the envelope 1 KB. */
const text = 'The quarterly figures are in; the summary for the board follows below. '.repeat(3);
const targets = {
  p50Ms: 3,
  p99Ms: 10,
  hopsPerSecond: 1000,
  cpuToFloor: 5,
  startMs: 2000,
  growthShare: 0.02,
};

/** Hops under way: when each was sent, and who waits for it to arrive. */
class Hops {
  readonly #sender: MeshAgent;
  readonly #sentMs = new Map<number, number>();
  #next = 0;
  #done = 0;
  #arrived: (() => void) | null = null;
  latenciesMs: number[] = [];
  refused = 0;

  constructor(sender: MeshAgent) {
    this.#sender = sender;
  }

  get done(): number {
    return this.#done;
  }

  get underWay(): number {
    return this.#sentMs.size;
  }

  send(): void {
    const number = this.#next++;
    this.#sentMs.set(number, performance.now());
    this.#sender
      .send({ to: 'b', type: 'data', schema: 'note/1', payload: { number, text } })
      .then((sent) => {
        if (sent.verdict !== 'GO') this.#lost(number);
      }, () => this.#lost(number));
  }

  received(number: number): void {
    const sentMs = this.#sentMs.get(number);
    if (sentMs === undefined) return;
    this.#sentMs.delete(number);
    this.latenciesMs.push(performance.now() - sentMs);
    this.#done += 1;
    this.#wake();
  }

  async change(): Promise<void> {
    await new Promise<void>((resolve) => (this.#arrived = resolve));
  }

  #lost(number: number): void {
    if (this.#sentMs.delete(number)) this.refused += 1;
    this.#wake();
  }

  #wake(): void {
    const arrived = this.#arrived;
    this.#arrived = null;
    arrived?.();
  }
}

const model = textOption('model') === 'compact' ? 'compact' : 'none';
const forensic = process.argv.includes('--forensic');
// First: a start is timed on a machine that was doing nothing.
const mesh = await startBenchMesh(textOption('profile'), model, forensic);
const sender = await mesh.join('a');
const recipient = await mesh.join('b');
const hops = new Hops(sender);
const stop = new AbortController();
const receiving = receive(recipient);

await warmUp();
const bareBefore = await bareHops(openLoopPerSecond, bareSeconds);
await openLoop(warmUpSeconds);
const open = await measured(mesh, () => openLoop(seconds));
const bareAfter = await bareHops(openLoopPerSecond, bareSeconds);
// The floor is taken around what it is held against: a shared machine is not as fast in each minute.
const floorBefore = cryptoFloorUs(1024);
const closed = await measured(mesh, () => closedLoop(closedLoopSeconds));
const floorUs = (floorBefore + cryptoFloorUs(1024)) / 2;
const memory = memoryMessages > 0 ? await memoryRun(mesh) : null;
stop.abort();
await receiving;
sender.close();
recipient.close();
await mesh.stop();
report();

async function receive(agent: MeshAgent): Promise<void> {
  try {
    for await (const message of agent.messages(stop.signal)) {
      hops.received((message.payload as { readonly number: number }).number);
    }
  } catch (failure) {
    if (!stop.signal.aborted) throw failure;
  }
}

/** Sends at a fixed rate, whether or not the mesh keeps up. */
async function openLoop(forSeconds: number): Promise<void> {
  const startedMs = performance.now();
  const total = openLoopPerSecond * forSeconds;
  for (let sent = 0; sent < total; sent += 1) {
    const dueMs = startedMs + (sent * 1000) / openLoopPerSecond;
    while (performance.now() < dueMs) await new Promise((resolve) => setTimeout(resolve, 1));
    hops.send();
  }
  await drained();
}

/** Until the engine has compiled what is run often: a mesh runs for days, and is measured as it is then. */
async function warmUp(): Promise<void> {
  const first = hops.done;
  await keepFull(() => hops.done - first < warmUpMessages);
}

/** Keeps a fixed number of hops under way. */
async function closedLoop(forSeconds: number): Promise<void> {
  const untilMs = performance.now() + forSeconds * 1000;
  await keepFull(() => performance.now() < untilMs);
}

async function keepFull(more: () => boolean): Promise<void> {
  while (more()) {
    while (hops.underWay < inFlight) hops.send();
    await hops.change();
  }
  await drained();
}

async function drained(): Promise<void> {
  const untilMs = performance.now() + 30_000;
  while (hops.underWay > 0 && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function measured({ pids }: BenchMesh, load: () => Promise<void>) {
  const cpuOf = () => ({ node: cpuUs(pids.node), a: cpuUs(pids.a), b: cpuUs(pids.b) });
  const before = cpuOf();
  const doneBefore = hops.done;
  hops.latenciesMs = [];
  const startedMs = performance.now();
  await load();
  const tookMs = performance.now() - startedMs;
  const after = cpuOf();
  const count = hops.done - doneBefore;
  const each = {
    node: rounded((after.node - before.node) / count),
    a: rounded((after.a - before.a) / count),
    b: rounded((after.b - before.b) / count),
  };
  return {
    hops: count,
    hopsPerSecond: Math.round((count * 1000) / tookMs),
    latencyMs: percentiles(hops.latenciesMs),
    cpuUsPerHop: { ...each, all: rounded(each.node + each.a + each.b) },
  };
}

/** Resident memory after a warm-up and at the end, medians over a tenth of the run each. */
async function memoryRun({ pids }: BenchMesh) {
  const sample = () => ({
    node: residentBytes(pids.node),
    a: residentBytes(pids.a),
    b: residentBytes(pids.b),
  });
  const first = hops.done;
  const samples: { readonly messages: number; readonly bytes: ReturnType<typeof sample> }[] = [];
  let nextAt = warmUpMessages;
  await keepFull(() => {
    const messages = hops.done - first;
    if (messages >= nextAt) {
      samples.push({ messages, bytes: sample() });
      nextAt += 1000;
      hops.latenciesMs = [];
      if (nextAt % 10_000 === 0) process.stderr.write(`memory: ${messages} messages\n`);
    }
    return messages < warmUpMessages + memoryMessages;
  });
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const mib = (part: typeof samples, of: 'node' | 'a' | 'b'): number =>
    percentiles(part.map(({ bytes }) => bytes[of] / 1_048_576)).p50;
  const medians = (part: typeof samples) => {
    const [node, a, b] = [mib(part, 'node'), mib(part, 'a'), mib(part, 'b')];
    return { node, a, b, all: rounded(node + a + b) };
  };
  const start = medians(samples.slice(0, tenth));
  const end = medians(samples.slice(-tenth));
  const every = Math.max(1, Math.floor(samples.length / 20));
  return {
    warmUpMessages,
    messages: memoryMessages,
    afterWarmUpMiB: start,
    atEndMiB: end,
    growthMiB: rounded(end.all - start.all),
    growthShare: rounded((end.all - start.all) / start.all),
    curveMiB: samples.filter((_, index) => index % every === 0).map((one) => medians([one]).all),
  };
}

function report(): void {
  const ratio = rounded(closed.cpuUsPerHop.all / floorUs);
  print({
    bench: 'hop',
    model,
    forensic,
    machine: machine(),
    startMs: Math.round(mesh.startMs),
    floorUs: rounded(floorUs),
    openLoop: {
      perSecond: openLoopPerSecond,
      ...open,
      cpuToFloor: rounded(open.cpuUsPerHop.all / floorUs),
    },
    barePath: {
      latencyMs: [bareBefore, bareAfter],
      p50ToBare: rounded((open.latencyMs.p50 * 2) / (bareBefore.p50 + bareAfter.p50)),
      p99ToBare: rounded((open.latencyMs.p99 * 2) / (bareBefore.p99 + bareAfter.p99)),
    },
    closedLoop: { inFlight, ...closed, cpuToFloor: ratio },
    memory,
    refused: hops.refused,
    targets,
    pass: {
      p50: open.latencyMs.p50 <= targets.p50Ms,
      p99: open.latencyMs.p99 <= targets.p99Ms,
      throughput: closed.hopsPerSecond >= targets.hopsPerSecond,
      cpu: ratio <= targets.cpuToFloor,
      start: mesh.startMs < targets.startMs,
      memory: memory === null ? null : memory.growthShare <= targets.growthShare,
      nothingLost: hops.refused === 0 && hops.underWay === 0,
    },
  });
}
