// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What `maso replay` says of a corpus it cannot use as it stands. */
export const replayCodes = {
  REPLAY_FILE_UNREADABLE: {
    means: 'The corpus could not be read to its end.',
    mend: 'Check path, rights and, for .gz, that the file is whole.',
    agentSees: 'UNAVAILABLE',
  },
  REPLAY_NO_ROWS: {
    means: 'The corpus holds no row that can be replayed.',
    mend: 'Give JSON lines with the string members id, text, label and channel.',
    agentSees: 'INVALID',
  },
  REPLAY_ROW_TOO_LONG: {
    means: 'A line of the corpus is longer than a row may be.',
    mend: 'Split the text, or leave the row out.',
    agentSees: 'INVALID',
  },
  REPLAY_ROW_NOT_UTF8: {
    means: 'A line of the corpus is not valid UTF-8.',
    mend: 'Write the file as UTF-8.',
    agentSees: 'INVALID',
  },
  REPLAY_ROW_NOT_JSON: {
    means: 'A line of the corpus is not one JSON object.',
    mend: 'Write one JSON object on each line.',
    agentSees: 'INVALID',
  },
  REPLAY_ROW_INCOMPLETE: {
    means: 'A row lacks id, text, label or channel, or one of them is not of the allowed form.',
    mend: 'Give text as a string; label and channel as short lower-case names.',
    agentSees: 'INVALID',
  },
  REPLAY_TEXT_TOO_LONG: {
    means: 'The text of a row is longer than the replay mesh takes.',
    mend: 'Split the text, or leave the row out.',
    agentSees: 'INVALID',
  },
  REPLAY_TEXT_ILL_FORMED: {
    means: 'The text of a row holds half a surrogate pair, which no JSON text may carry.',
    mend: 'Write the row anew from well-formed text.',
    agentSees: 'INVALID',
  },
  REPLAY_MESH_FAILED: {
    means: 'The private mesh of the replay did not start, or ended early.',
    mend: 'Read the lines it wrote on standard error.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ReplayCode = keyof typeof replayCodes;

export class ReplayError extends Error {
  readonly code: ReplayCode;
  constructor(code: ReplayCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReplayError';
    this.code = code;
  }
}
