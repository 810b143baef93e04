// SPDX-License-Identifier: Apache-2.0

/**
 * Codes of this folder. The shape is that of `CodeTable` in `src/review/code.ts`, which lives one
 * level up and therefore cannot be imported here.
 */
type MessageCodeTable = {
  readonly [code: string]: {
    readonly means: string;
    readonly mend: string;
    readonly agentSees: 'INVALID' | 'SESSION_ENDED';
  };
};

export const messageCodes = {
  MESSAGE_TOO_LARGE: {
    means: 'The text is longer than the configured number of bytes, so none of it was read.',
    mend: 'Send less, or raise `limits.messageBytesMax` in the mesh file.',
    agentSees: 'INVALID',
  },
  MESSAGE_NOT_UTF8: {
    means: 'The bytes are not valid UTF-8.',
    mend: 'Encode the JSON text as UTF-8.',
    agentSees: 'INVALID',
  },
  MESSAGE_BOM: {
    means: 'The text starts with a byte order mark, which JSON on a wire must not.',
    mend: 'Send the JSON text without a byte order mark.',
    agentSees: 'INVALID',
  },
  MESSAGE_JSON_SYNTAX: {
    means: 'The text is not one JSON value: it is cut off, malformed, or followed by more data.',
    mend: 'Send exactly one JSON value as RFC 8259 defines it.',
    agentSees: 'INVALID',
  },
  MESSAGE_DUPLICATE_KEY: {
    means: 'An object has the same member twice, so two readers could see two different messages.',
    mend: 'Send each member once.',
    agentSees: 'INVALID',
  },
  MESSAGE_KEY_FORBIDDEN: {
    means: 'A member is named `__proto__`, `constructor` or `prototype`.',
    mend: 'Rename the member; these names can poison objects in JavaScript readers.',
    agentSees: 'INVALID',
  },
  MESSAGE_KEY_TOO_LONG: {
    means: 'A member name is longer than the configured number of characters.',
    mend: 'Shorten the member name.',
    agentSees: 'INVALID',
  },
  MESSAGE_TOO_DEEP: {
    means: 'Objects and arrays nest deeper than the configured depth.',
    mend: 'Flatten the value, or raise `limits.depthMax` in the mesh file.',
    agentSees: 'INVALID',
  },
  MESSAGE_TOO_MANY_MEMBERS: {
    means: 'The text holds more members and elements than are allowed in one message.',
    mend: 'Split the value over several messages.',
    agentSees: 'INVALID',
  },
  MESSAGE_NUMBER_UNSAFE: {
    means: 'A number is not finite, too long, or an integer that a double cannot hold exactly.',
    mend: 'Send such a number as a string.',
    agentSees: 'INVALID',
  },
  MESSAGE_LONE_SURROGATE: {
    means: 'A string holds half of a surrogate pair, which UTF-8 cannot carry.',
    mend: 'Send well-formed Unicode strings.',
    agentSees: 'INVALID',
  },
  MESSAGE_NOT_CANONICALISABLE: {
    means: 'A value has no canonical JSON form: not JSON, ill-formed, or nested too deeply.',
    mend: 'Report it: only values that passed the strict parser may be serialised.',
    agentSees: 'INVALID',
  },
  MESSAGE_NOT_OBJECT: {
    means: 'The payload of an action request or outcome is not a JSON object.',
    mend: 'Send the object that the published schema describes.',
    agentSees: 'INVALID',
  },
  MESSAGE_TYPE_MISSING: {
    means: 'The envelope has no message type; the connection is dropped.',
    mend: 'Look for a sender that writes its own envelopes; this is an indicator of compromise.',
    agentSees: 'SESSION_ENDED',
  },
  MESSAGE_TYPE_UNKNOWN: {
    means: 'The message type is not data, instruction or claim; the connection is dropped.',
    mend: 'Look for a sender that writes its own envelopes; this is an indicator of compromise.',
    agentSees: 'SESSION_ENDED',
  },
  MESSAGE_VERSION_UNKNOWN: {
    means: 'The envelope has a version that this build does not speak.',
    mend: 'Run the same major version on every sidecar and bus node.',
    agentSees: 'INVALID',
  },
  MESSAGE_MEMBER_MISSING: {
    means: 'A member that must always be present is absent.',
    mend: 'Send every member of the published schema; absent ones as null where it allows that.',
    agentSees: 'INVALID',
  },
  MESSAGE_MEMBER_UNKNOWN: {
    means: 'A member that the published schema does not know is present.',
    mend: 'Remove the member.',
    agentSees: 'INVALID',
  },
  MESSAGE_MEMBER_INVALID: {
    means: 'A member has a value outside its published form or bounds.',
    mend: 'Send the member as the published schema describes it.',
    agentSees: 'INVALID',
  },
  MESSAGE_LIFETIME_INVALID: {
    means: 'The message expires before, or at the moment, it was issued.',
    mend: 'Check the clock and `limits.messageLifetimeMs` of the sending sidecar.',
    agentSees: 'INVALID',
  },
} as const satisfies MessageCodeTable;

export type MessageCode = keyof typeof messageCodes;
