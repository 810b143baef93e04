// SPDX-License-Identifier: Apache-2.0

/** Names that reach an object's prototype in careless code. */
export function isForbidden(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}
