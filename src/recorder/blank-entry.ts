// SPDX-License-Identifier: Apache-2.0
import type { EntryDraft } from './entry.ts';

/** An entry about nobody's task or message, to be filled in; `given` stands in the place of nothing. */
export function blankEntry(
  given: Pick<EntryDraft, 'kind' | 'id' | 'at' | 'actor'> & Partial<EntryDraft>,
): EntryDraft {
  return {
    task: null,
    message: null,
    causedBy: [],
    outcome: null,
    code: null,
    verdicts: [],
    tookUs: null,
    detail: {},
    ...given,
  };
}
