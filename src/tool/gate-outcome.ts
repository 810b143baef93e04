// SPDX-License-Identifier: Apache-2.0
import type { IndexedValue } from '../label/value-index.ts';
import type { Label } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { Verdict } from '../review/verdict.ts';

/**
 * DONE: the tool answered and the result passed every control. REFUSED and FAILED: of a write,
 * nothing was done. IN-DOUBT: only of a write: the effect may have happened; nobody calls again.
 */
export type GateOutcome = {
  readonly status: 'DONE' | 'REFUSED' | 'IN-DOUBT' | 'FAILED';
  /** The operator's code; null when DONE. */
  readonly code: string | null;
  /** Null unless DONE. */
  readonly result: JsonValue;
  /** Null unless DONE. */
  readonly label: Label | null;
  /** `tool.operation.field` for a trusted or internal field at this JSON Pointer, else null. */
  readonly sourceOf: (pointer: string) => string | null;
  /** Values with a source that are no whole scalar of the result; empty unless DONE. */
  readonly derived: readonly IndexedValue[];
  /** What the controls said about the result. */
  readonly verdicts: readonly Verdict[];
  /** Id of the entry that records this end: the cause of whatever follows. */
  readonly entry: string;
};

/** What was decided, before it is recorded. */
export type Decision = Omit<GateOutcome, 'entry'>;

export function withoutResult(
  status: 'REFUSED' | 'IN-DOUBT' | 'FAILED',
  code: string | null,
  verdicts: readonly Verdict[] = [],
): Decision {
  return { status, code, result: null, label: null, sourceOf: () => null, derived: [], verdicts };
}
