// SPDX-License-Identifier: Apache-2.0

/**
 * What a context that fills up is worth by itself, at once and from the first day: 70 % tells people, 85 %
 * isolates, 95 % contains (OB-2.5a). `fill` is a share; what is no number counts as full.
 */
export function contextScore(fill: number): number {
  if (!(fill < 0.95)) return 85;
  if (fill >= 0.85) return 65;
  return fill >= 0.7 ? 40 : 0;
}
