// SPDX-License-Identifier: Apache-2.0

/** Where a text came in: the same words ask in one channel and inject in another. */
export type Channel =
  | 'user'
  | 'tool_result'
  | 'agent_message'
  | 'document'
  | 'email'
  | 'web'
  | 'code';
