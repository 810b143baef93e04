// SPDX-License-Identifier: Apache-2.0
import { Baseline, numbersPerSignal, watchMs, type Usual } from './baseline.ts';
import { combined, type Reason, type Score } from './combine.ts';
import { bucketOf, buckets, decay, divergence, surprise } from './histogram.ts';
import { AgentDays, driftAgainst, numbersPerAgentDays, numbersPerRoleDays, RoleDays } from './role-days.ts';
import type { Bad } from './slow-drift.ts';
import { signals, type Observation, type Signal } from './signal.ts';

/** Five minutes: a jump is seen after the first whole one. */
export const bucketMs = 300_000;
/** As often within a day an agent is taken to have stood still: whoever lies about it hides two hours a day by it, no more. */
export const stillsMax = 12;
const dayMs = 86_400_000;
/** Agents that are followed at once; the one that was silent longest makes room. */
const agentsMax = 20_000;
/** What drifts slowly where something is wrong, and which way; how much there is to do drifts by itself. */
const driftsTo = { 'cost-trajectory': 'more', 'output-quality': 'less', 'content-drift': 'more' } as const satisfies
  { readonly [signal in Signal]?: Bad };
const drifting = ['cost-trajectory', 'output-quality', 'content-drift'] as const satisfies readonly Signal[];

/** What a drift has come to, as a share of the mean, from where on it counts in the score, if it is sure: before, people are told. */
const countsFrom = 0.05;

/** A deviation the other way that is itself unusual, in spreads. */
const turns = 3;

/** What the scorer holds to be usual for an agent, for people to look at. */
export type Standing = {
  readonly role: string;
  readonly firstAt: number;
  readonly baselines: readonly { readonly signal: Signal; readonly usual: readonly Usual[] }[];
};

/** Sums of the bucket that is open. */
type Open = {
  count: number;
  failed: number;
  quality: number;
  qualities: number;
  latency: number;
  latencies: number;
  distance: number;
  distances: number;
  cost: number;
  fill: number;
};

type Followed = {
  readonly role: string;
  firstAt: number;
  bucket: number;
  open: Open;
  /** Baselines of all signals, in one block. */
  readonly numbers: Float64Array;
  readonly baselines: ReadonlyMap<Signal, Baseline>;
  /** Its days, by signal that drifts, in one block. */
  readonly dayNumbers: Float64Array;
  readonly days: ReadonlyMap<Signal, AgentDays>;
  /** Calls by tool: recent, and as it was in the first weeks. */
  readonly recent: Float64Array;
  readonly usual: Float64Array;
  /** Activity by hour of the day. */
  readonly hours: Float64Array;
  /** Mean deviation of the last bucket, for the peers. */
  apart: number;
  /** It could not act: what it does is looked at from the next whole bucket on. */
  stood: boolean;
  /** Times at which it was taken to have stood still, of the last day, `stillsMax` at most. */
  stills: readonly number[];
};

/** Bytes that one agent takes here, whatever it does and for however long: numbers only. */
export const bytesPerAgent =
  (numbersPerSignal * signals.length + numbersPerAgentDays * drifting.length + buckets * 2 + 24 + 16 + stillsMax) * 8;

/** Raised with every change of what the numbers mean. */
const keptForm = 4;
const keptNumbers =
  4 + numbersPerSignal * signals.length + numbersPerAgentDays * drifting.length + buckets * 2 + 24;

type Role = {
  count: number;
  /** Sum of how far its agents are apart. */
  apart: number;
  readonly days: ReadonlyMap<Signal, RoleDays>;
  /** A day of it ended since it was kept last. */
  changed: boolean;
};

/** Keeps what was learned of agents and roles; what `save` resolved survives `kill -9`. */
export interface ScoreStore {
  load(): ReadonlyMap<string, Float64Array>;
  save(agent: string, kept: Float64Array): Promise<void>;
}

/**
 * Scores agents on what they do, on the clock of the observations. Everything is kept in blocks of fixed
 * size; ninety days need no more than one hour.
 */
export class Scorer {
  readonly #agents = new Map<string, Followed>();
  readonly #roleOf: (agent: string) => string;
  readonly #roles = new Map<string, Role>();

  constructor(roleOf: (agent: string) => string) {
    this.#roleOf = roleOf;
  }

  get agents(): number {
    return this.#agents.size;
  }

  /** Takes in one observation; gives the scores of every bucket of that agent that it closed. */
  take(observation: Observation): readonly Score[] {
    const { agent, at } = observation;
    const followed = this.#agents.get(agent) ?? this.#begin(agent, at);
    if (followed.stood) goOn(followed, at);
    if (Math.floor(at / bucketMs) < followed.bucket) return [];
    const closed = this.#closeUpTo(agent, followed, Math.floor(at / bucketMs));
    add(followed, observation);
    return closed;
  }

  /** Closes what ended before `at` for agents that were silent. */
  advance(at: number): readonly Score[] {
    const scores: Score[] = [];
    for (const [agent, followed] of this.#agents) {
      if (!followed.stood) scores.push(...this.#closeUpTo(agent, followed, Math.floor(at / bucketMs)));
    }
    return scores;
  }

  /**
   * These agents could not act until now: they were stopped, or the mesh was down. The
   * time that it stood still is neither scored nor learned from, nor is what is left of the bucket it goes on in. From
   * the `stillsMax`-th time within a day on it is scored all the same: whoever could say so without end could hide
   * everything. `at`: when it could act again.
   */
  stoodStill(isOne: (agent: string) => boolean, at: number): void {
    for (const [agent, followed] of this.#agents) {
      // Whoever did nothing since the last time still stands.
      if (followed.stood || !isOne(agent)) continue;
      const stills = followed.stills.filter((time) => time > at - dayMs);
      if (stills.length >= stillsMax) continue;
      followed.stills = [...stills, at];
      followed.stood = true;
    }
  }

  /** Baselines of one agent at a time; null for one that did nothing yet. */
  standing(agent: string, at: number): Standing | null {
    const followed = this.#agents.get(agent);
    if (followed === undefined) return null;
    const { role, firstAt, baselines } = followed;
    return {
      role, firstAt,
      baselines: measuredSignals.map((signal) => ({
        signal, usual: baselines.get(signal)?.usual(at) ?? [],
      })),
    };
  }

  /** All that was learned of an agent, to be kept; null for one that is not followed. */
  kept(agent: string): Float64Array | null {
    const followed = this.#agents.get(agent);
    if (followed === undefined) return null;
    const { firstAt, bucket, apart, numbers, dayNumbers, recent, usual, hours } = followed;
    return Float64Array.from(
      [keptForm, firstAt, bucket, apart, ...numbers, ...dayNumbers, ...recent, ...usual, ...hours]);
  }

  /** What was learned of the role of an agent, where a day of it ended since this was asked last. */
  keptRole(agent: string): { readonly role: string; readonly kept: Float64Array } | null {
    const role = this.#agents.get(agent)?.role ?? '';
    const known = this.#roles.get(role);
    if (known?.changed !== true) return null;
    known.changed = false;
    return { role, kept: Float64Array.from([keptForm, ...drifting.flatMap((signal) => [...(known.days.get(signal)?.numbers ?? [])])]) };
  }

  /** False, and the role begins anew, where what was kept is in another form. */
  restoreRole(role: string, kept: Float64Array): boolean {
    const isWhole = kept[0] === keptForm && kept.length === 1 + drifting.length * numbersPerRoleDays;
    if (!isWhole || !kept.every(Number.isFinite)) return false;
    for (const [index, signal] of drifting.entries()) {
      const from = 1 + index * numbersPerRoleDays;
      this.#role(role).days.get(signal)?.numbers.set(kept.subarray(from, from + numbersPerRoleDays));
    }
    return true;
  }

  /** Goes on where an earlier run stopped; false, and it begins anew, where that is in another form. */
  restore(agent: string, kept: Float64Array): boolean {
    const [form, firstAt = 0, bucket = 0, apart = 0] = kept;
    if (form !== keptForm || kept.length !== keptNumbers || !kept.every(Number.isFinite)) return false;
    const followed = this.#begin(agent, firstAt);
    followed.bucket = bucket;
    followed.apart = apart;
    followed.stood = true;
    let from = 4;
    for (const block of [followed.numbers, followed.dayNumbers, followed.recent, followed.usual, followed.hours]) {
      block.set(kept.subarray(from, from + block.length));
      from += block.length;
    }
    const peers = this.#roles.get(followed.role);
    if (peers !== undefined) peers.apart += apart;
    return true;
  }

  #begin(agent: string, at: number): Followed {
    if (this.#agents.size >= agentsMax) {
      const [oldest] = this.#agents.keys();
      if (oldest !== undefined) this.#agents.delete(oldest);
    }
    const numbers = new Float64Array(numbersPerSignal * signals.length);
    const baselines = new Map(signals.map((signal, index) =>
      [signal, new Baseline(numbers, index * numbersPerSignal)] as const));
    const role = this.#roleOf(agent);
    const dayNumbers = new Float64Array(numbersPerAgentDays * drifting.length);
    const days = new Map<Signal, AgentDays>(drifting.map((signal, index) =>
      [signal, new AgentDays(dayNumbers, index * numbersPerAgentDays, driftsTo[signal])]));
    const followed: Followed = {
      role, firstAt: at, bucket: Math.floor(at / bucketMs), open: emptyBucket(), numbers, baselines,
      dayNumbers, days,
      recent: new Float64Array(buckets), usual: new Float64Array(buckets), hours: new Float64Array(24), apart: 0,
      stood: false, stills: [],
    };
    this.#agents.set(agent, followed);
    this.#role(role).count += 1;
    return followed;
  }

  #role(name: string): Role {
    const known = this.#roles.get(name);
    if (known !== undefined) return known;
    const days = new Map<Signal, RoleDays>(drifting.map((signal) => [signal, new RoleDays(driftsTo[signal])]));
    const role: Role = { count: 0, apart: 0, days, changed: false };
    this.#roles.set(name, role);
    return role;
  }

  /** A bucket without anything in it is one, too: silence is a volume. A long silence is one bucket. */
  #closeUpTo(agent: string, followed: Followed, bucket: number): readonly Score[] {
    if (bucket <= followed.bucket) return [];
    const scores = [this.#close(agent, followed)];
    const silent = bucket - followed.bucket - 1;
    followed.bucket += 1;
    for (let left = Math.min(silent, 12); left > 0; left -= 1) {
      scores.push(this.#close(agent, followed));
      followed.bucket += 1;
    }
    followed.bucket = bucket;
    return scores;
  }

  #close(agent: string, followed: Followed): Score {
    const at = followed.bucket * bucketMs;
    const ageMs = Math.max(0, at - followed.firstAt);
    const found: Reason[] = [];
    const drifts: Score['drifts'][number][] = [];
    let apart = 0;
    let measured = 0;
    const usually = followed.baselines.get('message-volume')?.level ?? 0;
    for (const { signal, value, noiseAt, of } of measuredBy(followed.open)) {
      const baseline = followed.baselines.get(signal);
      if (baseline === undefined) continue;
      const now = baseline.deviation(value, at, noiseAt, of === null ? 1 : Math.sqrt(Math.max(1, usually / of)));
      baseline.learn(value, at, bucketMs, now.z);
      const lasting = baseline.lasting(now.z);
      // What turned round is not hidden behind what lasted: after a silence a flood is one.
      const isTurn = Math.abs(now.z) >= turns && now.z * lasting < 0;
      const seen = Math.abs(lasting) > Math.abs(now.z) && !isTurn ? { ...now, z: lasting } : now;
      found.push({ signal, z: seen.z, against: seen.against });
      drifts.push(...this.#drifts(signal, baseline, followed));
      const drift = followed.days.get(signal)?.standingOn(Math.floor(at / dayMs)) ?? null;
      if (drift !== null && Math.abs(drift.change) >= countsFrom) found.push({ signal, z: drift.z, against: driftAgainst });
      apart += Math.min(8, Math.abs(now.z));
      measured += 1;
    }
    if (ageMs >= watchMs) found.push(...this.#derived(followed, at));
    const peers = this.#roles.get(followed.role);
    const mean = measured === 0 ? 0 : apart / measured;
    if (peers !== undefined) peers.apart += mean - followed.apart;
    followed.apart = mean;
    decay(followed.recent, bucketMs / 3_600_000);
    followed.open = emptyBucket();
    return { agent, at: at + bucketMs, ...combined(found), drifts };
  }

  /** A day that ended may show a drift: of the agent by itself, beside its peers, or of its role. */
  #drifts(signal: Signal, baseline: Baseline, { role: name, days }: Followed): Score['drifts'] {
    const closed = baseline.takeClosedDay();
    const role = this.#role(name);
    const [own, ofRole] = [days.get(signal), role.days.get(signal)];
    if (closed === null || own === undefined || ofRole === undefined) return [];
    role.changed = true;
    return ofRole.closed(closed, own).map((drift) => ({ ...drift, signal }));
  }

  /** Signals that are a distance by themselves; each is put on the scale of spreads. */
  #derived({ open, role, recent, usual, hours, apart }: Followed, at: number): readonly Reason[] {
    const reasons: Reason[] = [];
    if (open.count > 0) {
      const bits = divergence(recent, usual);
      reasons.push({ signal: 'tool-usage', z: onScale(bits, 0.25, 0.75), against: 'its first weeks' });
      const odd = surprise(hours, at);
      reasons.push({ signal: 'temporal-profile', z: onScale(odd, 4, 9), against: 'its hours' });
    }
    const peers = this.#roles.get(role);
    if (peers !== undefined && peers.count >= 3) {
      const others = (peers.apart - apart) / (peers.count - 1);
      const more = Math.max(0, apart - others);
      reasons.push({ signal: 'peer-deviation', z: onScale(more, 2, 6), against: `${peers.count - 1} peers` });
    }
    if (open.fill > 0) {
      reasons.push({ signal: 'context-utilisation', z: onScale(open.fill, 0.7, 1), against: 'its size' });
    }
    return reasons;
  }
}

type Measured = {
  readonly signal: Signal;
  readonly value: number;
  readonly noiseAt: (mean: number) => number;
  /** Of how many things it is a mean; null for a count. */
  readonly of: number | null;
};

/** Signals that have baselines of numbers; the others are a distance by themselves. */
const measuredSignals: readonly Signal[] = [
  'message-volume', 'error-rate', 'output-quality', 'response-latency', 'content-drift', 'cost-trajectory',
];

/** What is measured in a bucket, each with what chance alone does to it. */
function measuredBy(open: Open): readonly Measured[] {
  const { count, failed, quality, qualities, latency, latencies, distance, distances, cost } = open;
  const little = (mean: number): number => Math.abs(mean) * 0.02;
  const found: Measured[] = [
    { signal: 'message-volume', value: count, noiseAt: (mean) => Math.sqrt(Math.max(1, mean)), of: null },
  ];
  if (count > 0) {
    const noiseAt = (mean: number): number =>
      Math.sqrt(Math.max(mean * (1 - mean), 0.0025) / count) + 1 / count;
    found.push({ signal: 'error-rate', value: failed / count, noiseAt, of: count });
  }
  if (qualities > 0) found.push({ signal: 'output-quality', value: quality / qualities, noiseAt: little, of: qualities });
  if (latencies > 0) found.push({ signal: 'response-latency', value: latency / latencies, noiseAt: little, of: latencies });
  if (distances > 0) found.push({ signal: 'content-drift', value: distance / distances, noiseAt: little, of: distances });
  if (cost > 0) found.push({ signal: 'cost-trajectory', value: cost / count, noiseAt: little, of: count });
  return found;
}

/** 4 at `low`, where something begins to be unusual, and 9 at `high`. */
function onScale(value: number, low: number, high: number): number {
  return Math.max(0, 4 + (5 * (value - low)) / (high - low));
}

function goOn(followed: Followed, at: number): void {
  followed.stood = false;
  followed.bucket = Math.floor(at / bucketMs) + 1;
  followed.open = emptyBucket();
}

function emptyBucket(): Open {
  return {
    count: 0, failed: 0, quality: 0, qualities: 0, latency: 0, latencies: 0, distance: 0, distances: 0, cost: 0, fill: 0,
  };
}

function add(followed: Followed, observation: Observation): void {
  const { open, recent, usual, hours, firstAt } = followed;
  const { at, tool, failed, quality, latencyMs, contentDistance, cost, contextFill } = observation;
  open.count += 1;
  if (failed) open.failed += 1;
  if (quality !== null) [open.quality, open.qualities] = [open.quality + quality, open.qualities + 1];
  if (latencyMs !== null) [open.latency, open.latencies] = [open.latency + latencyMs, open.latencies + 1];
  if (contentDistance !== null) {
    [open.distance, open.distances] = [open.distance + contentDistance, open.distances + 1];
  }
  if (cost !== null) open.cost += cost;
  if (contextFill !== null) open.fill = Math.max(open.fill, contextFill);
  if (tool !== null) {
    const index = bucketOf(tool);
    recent[index] = (recent[index] ?? 0) + 1;
    if (at - firstAt < 14 * 86_400_000) usual[index] = (usual[index] ?? 0) + 1;
  }
  const hour = Math.floor(at / 3_600_000) % 24;
  hours[hour] = (hours[hour] ?? 0) + 1;
}
