// SPDX-License-Identifier: Apache-2.0
import type { Epistemic, Outgoing } from './envelope.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

export type Beside = {
  readonly metadata: Outgoing['metadata'];
  readonly epistemic: Epistemic | null;
};

/**
 * What an agent says beside its payload, for those who read what it says; null where that is nothing. It is handed to the
 * recipient's agent like the payload, and no schema bounds it.
 */
export function textsBeside({ metadata, epistemic }: Beside): JsonObject | null {
  const { assumptions = [], unknowns = [] } = epistemic ?? {};
  const said = {
    ...(assumptions.length === 0 ? {} : { assumptions }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(unknowns.length === 0 ? {} : { unknowns }),
  };
  return Object.keys(said).length === 0 ? null : said;
}

/** The same with other texts: those of `textsBeside`, rewritten. */
export function withTextsBeside({ metadata, epistemic }: Beside, texts: JsonValue): Beside {
  const written = isJsonObject(texts) ? texts : {};
  const { metadata: named = null } = written;
  const stringsOf = (value: JsonValue | undefined): readonly string[] =>
    (Array.isArray(value) ? value : []).flatMap((item: JsonValue) => (typeof item === 'string' ? [item] : []));
  const pairs = isJsonObject(named) ? Object.entries(named) : [];
  return {
    metadata: pairs.length === 0 ? metadata
      : Object.fromEntries(pairs.flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : []))),
    epistemic: epistemic === null ? null : {
      ...epistemic, assumptions: stringsOf(written['assumptions']), unknowns: stringsOf(written['unknowns']),
    },
  };
}
