// SPDX-License-Identifier: Apache-2.0
import type { FieldReference } from '../mandate/mandate.ts';
import { readUnverified } from '../mandate/narrow.ts';
import type { TrustedField } from '../mandate/value.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody, Outgoing } from '../message/envelope.ts';
import { envelopeBounds, isSource } from '../message/envelope-parse.ts';
import type { JsonValue } from '../message/json.ts';
import { valueAt } from '../message/json-pointer.ts';
import type { HeldMandate, SidecarStore } from './ports.ts';

type Sources = EnvelopeBody['sources'];

/** What an agent holds, and was handed, for the task that it asks in. */
export type Handed = {
  readonly mandates: readonly HeldMandate[];
  /** Ids of messages, latest last. */
  readonly inputs: readonly string[];
};

/** As `sources` name a field of a message that a mandate names, by its id or that of its schema. */
function sourceOf({ message, pointer }: FieldReference): string {
  return `field:${message}:${pointer}`;
}

/**
 * Adds to the sources of an action request which of its values are, as a whole, the field of a trusted
 * message that a mandate for the task names (`equalTo`). Said by the requester's sidecar, like every
 * other source: the agent has no say in it. By the id of a schema the newest such message counts.
 */
export function withNamedFields(
  sources: Sources,
  outgoing: Outgoing,
  handed: Handed,
  store: Pick<SidecarStore, 'message'>,
): Sources {
  if (outgoing.schema !== actionRequestSchema) return sources;
  const references = namedBy(handed.mandates);
  if (references.size === 0) return sources;
  const request = parseActionRequest(outgoing.payload);
  if (!request.ok) return sources;
  const found = new Map(Object.entries(sources));
  for (const [source, reference] of references) {
    const field = fieldOf(reference, handed.inputs, store);
    if (field === undefined || !isSource(source)) continue;
    for (const pointer of placesOf(request.request.parameters, field)) {
      const stamped = [...new Set([...(found.get(pointer) ?? []), source])].sort();
      if (stamped.length > envelopeBounds.sourcesPerPointerMax) continue;
      if (!found.has(pointer) && found.size >= envelopeBounds.sourcePointersMax) continue;
      found.set(pointer, stamped);
    }
  }
  return Object.fromEntries(found);
}

/** The field that a mandate names, as the requester's sidecar found it in the request. */
export function namedFieldOf({ sources, payload }: EnvelopeBody): TrustedField {
  return (reference) => {
    const source = sourceOf(reference);
    const stamped = Object.entries(sources).find(
      ([pointer, named]) => pointer.startsWith('/parameters/') && named.includes(source),
    );
    return stamped === undefined ? undefined : valueAt(payload, stamped[0]);
  };
}

/** Each chain is read once, however many requests are made under it. */
const namedIn = new WeakMap<HeldMandate, readonly FieldReference[]>();

function namedBy(mandates: readonly HeldMandate[]): ReadonlyMap<string, FieldReference> {
  const references = mandates.flatMap((held) => {
    const named = namedIn.get(held) ?? referencesOf(held);
    namedIn.set(held, named);
    return named;
  });
  return new Map(references.map((reference) => [sourceOf(reference), reference]));
}

function referencesOf({ chain }: HeldMandate): readonly FieldReference[] {
  const read = readUnverified(chain);
  const rights = read.ok ? read.mandate.rights : [];
  return rights.flatMap((right) => Object.values(right.constraints).flatMap(({ equalTo }) => equalTo ?? []));
}

/** Undefined unless a message of that name, handed over in this task, is trusted and has the field. */
function fieldOf(
  { message, pointer }: FieldReference,
  inputs: readonly string[],
  store: Pick<SidecarStore, 'message'>,
): JsonValue | undefined {
  for (const id of inputs.toReversed()) {
    const body = store.message(id)?.body;
    const isNamed = body?.id === message || body?.schema === message;
    if (body === undefined || !isNamed || body.label.integrity !== 'trusted') continue;
    return valueAt(body.payload, pointer);
  }
  return undefined;
}

/** Where parameters, or items of their lists, are this very value. */
function placesOf(parameters: { readonly [name: string]: JsonValue }, field: JsonValue): readonly string[] {
  const text = canonicalize(field);
  return Object.entries(parameters).flatMap(([name, value]) => {
    const pointer = `/parameters/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const places: readonly (readonly [string, JsonValue])[] = Array.isArray(value)
      ? (value as readonly JsonValue[]).map((item, index) => [`${pointer}/${index}`, item])
      : [[pointer, value]];
    return places.flatMap(([place, item]) => (canonicalize(item) === text ? [place] : []));
  });
}
