// SPDX-License-Identifier: Apache-2.0

/** Buckets that names are counted in, however many there are. */
export const buckets = 16;

/** FNV-1a into a fixed number of buckets. */
export function bucketOf(name: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 16_777_619);
  }
  return (hash >>> 0) % buckets;
}

/** Jensen-Shannon divergence of two histograms, 0 to 1; 0 while nothing usual is known. */
export function divergence(recent: Float64Array, usual: Float64Array): number {
  const [some, all] = [sumOf(recent), sumOf(usual)];
  if (some === 0 || all < 50) return 0;
  let sum = 0;
  for (let index = 0; index < buckets; index += 1) {
    const [p, q] = [(recent[index] ?? 0) / some, (usual[index] ?? 0) / all];
    const m = (p + q) / 2;
    if (p > 0) sum += p * Math.log2(p / m) / 2;
    if (q > 0) sum += q * Math.log2(q / m) / 2;
  }
  return sum;
}

/** How unusual the hour is, in bits beyond an even spread; 0 while a thousand are not known. */
export function surprise(hours: Float64Array, at: number): number {
  const all = sumOf(hours);
  if (all < 1_000) return 0;
  const share = ((hours[Math.floor(at / 3_600_000) % 24] ?? 0) + 1) / (all + 24);
  return Math.max(0, -Math.log2(share * 24));
}

function sumOf(numbers: Float64Array): number {
  let sum = 0;
  for (const value of numbers) sum += value;
  return sum;
}

/** Lets what was counted fade by this share. */
export function decay(numbers: Float64Array, share: number): void {
  for (let index = 0; index < numbers.length; index += 1) numbers[index] = (numbers[index] ?? 0) * (1 - share);
}
