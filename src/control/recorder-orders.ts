// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { verifyRecorderOrder } from '../identity/recorder-order.ts';
import type { RecorderAct, RecorderOrder } from '../identity/recorder-order.ts';
import type { Operator } from '../mesh/mesh.ts';
import { hasRight, type OperatorRight } from '../mesh/operator-roles.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Clock } from '../message/clock.ts';
import { isDigest, isName } from '../message/identifiers.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { Turns } from '../oversight/turns.ts';
import type { EntryDraft, EntryKind, Recorder } from '../recorder/entry.ts';
import type { PayloadKeyStore } from '../recorder/payload-key-store.ts';
import { entriesIn, parsePrunePlan, planDigest, rangesPerEntry } from '../recorder/prune-plan.ts';
import { refuse } from './refusal.ts';

export type RecorderOrdersContext = {
  /** Name of the log of this node. */
  readonly log: string;
  /** Durable entries, and how many of them lie in files that nobody writes any more. */
  readonly size: () => number;
  readonly closedSize: () => Promise<number>;
  readonly recorder: Recorder;
  readonly keys: Pick<PayloadKeyStore, 'epoch'>;
  readonly eraseKeys: (task: string) => Promise<number>;
  readonly clock: Clock;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly mintId: () => string;
  readonly turns: Turns;
};

export type RecorderOrderAnswer =
  | {
      readonly ok: true;
      /** Where the order stands in the log. */
      readonly sequence: number;
      /** Keys that were destroyed, by an order to erase. */
      readonly erased: number;
    }
  | { readonly ok: false; readonly code: string };

/** What a refusal is about, on record. */
const at = { at: 'recorder' };
const custodiansMax = 32;
/** Who opens payloads need not be who may destroy what is kept. */
const rightsOfActs: { readonly [act in RecorderAct]: OperatorRight } = {
  open: 'open', opened: 'open', hold: 'policy', release: 'policy', erase: 'policy', prune: 'policy',
};

/**
 * Takes an operator's signed order to the recorder, with what its digest is over. The order is durable
 * in the log before it takes effect; an erasure is repeated safely when a crash came between. The same
 * order again is answered alike.
 */
export function takeRecorderOrder(
  signed: string,
  attached: JsonValue | null,
  context: RecorderOrdersContext,
): Promise<RecorderOrderAnswer> {
  return context.turns.take(() => takeInTurn(signed, attached, context));
}

async function takeInTurn(
  signed: string,
  attached: JsonValue | null,
  context: RecorderOrdersContext,
): Promise<RecorderOrderAnswer> {
  const { operators } = context;
  const verified = verifyRecorderOrder(signed, (name) => operators.get(name)?.publicKey ?? null);
  if (!verified.ok) return refuse(verified.code, at, context);
  const order = verified.statement;
  if (!hasRight(operators.get(order.operator), rightsOfActs[order.act])) {
    return refuse('RECORDER_ORDER_ROLE', at, context);
  }
  if (order.log !== context.log) return refuse('RECORDER_ORDER_STALE', at, context);
  const prepared = await prepare(order, signed, attached, context);
  if (typeof prepared === 'string') return refuse(prepared, at, context);
  try {
    const receipts = await context.recorder.record(prepared, { privileged: true });
    const sequence = receipts[0]?.sequence ?? -1;
    const erased = order.act === 'erase' ? await context.eraseKeys(order.subject) : 0;
    return { ok: true, sequence, erased };
  } catch {
    // Not on record, or not erased: the operator hears so and gives the order again.
    return { ok: false, code: 'CONTROL_RECORDER_UNAVAILABLE' };
  }
}

/** The entries of the order, or the code of what speaks against it. */
async function prepare(
  order: RecorderOrder,
  signed: string,
  attached: JsonValue | null,
  context: RecorderOrdersContext,
): Promise<readonly EntryDraft[] | string> {
  const entry = (kind: EntryKind, more: JsonObject = {}, part = '') =>
    orderEntry(kind, order, { ...more, signed }, part, context);
  switch (order.act) {
    case 'hold':
      return [entry('record.held')];
    case 'release':
      return [entry('record.released')];
    case 'erase':
      return [{ ...entry('payload.erased'), task: order.subject }];
    case 'open': {
      const epoch = Number(order.subject);
      if (context.keys.epoch(epoch) === null) return 'RECORDER_EPOCH_UNKNOWN';
      return isRecipient(attached, order.digest)
        ? [entry('payload.asked', { epoch, recipient: attached })] : 'RECORDER_OPENING_REFUSED';
    }
    case 'opened': {
      const custodians = custodiansIn(attached, order.digest);
      return custodians === null
        ? 'RECORDER_OPENING_REFUSED' : [entry('payload.opened', { custodians })];
    }
    case 'prune':
      return pruneEntries(order, attached, entry, context);
    default:
      return order.act satisfies never;
  }
}

/** What lies in the file that is being written stays, whatever anybody signed. */
async function pruneEntries(
  order: RecorderOrder,
  attached: JsonValue | null,
  entry: (kind: EntryKind, more: JsonObject, part: string) => EntryDraft,
  { closedSize }: RecorderOrdersContext,
): Promise<readonly EntryDraft[] | string> {
  const plan = parsePrunePlan(attached ?? undefined);
  if (plan === null || planDigest(plan) !== order.digest) return 'RECORDER_PLAN_CHANGED';
  const end = plan.ranges.at(-1)?.[1] ?? 0;
  if (!(end <= (await closedSize()))) return 'RECORDER_PLAN_CHANGED';
  const parts = Math.ceil(plan.ranges.length / rangesPerEntry);
  return Array.from({ length: parts }, (_, part) => {
    const ranges = plan.ranges.slice(part * rangesPerEntry, (part + 1) * rangesPerEntry);
    return entry(
      'record.pruned',
      {
        part,
        parts,
        ranges: ranges.map((range) => [...range]),
        entries: entriesIn(ranges),
        retentionDays: { ...plan.retentionDays },
        measuredAt: plan.at,
      },
      `.${part}`,
    );
  });
}

/** What the operator signed is over a public key, so that nobody else's stands in the log for it. */
function isRecipient(attached: JsonValue | null, digest: string): attached is string {
  return typeof attached === 'string' && isDigest(attached) && digestOf(attached) === digest;
}

function custodiansIn(attached: JsonValue | null, digest: string): readonly string[] | null {
  if (!Array.isArray(attached) || attached.length > custodiansMax) return null;
  const names = attached.filter((name) => typeof name === 'string' && isName(name)).map(String);
  return names.length === attached.length && digestOf(names) === digest ? names : null;
}

/** What `open` and `opened` are signed over. */
export function digestOf(attached: string | readonly string[]): string {
  const value = typeof attached === 'string' ? attached : [...attached];
  return createHash('sha256').update(canonicalize(value)).digest('base64url');
}

function orderEntry(
  kind: EntryKind,
  { id, subject, operator, reason }: RecorderOrder,
  detail: JsonObject,
  part: string,
  { clock }: RecorderOrdersContext,
): EntryDraft {
  return {
    kind,
    id: `order.${id}${part}`,
    at: clock.nowMs(),
    actor: `operator:${operator}`,
    task: null,
    message: null,
    causedBy: [],
    outcome: null,
    code: null,
    verdicts: [],
    tookUs: null,
    detail: { order: id, subject, operator, reason, ...detail },
  };
}
