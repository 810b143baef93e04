// SPDX-License-Identifier: Apache-2.0
import type { Label } from '../message/envelope.ts';
import type { Finding, Outcome, Verdict } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import type { ContagionCode } from './codes.ts';
import { doubtMax, Doubts } from './doubt.ts';
import { LineageIndex, type Lineage } from './lineage.ts';
import { Sketcher, type Sketch } from './sketch.ts';
import { spansOf, type Span, type Text } from './spans.ts';
import { Traffic, type TrafficSign } from './traffic.ts';

export type ContagionLimits = {
  /** A text nobody doubts may be passed on so often, and reach so many, before it is stopped. */
  readonly generationsMax: number;
  readonly reachMax: number;
  readonly windowMs: number;
  readonly fanOutMax: number;
};

export const defaultContagionLimits: ContagionLimits = {
  generationsMax: 4,
  reachMax: 8,
  windowMs: 24 * 3_600_000,
  fanOutMax: 25,
};

/** A message that passed everything else at the bus. */
export type Travelling = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly task: string;
  readonly label: Label;
  readonly texts: readonly Text[];
  /** What the sender's sidecar said of it. */
  readonly verdicts: readonly Verdict[];
  /** 0 to 1: what the model at the bus thinks of it; null where there is none. */
  readonly probability: number | null;
  /** The model was asked and gave no answer. */
  readonly unread: boolean;
  readonly atMs: number;
};

export type Sign = {
  readonly code: TrafficSign | 'CONTAGION_CYCLE' | 'CONTAGION_REPLICATION';
  /** Number of the lineage; null for what concerns no text. */
  readonly lineage: number | null;
};

export type Review = {
  readonly verdict: Verdict;
  readonly signs: readonly Sign[];
  /** To be called once nothing speaks against the message, before anything is waited for. */
  readonly carried: () => void;
};

/** Who has a text that is known by now to be an attack. */
export type Reached = {
  readonly lineage: Lineage;
  readonly messages: readonly { readonly agent: string; readonly message: string }[];
};

const version = 'contagion-1';
/** Messages whose spans are remembered, for verdicts that come late. */
const messagesMax = 20_000;
const doubtOfFinding = 0.25;
/** Two small doubts, or one model that is sure. */
const doubtfulFrom = 0.5;
/** A doubtful text is stopped the second time that it is passed on. */
const doubtfulGenerations = 2;
const doubtfulReach = 3;

type Followed = { readonly span: Span; readonly sketch: Sketch; readonly known: Lineage | null };
/** Numbers only: paths are as long as their writer likes, and thousands of messages are remembered. */
type RememberedSpan = Pick<Span, 'start' | 'end'> & {
  readonly lineage: number;
  /** Mark and depth of the path. */
  readonly place: number;
  readonly depth: number;
};
type Standing = Omit<RememberedSpan, 'lineage'> & { readonly isPartial: boolean };
type Remembered = { readonly to: string; readonly spans: readonly RememberedSpan[] };

/**
 * The central monitor over all messages of a node, apart from the sidecars (seed 000, contagion;
 * DESIGN 6.7). It follows texts from agent to agent and stops those that spread. Only what is
 * untrusted is followed: a text that no third party could choose carries no infection. One instance
 * per node, in memory: after a restart it begins anew.
 */
export class ContagionMonitor {
  readonly #limits: ContagionLimits;
  readonly #sketcher: Sketcher;
  readonly #lineages: LineageIndex;
  readonly #doubts: Doubts;
  readonly #traffic: Traffic;
  readonly #messages = new Map<string, Remembered>();

  constructor(limits: ContagionLimits, key: Uint8Array, nowMs: number) {
    const { windowMs, fanOutMax } = limits;
    this.#limits = limits;
    this.#sketcher = new Sketcher(key);
    this.#lineages = new LineageIndex({
      spansMax: 20_000,
      spansPerAgentMax: 1_000,
      windowMs,
      holdersMax: 1_000,
    });
    this.#doubts = new Doubts({ chainsMax: 20_000, windowMs });
    this.#traffic = new Traffic({ windowMs: 3_600_000, fanOutMax }, nowMs);
  }

  /** Says what it thinks of a message, and changes nothing before `carried` is called. */
  review(message: Travelling): Review {
    const startedUs = performance.now() * 1000;
    const isFollowed = message.label.integrity === 'untrusted';
    const { spans, cut } = isFollowed ? spansOf(message.texts) : { spans: [], cut: false };
    const followed = spans.map((span): Followed => {
      const sketch = this.#sketcher.of(span);
      return { span, sketch, known: this.#lineages.find(sketch, message.atMs) };
    });
    const signs = this.#signs(message, followed);
    const doubt = this.#doubts.of(
      message.from,
      message.task,
      ownDoubt(message, signs, cut),
      message.atMs,
    );
    const refusals = followed.flatMap((one) => this.#refusal(one, message, doubt));
    const holds = [
      ...followed.flatMap((one) => this.#hold(one, message)),
      ...(doubt >= doubtMax ? [found('CONTAGION_DOUBT')] : []),
    ];
    const outcome: Outcome =
      refusals.length > 0 ? 'NO-GO' : holds.length > 0 ? 'ESCALATE' : 'GO';
    const findings = [...refusals, ...holds].slice(0, 16);
    const tookUs = Math.round(performance.now() * 1000 - startedUs);
    return {
      verdict: { outcome, control: 'contagion', version, tookUs, findings },
      signs,
      carried: () => this.#carried(message, followed, doubt),
    };
  }

  /**
   * A verdict against a message that was let through: the texts that it is about go nowhere any
   * more. Only what the findings point at is convicted, so that nobody brings down a harmless text
   * by putting it beside an attack, and only by the word of the recipient. Returns who else has it.
   */
  convict(messageId: string, recipient: string, findings: readonly Finding[]): readonly Reached[] {
    const reached: Reached[] = [];
    const message = this.#messages.get(messageId);
    if (message === undefined || message.to !== recipient) return [];
    const places = findings.flatMap((one) => this.#standing(one) ?? []);
    for (const span of message.spans) {
      if (!places.some((one) => isAbout(one, span))) continue;
      const convicted = this.#lineages.convict(span.lineage);
      if (convicted === null) continue;
      const messages = [...convicted.holders].flatMap(([agent, { from, message }]) =>
        from === null ? [] : [{ agent, message }],
      );
      reached.push({ lineage: convicted, messages });
    }
    return reached;
  }

  /** What travels, the most travelled first. */
  lineages(limit: number): readonly Lineage[] {
    return this.#lineages.list(limit);
  }

  #signs({ from, to, atMs }: Travelling, followed: readonly Followed[]): readonly Sign[] {
    const signs: Sign[] = this.#traffic.signs(from, to, atMs).map((code) => ({ code, lineage: null }));
    for (const { known } of followed) {
      const sender = known?.holders.get(from);
      if (known === null || sender === undefined || sender.from === null) continue;
      const before = known.holders.get(to);
      if (before === undefined || sender.from === to) continue;
      // Back at an agent that had it, along another way than the one it came.
      signs.push({ code: 'CONTAGION_CYCLE', lineage: known.id });
    }
    for (const { known } of followed) {
      const isSpread = known !== null && known.generation > 1 && isCopyOnwards(known, from, to);
      if (isSpread && known.spreaders.has(from)) {
        signs.push({ code: 'CONTAGION_REPLICATION', lineage: known.id });
      }
    }
    return signs;
  }

  #refusal({ known, span }: Followed, message: Travelling, doubt: number): readonly Finding[] {
    if (known === null) return [];
    if (known.convicted) return [found('CONTAGION_CONVICTED', span)];
    if (!isCopyOnwards(known, message.from, message.to)) return [];
    const generation = (known.holders.get(message.from)?.generation ?? 0) + 1;
    const reach = known.holders.size;
    const { generationsMax, reachMax } = this.#limits;
    const isDoubtful = doubt >= doubtfulFrom;
    const spreads =
      (generation >= generationsMax && reach >= reachMax) ||
      (isDoubtful && generation >= doubtfulGenerations && reach >= doubtfulReach);
    return spreads ? [found('CONTAGION_SPREAD', span)] : [];
  }

  #hold({ known, span }: Followed, { from, to }: Travelling): readonly Finding[] {
    if (known === null || !isCopyOnwards(known, from, to)) return [];
    const generation = (known.holders.get(from)?.generation ?? 0) + 1;
    const { generationsMax, reachMax } = this.#limits;
    const travels = generation >= generationsMax - 1 && known.holders.size >= reachMax / 2;
    return travels ? [found('CONTAGION_TRAVELS', span)] : [];
  }

  #carried(message: Travelling, followed: readonly Followed[], doubt: number): void {
    const { id, from, to, task, label, atMs } = message;
    this.#traffic.carried(from, to, atMs);
    this.#doubts.handed(to, task, doubt, atMs);
    const carriage = { message: id, from, to, atMs, origins: label.origins };
    const spans = followed.map(({ sketch, span: { path, start, end } }) => {
      const lineage = this.#lineages.carried(sketch, carriage).id;
      return { lineage, place: this.#sketcher.markOf(path), depth: depthOf(path), start, end };
    });
    if (spans.length === 0) return;
    this.#messages.set(id, { to, spans });
    if (this.#messages.size <= messagesMax) return;
    const [oldest] = this.#messages.keys();
    if (oldest !== undefined) this.#messages.delete(oldest);
  }

  /** Where a finding stands; null where it names no place. */
  #standing({ path, start, end }: Finding): Standing | null {
    if (path === null || start === null || end === null) return null;
    const place = this.#sketcher.markOf(path);
    return { place, depth: depthOf(path), start, end, isPartial: path.split('/').includes('*') };
  }
}

/** A name that is evidence itself is not shown: then any name may have stood there. */
function isAbout(found: Standing, { place, depth, start, end }: RememberedSpan): boolean {
  const isSamePlace = found.place === place || (found.isPartial && found.depth === depth);
  return isSamePlace && found.start < end && start < found.end;
}

function depthOf(path: string): number {
  return path.split('/').length;
}

/** The sender was sent this text itself, and the recipient does not have it yet. */
function isCopyOnwards(known: Lineage, from: string, to: string): boolean {
  const sender = known.holders.get(from);
  return sender !== undefined && sender.from !== null && !known.holders.has(to);
}

function ownDoubt(message: Travelling, signs: readonly Sign[], cut: boolean): number {
  const doubted = message.verdicts.filter(({ outcome }) => outcome !== 'GO').length;
  const model = message.probability !== null && message.probability > 0 ? message.probability : 0;
  const about = signs.filter(({ lineage }) => lineage !== null).length;
  const doubts = Math.min(2, doubted) + Math.min(2, about) + (cut ? 1 : 0) + (message.unread ? 1 : 0);
  return doubts * doubtOfFinding + Math.min(1, model) / 2;
}

function found(code: ContagionCode, span: Span | null = null): Finding {
  const base = finding(code, 'contagion/lineage', span?.path ?? null);
  return span === null ? base : { ...base, start: span.start, end: span.end };
}
