// SPDX-License-Identifier: Apache-2.0
import type { VerifyCode } from './codes.ts';
import type { Entry } from './entry.ts';
import type { Findings } from './findings.ts';
import { SeenIds } from './seen-ids.ts';
import type { SeenId } from './seen-ids.ts';

/** The last review of a request: by whom, what it came to, under which mandate. */
type Review = { readonly by: string; readonly outcome: string | null; readonly mandate: string };

/** What the log has said of a message, or of a call that an agent makes of its own tool. */
const hasSteps = 1;
const admitted = 2;
const intended = 4;

type Generation = { readonly ids: SeenIds; readonly reviews: Map<string, Review> };
type Steps = { readonly kept: Generation; readonly slot: number };

/**
 * Looks whether what had to come first did: each named cause, the admission of what is delivered,
 * the review and the mandate of each action, the intent of each call. Ids are kept in two
 * generations; what is older than they reach is neither confirmed nor doubted, only counted.
 */
export class Completeness {
  readonly #idsMax: number;
  readonly #findings: Findings;
  #younger: Generation;
  #older: Generation;
  #forgot = false;
  #unchecked = 0;
  /** Entries for which a pruned one may be what is missing. */
  #doubtful = 0;
  readonly #message: SeenId = { low: 0, high: 0 };
  readonly #other: SeenId = { low: 0, high: 0 };

  constructor(idsMax: number, findings: Findings) {
    this.#idsMax = Math.max(2, idsMax);
    this.#findings = findings;
    const key = crypto.getRandomValues(new Int32Array(2));
    const generation = () => ({ ids: new SeenIds(this.#idsMax / 2, key), reviews: new Map() });
    this.#younger = generation();
    this.#older = generation();
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
    const { id, kind, message, causedBy, detail, sequence } = entry;
    if (message !== null) this.#step(entry, message);
    for (const cause of causedBy) {
      // An entry may name its own message: the message came before the step that it is about. Pieces of
      // documents are named by nothing else: what took them in names their source.
      if (cause === message || kind === 'knowledge.read' || this.#isKnown(cause)) continue;
      this.#missing('VERIFY_CAUSE_UNKNOWN', sequence);
    }
    const { ids } = this.#younger;
    ids.add(ids.idOf(id, this.#other));
    // What an agent keeps is read again under an id of its own.
    const { item } = detail;
    if (kind === 'memory.written' && typeof item === 'string') ids.add(ids.idOf(item, this.#other));
    if (!ids.isFull) return;
    if (!this.#older.ids.isEmpty) this.#forgot = true;
    [this.#younger, this.#older] = [this.#older, this.#younger];
    this.#younger.ids.clear();
    this.#younger.reviews.clear();
  }

  #step(entry: Entry, message: string): void {
    const { kind, sequence } = entry;
    const steps = this.#stepsOf(message);
    switch (kind) {
      case 'message.admitted':
        return steps.kept.ids.mark(steps.slot, admitted);
      case 'message.delivered':
        if (!has(steps, admitted)) this.#missing('VERIFY_DELIVERY_UNADMITTED', sequence);
        return;
      case 'request.reviewed':
        return this.#reviewed(entry, steps);
      case 'tool.intent':
        steps.kept.ids.mark(steps.slot, intended);
        return this.#intent(entry, steps);
      case 'tool.outcome':
      case 'tool.in-doubt':
        if (!has(steps, intended) && !this.#isAnnounced(entry.detail['repeats'])) {
          this.#missing('VERIFY_CALL_UNANNOUNCED', sequence);
        }
        return;
      default:
    }
  }

  #reviewed({ actor, outcome, detail }: Entry, { kept }: Steps): void {
    const review = { by: copied(nameIn(actor)), outcome, mandate: textOf(detail['mandate']) };
    kept.reviews.set(this.#messageKey(), review);
  }

  /** A call that answers an action request: only after its executor's review, under its mandate. */
  #intent({ detail, actor, sequence }: Entry, { kept }: Steps): void {
    const { action, risk } = detail;
    if (typeof action !== 'string') return;
    const review = kept.reviews.get(this.#messageKey());
    const risky = risk !== 'LOW' && risk !== 'MEDIUM';
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
    const steps = this.#find(textOf(first), this.#other, hasSteps);
    return steps !== null && has(steps, intended);
  }

  #missing(code: VerifyCode, sequence: number): void {
    if (this.#forgot || this.#doubtful > 0) this.#unchecked += 1;
    else this.#findings.add(code, sequence);
  }

  #isKnown(id: string): boolean {
    return this.#find(id, this.#other, 0) !== null;
  }

  #stepsOf(message: string): Steps {
    const known = this.#find(message, this.#message, hasSteps);
    if (known !== null) return known;
    const kept = this.#younger;
    const slot = kept.ids.add(this.#message);
    kept.ids.mark(slot, hasSteps);
    return { kept, slot };
  }

  /** Where the id stands with these marks, in the younger generation if in both. */
  #find(text: string, id: SeenId, marks: number): Steps | null {
    this.#younger.ids.idOf(text, id);
    for (const kept of [this.#younger, this.#older]) {
      const slot = kept.ids.find(id);
      if (slot >= 0 && (kept.ids.marks(slot) & marks) === marks) return { kept, slot };
    }
    return null;
  }

  #messageKey(): string {
    return `${this.#message.low} ${this.#message.high}`;
  }
}

function has({ kept, slot }: Steps, mark: number): boolean {
  return (kept.ids.marks(slot) & mark) !== 0;
}

/** `sidecar:payments` and `agent:payments` are one party. */
function nameIn(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}

/** A copy that does not hold on to the line that the text is a part of. */
function copied(text: string): string {
  return textOf(JSON.parse(JSON.stringify(text)));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
