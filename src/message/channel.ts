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

/** One value for each channel. */
export function perChannel<Value>(of: (channel: Channel) => Value): { readonly [channel in Channel]: Value } {
  return Object.fromEntries(channels.map((channel) => [channel, of(channel)])) as { [channel in Channel]: Value };
}
