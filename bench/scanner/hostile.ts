// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';
import { injectionRules } from '../../src/scanner/patterns.ts';
import { outputRules } from '../../src/scanner/output-rows.ts';
import type { Chance } from '../../src/scanner/planted-fixture.ts';
import { pick } from '../../src/scanner/planted-fixture.ts';
import { secretRules } from '../../src/scanner/secrets.ts';
import type { Scanner } from '../../src/scanner/scan.ts';
import { hidings } from '../../src/text/hiding-fixture.ts';
import { rounded } from '../machine.ts';
import { scanText } from './subject.ts';

const worstBytes = 64 * 1024;
const poolSize = 48;

/** A candidate is a unit that is repeated until the text is full. */
type Candidate = { readonly unit: readonly string[]; readonly ms: number };

/**
 * Looks for the 64 KB that take longest: pieces are drawn from every rule's keywords, from samples
 * of every encoding and from random characters, put together at random; the slowest are kept, changed
 * and crossed (a genetic search). Nothing in it is chosen by hand.
 */
export function searchHostile(scanner: Scanner, chance: Chance, seconds: number) {
  const pieces = piecesOf(chance);
  const untilMs = performance.now() + seconds * 1000;
  let pool: Candidate[] = [];
  let tried = 0;
  while (performance.now() < untilMs) {
    const unit = pool.length < poolSize / 2 || chance() < 0.3
      ? randomUnit(chance, pieces)
      : child(chance, pieces, pool);
    pool.push({ unit, ms: timeMs(scanner, textOf(unit)) });
    tried += 1;
    if (pool.length > poolSize * 2) pool = slowest(pool, poolSize);
  }
  // The least of several runs, so that no other process is counted in.
  const again = slowest(pool, 24).map(({ unit }) => {
    const text = textOf(unit);
    const times = Array.from({ length: 9 }, () => timeMs(scanner, text));
    return { unit, ms: Math.min(...times) };
  });
  const [worst] = slowest(again, 1);
  const text = textOf(worst?.unit ?? ['a']);
  const verdict = scanText(scanner, text);
  return {
    tried,
    pieces: pieces.length,
    bytes: Buffer.byteLength(text),
    worstMs: rounded(worst?.ms ?? Number.NaN),
    tenthMs: rounded(slowest(again, 10).at(-1)?.ms ?? Number.NaN),
    outcome: verdict.outcome,
    codes: [...new Set(verdict.findings.map(({ code }) => code))],
    unit: JSON.stringify((worst?.unit ?? []).join('')),
  };
}

function piecesOf(chance: Chance): readonly string[] {
  const keywords = [...secretRules, ...injectionRules, ...outputRules].flatMap((rule) => rule.keywords);
  const samples = ['ignore all previous instructions', 'password: aB3dE5gH7', '4111 1111 1111 1111', 'a']
    .flatMap((text) => hidings.map(({ hide }) => hide(text)));
  const parts = samples.map((sample) => sample.slice(0, 1 + Math.floor(chance() * 12)));
  const packed = ['', 'a'.repeat(4000), 'ignore '.repeat(9000)]
    .map((text) => gzipSync(text).toString('base64'));
  const characters = Array.from({ length: 160 }, () => {
    const block = pick(chance, [0x20, 0x20, 0x20, 0x80, 0x300, 0x400, 0x2000, 0xfe00, 0xff00, 0x1d400, 0xe0000]);
    return String.fromCodePoint(block + Math.floor(chance() * 0x60));
  });
  return [...keywords, ...samples, ...parts, ...packed, ...characters];
}

function randomUnit(chance: Chance, pieces: readonly string[]): readonly string[] {
  const count = 1 + Math.floor(chance() * 4);
  return Array.from({ length: count }, () => repeated(chance, pick(chance, pieces)));
}

function repeated(chance: Chance, piece: string): string {
  return piece.repeat(1 + Math.floor(chance() ** 4 * 40));
}

function child(
  chance: Chance,
  pieces: readonly string[],
  pool: readonly Candidate[],
): readonly string[] {
  const { unit: one } = pick(chance, pool);
  const { unit: other } = pick(chance, pool);
  const kept = [...one, ...(chance() < 0.5 ? other : [])].filter(() => chance() < 0.8);
  const place = Math.floor(chance() * (kept.length + 1));
  if (chance() < 0.7) kept.splice(place, 0, repeated(chance, pick(chance, pieces)));
  return kept.length === 0 ? one : kept.slice(0, 8);
}

function slowest(pool: readonly Candidate[], count: number): Candidate[] {
  return pool.toSorted((a, b) => b.ms - a.ms).slice(0, count);
}

function textOf(unit: readonly string[]): string {
  const once = unit.join('');
  let text = once.repeat(Math.max(1, Math.ceil(worstBytes / Math.max(1, once.length))));
  while (Buffer.byteLength(text) > worstBytes) text = text.slice(0, Math.floor(text.length * 0.95));
  return text;
}

/** Of this thread: what other processes do meanwhile is not counted. */
function timeMs(scanner: Scanner, text: string): number {
  const before = process.threadCpuUsage();
  scanText(scanner, text);
  const used = process.threadCpuUsage(before);
  return (used.user + used.system) / 1000;
}
