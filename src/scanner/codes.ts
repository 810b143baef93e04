// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const scannerCodes = {
  SCAN_SCHEMA_UNKNOWN: {
    means: 'The message names a schema that the mesh file does not declare.',
    mend: 'Declare the schema in the mesh file, or correct the sender.',
    agentSees: 'INVALID',
  },
  SCAN_TYPE_MISMATCH: {
    means: 'The message type is not the one that its schema is declared for.',
    mend: 'Look for a sender that disguises one type as another.',
    agentSees: 'SESSION_ENDED',
  },
  SCAN_FREE_TEXT: {
    means: 'The payload is a bare string where the schema promises structure.',
    mend: 'Treat the sender as compromised; free text where a type is owed is evidence of it.',
    agentSees: 'SESSION_ENDED',
  },
  SCAN_SCHEMA_VIOLATION: {
    means: 'The payload does not match its schema.',
    mend: 'Compare the payload at the given path with the schema in the mesh file.',
    agentSees: 'INVALID',
  },
  SCAN_STRUCTURE: {
    means: 'The payload is deeper, longer or has more members than the limits allow.',
    mend: 'Send less, or raise the limit that the rule names.',
    agentSees: 'INVALID',
  },
  SCAN_SECRET: {
    means: 'A string has the form of a credential.',
    mend: 'Revoke the credential if it is real, and pass a reference instead of its value.',
    agentSees: 'REFUSED',
  },
  SCAN_INJECTION: {
    means: 'A string tries to instruct the model that reads it.',
    mend: 'Look at the source of the text; contain it if it is under attack.',
    agentSees: 'REFUSED',
  },
  SCAN_HIDDEN_TEXT: {
    means: 'A string holds characters that people cannot see and models read.',
    mend: 'Look at the source of the text; remove the characters if they are an accident.',
    agentSees: 'REFUSED',
  },
  SCAN_PERSONAL_DATA: {
    means: 'A string holds personal, financial or health data.',
    mend: 'See `scanner.data` in the mesh file; send it where its classification allows it.',
    agentSees: 'REFUSED',
  },
  SCAN_PROMPT_LEAK: {
    means: 'A message repeats the instructions of the agent that sends it.',
    mend: 'Look at what the agent was asked; its instructions may not leave it.',
    agentSees: 'REFUSED',
  },
  SCAN_UNSAFE_OUTPUT: {
    means: 'A message for a person holds content that runs, or a link that carries data out.',
    mend: 'Look at where the content came from; let the agent answer in plain text.',
    agentSees: 'REFUSED',
  },
  SCAN_MANIPULATION: {
    means: 'A message for a person presses or frightens them instead of informing.',
    mend: 'Read it as an outsider would before anything is decided by it.',
    agentSees: 'REFUSED',
  },
  SCAN_PATTERN: {
    means: 'A string matches a pattern of the mesh file.',
    mend: 'See the pattern that the rule names.',
    agentSees: 'REFUSED',
  },
  SCAN_BUDGET: {
    means: 'The work allowed for one scan was spent before the rule came to an end.',
    mend: 'Look at the text: only text made to be expensive does this to the shipped rules.',
    agentSees: 'HELD',
  },
  SCAN_NOT_JOINED: {
    means: 'A message has more texts than a scan puts to what went before each of them; the rest was read by itself.',
    mend: 'Nothing to do; it says where a number cut over two messages may be missed.',
    agentSees: 'HELD',
  },
  SCAN_SCHEMA_INVALID: {
    means: 'A message or action schema cannot be used.',
    mend: 'Correct the schema: it must be strict JSON Schema 2020-12 without remote references.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_PATTERN_INVALID: {
    means: 'A pattern of the mesh file does not compile or is too large.',
    mend: 'Write it in RE2 syntax, without back-references or look-around, and shorter.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_RULE_INVALID: {
    means: 'A rule of the scanner is broken.',
    mend: 'Report it: the shipped rules are tested before a release.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_SUPPRESSION_ENDED: {
    means: 'The last day of a suppression is over, so what it answered for counts again.',
    mend: 'Look at the findings again; mend them, or give the suppression a new day under the name of who answers for it.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_SUPPRESSION_ENDING: {
    means: 'A suppression ends within 14 days.',
    mend: 'Look at the findings again before that day.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_SUPPRESSION_UNMATCHED: {
    means: 'A suppression names a rule that is not shipped, in no pack and no pattern, or cannot be suppressed.',
    mend: 'Correct the id, as maso scan prints it last on each line; or remove the suppression, which does nothing.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_FILE_LEFT_OUT: {
    means: 'A file was not scanned: it is binary, over 16 MiB, or neither a file nor a folder.',
    mend: 'Write texts as UTF-8 and split long ones; name what is to be scanned itself where it is a link.',
    agentSees: 'UNAVAILABLE',
  },
  SCAN_OPTIONS_INVALID: {
    means: 'maso scan was given options that do not go together, or values that they do not take.',
    mend: 'See maso scan --help; one of --json and --sarif.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ScannerCode = keyof typeof scannerCodes;
