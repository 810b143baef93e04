// SPDX-License-Identifier: Apache-2.0
import type { EntryOf } from './mesh-file.ts';
import type { SensitiveParameter } from './mesh.ts';

type Given = EntryOf<'actions'>['sensitive'];

/** Sensitive parameters of an action, or arguments of a read, as the compliance check uses them. */
export function resolveSensitive(given: Given): Map<string, SensitiveParameter> {
  return new Map(Object.entries(given).map(([name, rule]) => [name, toSensitive(rule)]));
}

function toSensitive(given: Given[string]): SensitiveParameter {
  return {
    from: given.from,
    atMost: given.at_most ?? null,
    oneOf: given.one_of ?? null,
    always: new Set(given.always ?? []),
    ownWords: given.own_words ?? null,
    endorsable: given.endorsable,
  };
}
