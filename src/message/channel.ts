// SPDX-License-Identifier: Apache-2.0

export const channels = [
  'user',
  'tool_result',
  'agent_message',
  'document',
  'email',
  'web',
  'code',
] as const;

/** Where a text came in: the same words ask in one channel and inject in another. */
export type Channel = (typeof channels)[number];
