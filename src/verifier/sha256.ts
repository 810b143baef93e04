// SPDX-License-Identifier: Apache-2.0

/**
 * Writes the SHA-256 of the bytes into 32 bytes of `into`, from `at` on. Whoever runs where a faster
 * one exists than `writeSha256` may pass that one.
 */
export type Sha256 = (bytes: Uint8Array, into: Uint8Array, at: number) => void;

const rounds = constants(64, 3);
const start = constants(8, 2);

/**
 * FIPS 180-4, in plain code: a page of a browser has no synchronous hash, and asking it for one
 * promise per entry takes longer than this.
 */
export const writeSha256: Sha256 = (bytes, into, at) => {
  const state = Int32Array.from(start);
  const words = new Int32Array(64);
  const blocks = Math.floor((bytes.length + 8) / 64) + 1;
  const tail = new Uint8Array(128);
  const whole = Math.floor(bytes.length / 64);
  tail.set(bytes.subarray(whole * 64));
  tail[bytes.length - whole * 64] = 0x80;
  const view = new DataView(tail.buffer);
  const end = (blocks - whole) * 64;
  view.setUint32(end - 8, Math.floor(bytes.length / 0x2000_0000));
  view.setUint32(end - 4, (bytes.length * 8) % 0x1_0000_0000);
  for (let block = 0; block < whole; block += 1) compress(state, words, bytes, block * 64);
  for (let from = 0; from < end; from += 64) compress(state, words, tail, from);
  const out = new DataView(into.buffer, into.byteOffset + at, 32);
  for (let part = 0; part < 8; part += 1) out.setInt32(part * 4, state[part] ?? 0);
};

/** SHA-256 of the bytes, 32 of them. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32);
  writeSha256(bytes, digest, 0);
  return digest;
}

function compress(state: Int32Array, w: Int32Array, bytes: Uint8Array, from: number): void {
  for (let at = 0; at < 16; at += 1) {
    const b = from + at * 4;
    w[at] = (byte(bytes, b) << 24) | (byte(bytes, b + 1) << 16) | (byte(bytes, b + 2) << 8) | byte(bytes, b + 3);
  }
  for (let at = 16; at < 64; at += 1) {
    const x = word(w, at - 15);
    const y = word(w, at - 2);
    const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
    const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
    w[at] = (word(w, at - 16) + s0 + word(w, at - 7) + s1) | 0;
  }
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  let f = word(state, 5);
  let g = word(state, 6);
  let h = word(state, 7);
  for (let at = 0; at < 64; at += 1) {
    const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + word(rounds, at) + word(w, at)) | 0;
    const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const add = [a, b, c, d, e, f, g, h];
  for (let at = 0; at < 8; at += 1) state[at] = (word(state, at) + (add[at] ?? 0)) | 0;
}

function turn(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

function word(words: Int32Array, at: number): number {
  return words[at] ?? 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/**
 * The constants of the standard: the first 32 bits after the point of the square (2) or cube (3)
 * roots of the first primes.
 */
function constants(count: number, root: 2 | 3): Int32Array {
  const found = new Int32Array(count);
  let prime = 1;
  for (let at = 0; at < count; at += 1) {
    do prime += 1;
    while (!isPrime(prime));
    found[at] = Number(BigInt.asIntN(32, rootOf(BigInt(prime) << BigInt(32 * root), root)));
  }
  return found;
}

function isPrime(value: number): boolean {
  for (let by = 2; by * by <= value; by += 1) if (value % by === 0) return false;
  return true;
}

/** The whole part of a root, by bisection. */
function rootOf(value: bigint, root: 2 | 3): bigint {
  let low = 0n;
  let high = 1n << 40n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** BigInt(root) <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}
