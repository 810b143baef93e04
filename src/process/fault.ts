// SPDX-License-Identifier: Apache-2.0

/** Names a fault without what it was about: a foreign error's text may hold what it choked on. */
export function faultOf(failure: unknown): string {
  if (failure instanceof Error) {
    return 'code' in failure && typeof failure.code === 'string' ? failure.code : failure.name;
  }
  return 'unknown fault';
}
