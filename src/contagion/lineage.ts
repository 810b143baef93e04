// SPDX-License-Identifier: Apache-2.0
import { bandsOf, likeness, type Sketch } from './sketch.ts';

/** From so alike on, two spans are the same text that travelled. */
const alikeFrom = 0.4;
const candidatesMax = 32;
/** Looked at for one span, over all its bands: a flood of spans may all share one of them. */
const sharersMax = 4096;

/** Where a span came to an agent from, first of all. */
export type Holder = {
  /** Null for whoever sent it first. */
  readonly from: string | null;
  readonly message: string;
  readonly atMs: number;
  /** Times it was passed on before this agent had it; 0 for whoever sent it first. */
  readonly generation: number;
};

/** One text on its way from agent to agent. */
export type Lineage = {
  readonly id: number;
  readonly sketch: Sketch;
  readonly firstAtMs: number;
  /** Whoever sent it first, and what that agent had read by then. */
  readonly patientZero: string;
  readonly origins: readonly string[];
  /** Everybody it reached, the first sender included, in the order in which they had it. */
  readonly holders: ReadonlyMap<string, Holder>;
  /** Agents that had been sent it and sent it on to somebody who had not. */
  readonly spreaders: ReadonlySet<string>;
  readonly generation: number;
  /** A verdict against it is known: it goes nowhere any more. */
  readonly convicted: boolean;
};

/** One message in which the span travels, or is about to. */
export type Carriage = {
  readonly message: string;
  readonly from: string;
  readonly to: string;
  readonly atMs: number;
  readonly origins: readonly string[];
};

export type LineageLimits = {
  /** Spans remembered; the oldest make room. */
  readonly spansMax: number;
  /** Spans remembered that one agent sent first: one that floods pushes out its own. */
  readonly spansPerAgentMax: number;
  /** How long a span is remembered after it first appeared. */
  readonly windowMs: number;
  /** Agents remembered per span: reach beyond it is a number only. */
  readonly holdersMax: number;
};

type Mutable = {
  -readonly [Key in keyof Lineage]: Lineage[Key];
} & { readonly holders: Map<string, Holder>; readonly spreaders: Set<string> };

/**
 * Which texts travel from agent to agent, near-duplicates counted as one: who had them first, who
 * passed them on, whom they reached. Bounded in texts, agents and time; nothing of the text is kept.
 */
export class LineageIndex {
  readonly #limits: LineageLimits;
  readonly #lineages = new Map<number, Mutable>();
  readonly #bands = new Map<number, Set<number>>();
  /** Ids by who sent them first, oldest first. */
  readonly #begun = new Map<string, Set<number>>();
  #next = 0;

  constructor(limits: LineageLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#lineages.size;
  }

  /** The lineage that this span belongs to, or null: of several the one that is most alike. */
  find(sketch: Sketch, nowMs: number): Lineage | null {
    let best: { readonly lineage: Mutable; readonly alike: number } | null = null;
    for (const id of this.#candidates(sketch)) {
      const lineage = this.#lineages.get(id);
      if (lineage === undefined || nowMs - lineage.firstAtMs > this.#limits.windowMs) continue;
      const alike = likeness(sketch, lineage.sketch);
      if (alike >= alikeFrom && alike > (best?.alike ?? 0)) best = { lineage, alike };
    }
    return best?.lineage ?? null;
  }

  /**
   * Those that share most with it first: in the order in which they came, a few hundred spans that share a
   * little with a later one would keep that one from ever being looked at. What few share tells most, and comes first.
   */
  #candidates(sketch: Sketch): readonly number[] {
    const shared = new Map<number, number>();
    const bands = bandsOf(sketch).flatMap((band) => this.#bands.get(band) ?? []);
    let left = sharersMax;
    for (const ids of bands.toSorted((one, other) => one.size - other.size)) {
      for (const id of ids) {
        if (left === 0) break;
        left -= 1;
        shared.set(id, (shared.get(id) ?? 0) + 1);
      }
    }
    if (shared.size <= candidatesMax) return [...shared.keys()];
    return [...shared].toSorted(([, one], [, other]) => other - one).slice(0, candidatesMax).map(([id]) => id);
  }

  /** Notes that the span was delivered. */
  carried(sketch: Sketch, carriage: Carriage): Lineage {
    const known = this.find(sketch, carriage.atMs);
    const lineage = (known === null ? null : this.#lineages.get(known.id)) ??
      this.#begin(sketch, carriage);
    const sender = lineage.holders.get(carriage.from);
    const generation = (sender?.generation ?? 0) + 1;
    if (lineage.holders.has(carriage.to)) return lineage;
    if (sender !== undefined && sender.from !== null) lineage.spreaders.add(carriage.from);
    lineage.generation = Math.max(lineage.generation, generation);
    if (lineage.holders.size < this.#limits.holdersMax) {
      const { from, message, atMs } = carriage;
      lineage.holders.set(carriage.to, { from, message, atMs, generation });
    }
    return lineage;
  }

  /** A verdict against one of its carriers came: every later copy is stopped. */
  convict(id: number): Lineage | null {
    const lineage = this.#lineages.get(id);
    if (lineage === undefined) return null;
    lineage.convicted = true;
    return lineage;
  }

  /** The most travelled first. */
  list(limit: number): readonly Lineage[] {
    return [...this.#lineages.values()]
      .filter(({ holders }) => holders.size > 2)
      .toSorted((a, b) => b.generation - a.generation || b.holders.size - a.holders.size)
      .slice(0, limit);
  }

  #begin(sketch: Sketch, { from, message, atMs, origins }: Carriage): Mutable {
    this.#makeRoom(from, atMs);
    const id = this.#next++;
    const lineage: Mutable = {
      id,
      sketch,
      firstAtMs: atMs,
      patientZero: from,
      origins: [...origins],
      holders: new Map([[from, { from: null, message, atMs, generation: 0 }]]),
      spreaders: new Set(),
      generation: 0,
      convicted: false,
    };
    this.#lineages.set(id, lineage);
    this.#begun.set(from, (this.#begun.get(from) ?? new Set()).add(id));
    for (const band of bandsOf(sketch)) {
      const ids = this.#bands.get(band) ?? new Set();
      this.#bands.set(band, ids.add(id));
    }
    return lineage;
  }

  #makeRoom(from: string, nowMs: number): void {
    for (const [id, lineage] of this.#lineages) {
      if (nowMs - lineage.firstAtMs <= this.#limits.windowMs) break;
      this.#forget(id);
    }
    const own = this.#begun.get(from) ?? new Set();
    if (own.size >= this.#limits.spansPerAgentMax) this.#forget(this.#leastDear(own));
    if (this.size >= this.#limits.spansMax) this.#forget(this.#leastDear(this.#lineages.keys()));
  }

  /** The oldest that is not convicted: a worm must not outlast its conviction by flooding. */
  #leastDear(ids: Iterable<number>): number {
    let oldest = -1;
    for (const id of ids) {
      if (oldest < 0) oldest = id;
      if (this.#lineages.get(id)?.convicted === false) return id;
    }
    return oldest;
  }

  #forget(id: number): void {
    const lineage = this.#lineages.get(id);
    if (lineage === undefined) return;
    this.#lineages.delete(id);
    const begun = this.#begun.get(lineage.patientZero);
    begun?.delete(id);
    if (begun?.size === 0) this.#begun.delete(lineage.patientZero);
    for (const band of bandsOf(lineage.sketch)) {
      const ids = this.#bands.get(band);
      ids?.delete(id);
      if (ids?.size === 0) this.#bands.delete(band);
    }
  }
}
