// SPDX-License-Identifier: Apache-2.0
import {
  askBreaker,
  closedBreaker,
  reportToBreaker,
  type BreakerSettings,
  type BreakerState,
  type CallEnd,
} from './breaker.ts';
import { endless, limitUnits, sliceEndMs, unitsOf, unitsPerOne, type Charge } from './charge.ts';
import type { BoundsCode } from './codes.ts';
import type { Charged, Ledger, LedgerView } from './ledger.ts';

/** Requests of one idempotency key that may hold one allotment; an honest repeat needs few. */
const holdersMax = 16;
/** How long a request that comes again finds its allotment. */
export const keepMs = 2 * 3_600_000;

/** A call that asks for its allotment, with everything that bounds it. */
export type Asking = {
  /** One for calls that share executor, requester, task, amounts and key; a read has its own. */
  readonly id: string;
  /** Who would run it. */
  readonly executor: string;
  /** The request that asks. */
  readonly holder: string;
  readonly charges: readonly Charge[];
  readonly breakers: readonly BreakerUse[];
  readonly retry: Retry | null;
  /** How long after the answer the call may begin; it is charged as if it began at the end. */
  readonly validMs: number;
  /** A person let it go beyond the share at which people are asked. */
  readonly released: boolean;
};

export type BreakerUse = {
  readonly key: string;
  readonly settings: BreakerSettings;
  readonly code: BoundsCode;
};

/** Failures of one kind of call in one task: `most` of them may be tried again. */
export type Retry = { readonly key: string; readonly most: number; readonly untilMs: number };

export type AllotmentAnswer =
  /** `probe`: a breaker wants to hear of the end, also of a good one. */
  | { readonly outcome: 'granted'; readonly probe: boolean }
  | { readonly outcome: 'refused'; readonly code: string; readonly bound: string }
  /** Nothing was allotted: ask again, released, once people have decided on all of the codes. */
  | {
      readonly outcome: 'escalate';
      readonly code: string;
      readonly bound: string;
      readonly also?: readonly string[] | undefined;
    };

/** A breaker that opened, or closed again; that it lets calls probe follows from the time alone. */
export type BreakerTurn = { readonly breaker: string; readonly to: 'open' | 'closed' };

/**
 * Hands out one allotment or says why not (EC-2.3). Nothing is charged unless everything fits, and
 * a sum stands at its limit at most, never above it: whoever calls this does so alone, and answers
 * only once it is durable. The same request asks again after a crash and is charged once.
 */
export function allot(ledger: Ledger, asking: Asking, clockMs: number): AllotmentAnswer {
  const nowMs = timeOf(ledger, clockMs);
  if (nowMs === null) return refused('BOUNDS_STORE_UNAVAILABLE', 'clock');
  const passed = passBreakers(ledger, asking, nowMs);
  if (passed.outcome !== 'pass') return passed;
  const { retry } = asking;
  if (retry !== null && !(ledger.sum(retry.key, -Infinity) <= limitUnits(retry.most))) {
    return refused('BOUNDS_RETRIES_SPENT', retry.key);
  }
  const known = ledger.allotment(asking.id);
  const charges = merged(asking.charges);
  // The same call once more runs once at most, so it is charged once: as of now, since it may begin
  // later than whoever asked first.
  for (const charged of known?.charged ?? []) ledger.takeBack(charged);
  const against = chargesAgainst(ledger, charges, asking.released, nowMs);
  if (against !== null) {
    for (const charged of known?.charged ?? []) {
      ledger.takeBack({ ...charged, units: -charged.units });
    }
    return against;
  }
  for (const [key, state] of passed.states) ledger.saveBreaker(key, state);
  const charged = charges.flatMap((charge) => chargeNow(ledger, charge, asking.validMs, nowMs));
  const granted = { outcome: 'granted', probe: passed.probe } as const;
  // What is charged nothing has nothing to give back, and costs no write.
  if (known === null && charged.length === 0) return granted;
  ledger.noteTime(nowMs);
  const holders = withHolder(known?.holders ?? [], asking.holder);
  const { id, executor } = asking;
  ledger.saveAllotment({ id, executor, holders, charged }, nowMs + keepMs);
  return granted;
}

function chargeNow(
  ledger: Ledger,
  charge: Charge,
  validMs: number,
  nowMs: number,
): readonly Charged[] {
  const units = unitsOf(charge.amount) ?? 0;
  if (units === 0) return [];
  const endMs = sliceEndMs(charge.windowMs, nowMs + validMs);
  const added = { key: sumKey(charge), endMs, units };
  ledger.add(added, charge.windowMs === null ? charge.untilMs : endMs + charge.windowMs);
  return [added];
}

/**
 * A call ended. What certainly did nothing comes back, of several calls the share that was unused;
 * a call in doubt stays charged, whichever sidecar says later that it did not run; only an operator
 * settles it, see `giveBackDoubt`. What was heard before
 * changes nothing. Returns the breakers that opened or closed.
 */
export function settle(
  ledger: Ledger,
  asking: Asking,
  end: CallEnd,
  unusedShare: number,
  clockMs: number,
): readonly BreakerTurn[] {
  const nowMs = timeOf(ledger, clockMs);
  if (nowMs === null) return [];
  const doubt = doubtOf(asking.id);
  // A call in doubt is one failure, however many requests are told of it.
  const heard = end === 'in-doubt' ? doubt : `${asking.id} ${asking.holder} failed`;
  const hasFailed = end === 'failed' || end === 'in-doubt';
  const before = hasFailed ? ledger.allotment(heard) : null;
  const told = end === 'in-doubt' ? withHolder(before?.holders ?? [], asking.holder) : [];
  const note = { id: heard, executor: '', holders: told, charged: [] };
  if (before !== null) {
    if (told.length > before.holders.length) ledger.saveAllotment(note, nowMs + keepMs);
    return [];
  }
  const turned = tellBreakers(ledger, asking, end, nowMs);
  if (hasFailed) {
    ledger.noteTime(nowMs);
    ledger.saveAllotment(note, nowMs + keepMs);
    if (asking.retry !== null) {
      const failure = { key: asking.retry.key, endMs: endless, units: unitsPerOne };
      ledger.add(failure, asking.retry.untilMs);
    }
  }
  const known = ledger.allotment(asking.id);
  if (end === 'done' || end === 'in-doubt' || known === null) return turned;
  if (!known.holders.includes(asking.holder) || ledger.allotment(doubt) !== null) return turned;
  const others = known.holders.filter((holder) => holder !== asking.holder);
  if (others.length > 0) ledger.saveAllotment({ ...known, holders: others }, nowMs + keepMs);
  else {
    for (const charged of known.charged) {
      ledger.takeBack({ ...charged, units: Math.floor(charged.units * unusedShare) });
    }
    ledger.dropAllotment(known.id);
  }
  return turned;
}

/** Under this id stands who was told that the call of an allotment is in doubt. */
export function doubtOf(allotment: string): string {
  return `${allotment} in-doubt`;
}

function tellBreakers(
  ledger: Ledger,
  asking: Asking,
  end: CallEnd,
  nowMs: number,
): readonly BreakerTurn[] {
  return asking.breakers.flatMap(({ key, settings }) => {
    const before = ledger.breaker(key) ?? closedBreaker;
    const after = reportToBreaker(before, asking.holder, end, nowMs, settings);
    if (after !== before) ledger.saveBreaker(key, after);
    const isTurn = after.state !== before.state && after.state !== 'half-open';
    return isTurn ? [{ breaker: key, to: after.state }] : [];
  });
}

/** Never earlier than anything that was charged: a clock set back gives nothing back. */
function timeOf(ledger: LedgerView, clockMs: number): number | null {
  const nowMs = Math.max(clockMs, ledger.latestMs());
  return nowMs >= 0 && nowMs < Infinity ? nowMs : null;
}

type Passed =
  | {
      readonly outcome: 'pass';
      readonly probe: boolean;
      /** To be kept if the call is allotted what it asks for. */
      readonly states: readonly (readonly [string, BreakerState])[];
    }
  | Extract<AllotmentAnswer, { outcome: 'refused' }>;

function passBreakers(ledger: Ledger, asking: Asking, nowMs: number): Passed {
  let probe = false;
  const states: (readonly [string, BreakerState])[] = [];
  for (const { key, settings, code } of asking.breakers) {
    const before = ledger.breaker(key);
    if (before === null) continue;
    const { state, answer } = askBreaker(before, asking.holder, nowMs, settings);
    if (answer === 'open') return { outcome: 'refused', code, bound: key };
    if (state !== before) states.push([key, state]);
    probe ||= answer === 'probe';
  }
  return { outcome: 'pass', probe, states };
}

/** Refusals first: an escalation must not ask people for what cannot be. */
function chargesAgainst(
  ledger: Ledger,
  charges: readonly Charge[],
  released: boolean,
  nowMs: number,
): AllotmentAnswer | null {
  const beyond: Charge[] = [];
  for (const charge of charges) {
    const units = unitsOf(charge.amount);
    if (units === null) return refused('BOUNDS_AMOUNT_INVALID', charge.key);
    const used = ledger.sum(sumKey(charge), sinceOf(charge, nowMs));
    const fits = used >= 0 && used + units <= limitUnits(charge.most);
    if (!fits) return refused(charge.code, charge.key);
    if (units === 0 || charge.escalateAt === null) continue;
    if (!(used + units <= limitUnits(charge.escalateAt))) beyond.push(charge);
  }
  const unreleased = beyond.find((charge) => !(ledger.releasedUntilMs(sumKey(charge)) > nowMs));
  if (unreleased === undefined) return null;
  if (!released) {
    return { outcome: 'escalate', code: 'BOUNDS_HALF_REACHED', bound: unreleased.key };
  }
  for (const charge of beyond) {
    const untilMs = charge.windowMs === null ? charge.untilMs : nowMs + charge.windowMs;
    ledger.release(sumKey(charge), untilMs);
  }
  return null;
}

/** A sum that is named twice is charged once, with both amounts, under the stricter limit. */
function merged(charges: readonly Charge[]): readonly Charge[] {
  const byKey = new Map<string, Charge>();
  for (const charge of charges) {
    const key = sumKey(charge);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? charge : {
      ...known,
      amount: known.amount + charge.amount,
      most: Math.min(known.most, charge.most),
      untilMs: Math.max(known.untilMs, charge.untilMs),
    });
  }
  return [...byKey.values()];
}

/** What is used of a limit now, in ones; for people who look. */
export function usedOf(
  ledger: LedgerView,
  charge: Pick<Charge, 'key' | 'windowMs'>,
  clockMs: number,
): number {
  const nowMs = timeOf(ledger, clockMs) ?? Number.NaN;
  return ledger.sum(sumKey(charge), sinceOf(charge, nowMs)) / unitsPerOne;
}

function sumKey({ key, windowMs }: Pick<Charge, 'key' | 'windowMs'>): string {
  return `${key}/${windowMs ?? 'all'}`;
}

function sinceOf({ windowMs }: Pick<Charge, 'windowMs'>, nowMs: number): number {
  return windowMs === null ? -Infinity : nowMs - windowMs;
}

/** Beyond the bound nobody gives it back any more, which is the safe side. */
function withHolder(holders: readonly string[], holder: string): readonly string[] {
  if (holders.includes(holder)) return holders;
  if (holders.length < holdersMax) return [...holders, holder];
  return holders.includes(manyHolders) ? holders : [...holders, manyHolders];
}

const manyHolders = 'many';

function refused(code: string, bound: string): Extract<AllotmentAnswer, { outcome: 'refused' }> {
  return { outcome: 'refused', code, bound };
}
