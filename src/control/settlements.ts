// SPDX-License-Identifier: Apache-2.0
import { keysWith } from '../mesh/operator-roles.ts';
import { doubtfulHolders, giveBackDoubt } from '../bounds/give-back.ts';
import type { LedgerStore } from '../bounds/ledger.ts';
import { verifySettlement, type SettlementStatement } from '../identity/settlement-statement.ts';
import type { Mesh, Operator } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { Turns } from '../oversight/turns.ts';
import type { Recorder } from '../recorder/entry.ts';
import { refuse } from './refusal.ts';

/** What a refusal is about, on record. */
const at = { at: 'settlements' } as const;

/** An operator's statement on a call in doubt, on its way to the executor or there. */
export type Settlement = Pick<SettlementStatement, 'id' | 'executor' | 'call' | 'end'> & {
  readonly signed: string;
  /** Requests that were in doubt over this call when the statement came; see `doubtfulHolders`. */
  readonly doubtful: readonly string[];
  readonly state: 'waiting' | 'applied' | 'refused';
  /** Why the executor refused it; else null. */
  readonly code: string | null;
};

/** Keeps settlements for good. `save` resolves when it survives `kill -9`. */
export interface SettlementStore {
  byId(id: string): Settlement | null;
  ofCall(executor: string, call: string): readonly Settlement[];
  /** Those that the executor has not answered, the oldest first. */
  waiting(executor: string): readonly Settlement[];
  save(settlement: Settlement): Promise<void>;
}

export type SettlementsContext = {
  readonly mesh: Mesh;
  readonly store: SettlementStore;
  readonly ledger: Pick<LedgerStore, 'change'>;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly mintId: () => string;
  readonly turns: Turns;
};

export type SettlementAnswer =
  | { readonly ok: true; readonly settlement: Settlement }
  | { readonly ok: false; readonly code: string };

/** Codes after which the same statement may be given to the executor again. */
const passing: ReadonlySet<string> = new Set(['TOOL_NOT_RECORDED', 'TOOL_STORE_UNAVAILABLE']);

/**
 * Takes an operator's signed statement on a call in doubt; durable when it resolves, and then owed to
 * the executor until it answers. The executor alone knows the call, checks the signature itself, and
 * records the settlement before it takes effect. The same statement again is answered alike, and so
 * is another one to the same end while the first waits; one to the other end is refused.
 */
export function takeSettlement(
  signed: string,
  context: SettlementsContext,
): Promise<SettlementAnswer> {
  return context.turns.take(() => takeInTurn(signed, context));
}

async function takeInTurn(signed: string, context: SettlementsContext): Promise<SettlementAnswer> {
  const { mesh, store, ledger, operators } = context;
  const verified = verifySettlement(signed, keysWith(operators, 'operate'));
  if (!verified.ok) return refuse(verified.code, at, context);
  const { id, executor, call, end } = verified.statement;
  const known = store.byId(id);
  if (known !== null) {
    return known.signed === signed
      ? { ok: true, settlement: known }
      : refuse('IDENTITY_SETTLEMENT_MALFORMED', at, context);
  }
  if (!mesh.agents.has(executor)) return refuse('CONTROL_AGENT_UNKNOWN', at, context);
  const standing = store.ofCall(executor, call).find(({ state }) => state !== 'refused');
  if (standing?.state === 'waiting' && standing.end === end) {
    return { ok: true, settlement: standing };
  }
  if (standing !== undefined) return refuse('TOOL_CALL_SETTLED', at, context);
  try {
    const doubtful = end === 'done' ? [] : await ledger.change((state) =>
      doubtfulHolders(state, executor, call));
    const settlement: Settlement = {
      id, executor, call, end, signed, doubtful, state: 'waiting', code: null,
    };
    await store.save(settlement);
    return { ok: true, settlement };
  } catch {
    // Not durable, so it would be forgotten: nothing is sent.
    return { ok: false, code: 'CONTROL_SETTLEMENT_UNAVAILABLE' };
  }
}

/**
 * The executor answered. Of a call that did not run, what it was charged comes back; before the
 * settlement counts as applied, so that a crash between the two has it asked for once more. Null when
 * nothing of this executor waits for that answer. Rejects when the disk fails; it is answered again.
 */
export function settlementHeard(
  executor: string,
  id: string,
  code: string | null,
  context: SettlementsContext,
): Promise<Settlement | null> {
  return context.turns.take(async () => {
    const { store, ledger, clock } = context;
    const settlement = store.byId(id);
    if (settlement?.executor !== executor || settlement.state !== 'waiting') return null;
    const { call, end, doubtful } = settlement;
    if (code !== null && passing.has(code)) return { ...settlement, code };
    if (code === null && end === 'not-run') {
      const nowMs = clock.nowMs();
      await ledger.change((state) => giveBackDoubt(state, executor, call, doubtful, nowMs));
    }
    const answered = { ...settlement, state: code === null ? 'applied' : 'refused', code } as const;
    await store.save(answered);
    if (code !== null) await refuse(code, at, context);
    return answered;
  });
}
