// SPDX-License-Identifier: Apache-2.0
import type { VerifyCode } from './codes.ts';
import type { Entry } from './entry.ts';
import type { Findings } from './findings.ts';

/** What the log has said of a message, or of a call that an agent makes of its own tool. */
type Steps = {
  admitted: boolean;
  intended: boolean;
  /** The last review of the request: by whom, what it came to, under which mandate. */
  review: { readonly by: string; readonly outcome: string | null; readonly mandate: string } | null;
};

/**
 * Looks whether what had to come first did: each named cause, the admission of what is delivered,
 * the review and the mandate of each action, the intent of each call. Ids are kept in two
 * generations; what is older than they reach is neither confirmed nor doubted, only counted.
 */
export class Completeness {
  readonly #idsMax: number;
  readonly #findings: Findings;
  #younger = new Map<string, Steps | null>();
  #older = new Map<string, Steps | null>();
  #forgot = false;
  #unchecked = 0;
  /** Entries for which a pruned one may be what is missing. */
  #doubtful = 0;

  constructor(idsMax: number, findings: Findings) {
    this.#idsMax = Math.max(2, idsMax);
    this.#findings = findings;
  }

  get unchecked(): number {
    return this.#unchecked;
  }

  /** What came first may have been taken out since: that it is missing proves nothing any more. */
  pruned(): void {
    this.#doubtful = this.#idsMax;
  }

  look(entry: Entry): void {
    this.#doubtful -= 1;
    const { id, message, causedBy, sequence } = entry;
    if (message !== null) this.#step(entry, message);
    for (const cause of causedBy) {
      // An entry may name its own message: the message came before the step that it is about.
      if (cause === message || this.#younger.has(cause) || this.#older.has(cause)) continue;
      this.#missing('VERIFY_CAUSE_UNKNOWN', sequence);
    }
    if (!this.#younger.has(id)) this.#younger.set(id, null);
    if (this.#younger.size < this.#idsMax / 2) return;
    if (this.#older.size > 0) this.#forgot = true;
    this.#older = this.#younger;
    this.#younger = new Map();
  }

  #step(entry: Entry, message: string): void {
    const steps = this.#stepsOf(message);
    const { kind, outcome, detail, actor, sequence } = entry;
    switch (kind) {
      case 'message.admitted':
        steps.admitted = true;
        return;
      case 'message.delivered':
        if (!steps.admitted) this.#missing('VERIFY_DELIVERY_UNADMITTED', sequence);
        return;
      case 'request.reviewed':
        steps.review = { by: nameIn(actor), outcome, mandate: textOf(detail['mandate']) };
        return;
      case 'tool.intent':
        steps.intended = true;
        if (typeof detail['action'] === 'string') this.#intent(entry, steps);
        return;
      case 'tool.outcome':
      case 'tool.in-doubt':
        if (!steps.intended && !this.#isAnnounced(detail['repeats'])) this.#missing('VERIFY_CALL_UNANNOUNCED', sequence);
        return;
      default:
    }
  }

  /** A call that answers an action request: only after its executor's review, under its mandate. */
  #intent({ detail, actor, sequence }: Entry, { review }: Steps): void {
    const risky = detail['risk'] !== 'LOW' && detail['risk'] !== 'MEDIUM';
    const passed =
      review?.by === nameIn(actor) &&
      (review.outcome === 'GO' || (review.outcome === 'ESCALATE' && !risky));
    if (!passed) this.#missing('VERIFY_CALL_UNREVIEWED', sequence);
    const mandate = textOf(detail['mandate']);
    if (mandate === '' || review?.mandate !== mandate) {
      this.#missing('VERIFY_CALL_UNMANDATED', sequence);
    }
  }

  /** A repeated request is answered from the call that was made for the first one. */
  #isAnnounced(first: unknown): boolean {
    const known = this.#younger.get(textOf(first)) ?? this.#older.get(textOf(first));
    return known?.intended === true;
  }

  #missing(code: VerifyCode, sequence: number): void {
    if (this.#forgot || this.#doubtful > 0) this.#unchecked += 1;
    else this.#findings.add(code, sequence);
  }

  #stepsOf(message: string): Steps {
    const known = this.#younger.get(message) ?? this.#older.get(message);
    if (known !== undefined && known !== null) return known;
    const steps = { admitted: false, intended: false, review: null };
    this.#younger.set(message, steps);
    return steps;
  }
}

/** `sidecar:payments` and `agent:payments` are one party. */
function nameIn(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
