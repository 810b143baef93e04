// SPDX-License-Identifier: Apache-2.0
import { absorb, freshContext, type AgentContext } from '../label/context.ts';
import { ValueIndex, type IndexedValue, type SourceOf } from '../label/value-index.ts';
import { promptValues } from '../label/text-values.ts';
import type { Told } from '../label/belief.ts';
import type { EnvelopeBody, Epistemic, Label } from '../message/envelope.ts';
import { actionOutcomeSchema } from '../message/action-request.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import type { Authority } from './authority.ts';
import type { HeldMandate, SidecarStore } from './ports.ts';
import type { TaskPlace } from './outbound.ts';

const storedKeysMax = 16_384;
/** Tasks an agent may stand in at one time; the one it left alone for longest gives way. */
const placesMax = 16_384;
const inputsPerTaskMax = 32;
const latestInputsMax = 256;
/** Of one task: its own mandates, and those that show the rights of who led to it. */
const mandatesPerTaskMax = 64;
const tasksMax = 4096;

/** Something handed to the agent: what it taints, and which of its values have a source. */
export type Reading = {
  readonly id: string;
  readonly label: Label;
  readonly value: JsonValue;
  /** Each names the source of the whole value at a pointer, or null where anybody chose it. */
  readonly sourcesOf: readonly SourceOf[];
  /** Values with a source that are no whole scalar of the value. */
  readonly derived?: readonly IndexedValue[];
  readonly place: TaskPlace | null;
  readonly task: string;
  /** Who wishes for something through it, and what it lets the agent ask for; absent is nothing. */
  readonly authority?: Authority;
  /** Of a message: what it says of how sure it is. Absent is a read of the agent's own. */
  readonly epistemic?: Epistemic | null;
  /** False where the process is told nothing new: it said that itself once, or was given nothing. */
  readonly isEvidence?: boolean;
  /** Family of its sender's model, where somebody declared one. */
  readonly family?: string | null;
};

/**
 * What one incarnation of the agent has read: label, causes, values with a source, and the tasks it
 * was given. Grows only, and is durable before the agent sees what made it grow, so that a crash
 * cannot launder a label.
 */
export class AgentMemory {
  readonly incarnation: string;
  readonly #store: SidecarStore;
  readonly #values = new ValueIndex();
  /** Values already on disk, so that a value read again costs no row. */
  readonly #stored = new Set<string>();
  readonly #places = new Map<string, TaskPlace>();
  /** Latest inputs of each task, as causes of what is sent in it. */
  readonly #inputs = new Map<string, readonly string[]>();
  /** By task; see `HeldMandate`. */
  readonly #mandates = new Map<string, readonly HeldMandate[]>();
  #context: AgentContext;

  constructor(incarnation: string, store: SidecarStore) {
    this.incarnation = incarnation;
    this.#store = store;
    this.#context = store.context(incarnation) ?? freshContext;
    this.#values.restore(this.#unstored(store.values(incarnation)));
    const given = [...store.messages('handed', 10_000), ...store.messages('done', 10_000)];
    for (const message of given) {
      if (message.incarnation !== incarnation) continue;
      this.#learnPlace(placeAfter(message.body));
      this.#noteInput(message.body.task, message.body.id);
    }
    for (const held of store.mandates(incarnation)) this.#hold(held);
  }

  get context(): AgentContext {
    return this.#context;
  }

  get values(): ValueIndex {
    return this.#values;
  }

  /** Null for a task this agent was never in, or left alone for thousands of others. */
  place(task: string): TaskPlace | null {
    const place = this.#places.get(task);
    if (place !== undefined) this.#learnPlace(place);
    return place ?? null;
  }

  /** What the process was given last, in whatever task; oldest first, at most 256. */
  latestInputs(): readonly string[] {
    return [...this.#inputs.values()].flat().slice(-latestInputsMax);
  }

  inputs(task: string): readonly string[] {
    return this.#inputs.get(task) ?? [];
  }

  /** What the process was given for this task, newest last. */
  mandates(task: string): readonly HeldMandate[] {
    return this.#mandates.get(task) ?? [];
  }

  /** Keeps a mandate that no message brought; its task is one that the agent stands in now. */
  async hold(mandate: HeldMandate): Promise<void> {
    this.#hold(mandate);
    const nothing = { values: [], handed: [], done: [], entries: [] };
    const { incarnation } = this;
    const context = this.#context;
    await this.#store.absorb({ ...nothing, incarnation, context, mandates: [mandate] });
  }

  startTask(place: TaskPlace): void {
    this.#learnPlace(place);
  }

  /** Resolves when everything the readings do to this incarnation is durable. */
  async absorb(
    readings: readonly Reading[],
    handed: readonly string[],
    done: readonly string[] = [],
  ): Promise<void> {
    let context = this.#context;
    const added: IndexedValue[] = [];
    const held: HeldMandate[] = [];
    for (const reading of readings) {
      const { principals = [], mandates = [] } = reading.authority ?? {};
      context = absorb(context, { id: reading.id, label: reading.label, principals, ...toldBy(reading, context) });
      held.push(...mandates);
      for (const sourceOf of reading.sourcesOf) {
        added.push(...this.#values.indexValues(reading.value, sourceOf));
      }
      this.#values.restore(reading.derived ?? []);
      added.push(...(reading.derived ?? []));
      if (reading.place !== null) this.#learnPlace(reading.place);
      this.#noteInput(reading.task, reading.id);
    }
    // The label rises before the write, so that nothing sent meanwhile carries the older one.
    this.#context = context;
    for (const mandate of held) this.#hold(mandate);
    await this.#store.absorb({
      incarnation: this.incarnation,
      context,
      values: this.#unstored(added),
      mandates: held,
      handed,
      done,
      entries: [],
    });
  }

  /** What the agent has dealt with; resolves when that is durable, which may take a few milliseconds. */
  async finish(done: readonly string[]): Promise<void> {
    if (done.length > 0) await this.#store.finish(this.incarnation, done);
  }

  #unstored(values: readonly IndexedValue[]): readonly IndexedValue[] {
    if (this.#stored.size > storedKeysMax) this.#stored.clear();
    return values.filter(({ value, source }) => {
      const key = `${source} ${value}`;
      return !this.#stored.has(key) && this.#stored.add(key);
    });
  }

  #noteInput(task: string, id: string): void {
    const latest = [...(this.#inputs.get(task) ?? []), id].slice(-inputsPerTaskMax);
    this.#inputs.delete(task);
    this.#inputs.set(task, latest);
    if (this.#inputs.size <= tasksMax) return;
    const [oldest] = this.#inputs.keys();
    if (oldest !== undefined) this.#inputs.delete(oldest);
  }

  #hold(mandate: HeldMandate): void {
    const { task } = mandate;
    const known = this.#mandates.get(task) ?? [];
    this.#mandates.delete(task);
    this.#mandates.set(task, [...known, mandate].slice(-mandatesPerTaskMax));
    const [oldest] = this.#mandates.size > tasksMax ? this.#mandates.keys() : [];
    if (oldest !== undefined) this.#mandates.delete(oldest);
    if (mandate.isOwn) this.#learnPlace({ task, hop: 1, goalHash: null, isOrigin: false });
  }

  /** The deepest hop wins: handing a task back does not make it younger. */
  #learnPlace(place: TaskPlace): void {
    const known = this.#places.get(place.task);
    this.#places.delete(place.task);
    const deepest = known !== undefined && known.hop >= place.hop ? known : place;
    const isOrigin = place.isOrigin || known?.isOrigin === true;
    this.#places.set(place.task, { ...deepest, isOrigin });
    const [oldest] = this.#places.size > placesMax ? this.#places.keys() : [];
    if (oldest !== undefined) this.#places.delete(oldest);
  }
}

/**
 * Where the recipient of a message stands in its task. The answer to an action request hands
 * nothing on: whoever asked stands where it stood, however many actions the task takes.
 */
export function placeAfter(body: EnvelopeBody): TaskPlace {
  const handedOn = body.schema === actionOutcomeSchema ? -1 : 1;
  const hop = Math.max(1, body.hop + handedOn);
  return { task: body.task, hop, goalHash: body.goalHash, isOrigin: false };
}

/**
 * A delivered message as a reading: its label and the sources its sender's sidecar stamped. In a
 * person's own prompt every whole value is from the prompt, and so are the values inside the
 * members that its schema declares as `prose`; a third party has no say in any of them.
 */
export function readingOf(body: EnvelopeBody, prose: readonly string[] = []): Reading {
  const prompt = body.provenance.source === 'user' && body.label.integrity === 'trusted';
  return {
    id: body.id,
    label: body.label,
    value: body.payload,
    sourcesOf: prompt ? [() => 'prompt'] : stampedSources(body),
    derived: prompt ? prose.flatMap((member) => valuesInMember(body.payload, member)) : [],
    place: placeAfter(body),
    task: body.task,
    epistemic: body.epistemic,
  };
}

/** Nothing, for the message that says nothing of it and for a process that was never told. */
function toldBy(
  { task, label, epistemic, family = null, isEvidence = true }: Reading,
  { beliefs = [] }: AgentContext,
): { readonly told?: Told } {
  const isMessage = epistemic !== undefined;
  const says = isMessage ? epistemic !== null : isEvidence && beliefs.length > 0;
  return says ? { told: { task, label, epistemic: epistemic ?? null, isMessage, family } } : {};
}

function valuesInMember(payload: JsonValue, member: string): readonly IndexedValue[] {
  if (!isJsonObject(payload) || !Object.hasOwn(payload, member)) return [];
  const text = payload[member];
  return typeof text === 'string' ? promptValues(text) : [];
}

function stampedSources(body: EnvelopeBody): readonly SourceOf[] {
  const named = new Set(Object.values(body.sources).flat());
  return [...named].map(
    (source) => (pointer) => (body.sources[pointer]?.includes(source) === true ? source : null),
  );
}
