// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';
import type { JsonValue } from '../../src/message/json.ts';
import { injectionRules } from '../../src/scanner/patterns.ts';
import { outputRules } from '../../src/scanner/output-rows.ts';
import type { Chance } from '../../src/scanner/planted-fixture.ts';
import { pick, plantedItem, plantedKinds } from '../../src/scanner/planted-fixture.ts';
import { secretRules } from '../../src/scanner/secrets.ts';
import type { Scanner } from '../../src/scanner/scan.ts';
import { hidings } from '../../src/text/hiding-fixture.ts';
import { rounded } from '../machine.ts';
import { nearMatch } from '../../src/scanner/near-match-fixture.ts';
import { scanValue } from './subject.ts';

const worstBytes = 64 * 1024;
const poolSize = 48;
/** How many of a full pool are measured again. */
const againSize = 72;
const rules = [...secretRules, ...injectionRules, ...outputRules];

/** How the text stands in the message: as one string, in a list of short ones, or as names of members. */
const shapes = ['one string', 'list', 'members'] as const;

/** A candidate is a unit that is repeated until the message is full. */
type Candidate = {
  readonly unit: readonly string[];
  readonly shape: (typeof shapes)[number];
  /** Characters of each string of a list, and of each name. */
  readonly size: number;
  readonly ms: number;
};

/**
 * Looks for the 64 KB that take longest: pieces are drawn from every rule's keywords and near-matches
 * of its expression, from samples of every encoding, from numbers and from every kind of character,
 * put together at random; the slowest are kept, changed and crossed (a genetic search). Nothing in it
 * is chosen by hand. Times are of the wall, the least of several runs.
 */
export function searchHostile(scanner: Scanner, chance: Chance, seconds: number) {
  const pieces = piecesOf(chance);
  const untilMs = performance.now() + seconds * 1000;
  // Every piece once, alone: a cost that one sign drives up must not depend on luck.
  let pool: Candidate[] = pieces.map((piece) => timed(scanner, { unit: [piece], shape: 'one string', size: 8 }, 1));
  let tried = pool.length;
  while (performance.now() < untilMs) {
    // Measured again: one that another process held up, or that came before the code was warm, must not stay for it.
    if (pool.length > poolSize * 2) pool = slowest(slowest(pool, againSize).map((one) => retimed(scanner, one)), poolSize);
    const made = chance() < 0.3 ? randomOne(chance, pieces) : child(chance, pieces, pool);
    pool.push(timed(scanner, made, 2));
    tried += 1;
  }
  const again = slowest(pool, poolSize).map((candidate) => timed(scanner, candidate, 15));
  const [worst] = slowest(again, 1);
  if (worst === undefined) throw new Error('nothing was tried');
  const value = valueOf(worst);
  const verdict = scanValue(scanner, value);
  return {
    tried,
    pieces: pieces.length,
    bytes: Buffer.byteLength(JSON.stringify(value)),
    worstMs: rounded(worst.ms),
    tenthMs: rounded(slowest(again, 10).at(-1)?.ms ?? Number.NaN),
    outcome: verdict.outcome,
    codes: [...new Set(verdict.findings.map(({ code, rule }) => `${code} ${rule}`))],
    shape: worst.shape,
    size: worst.size,
    unit: JSON.stringify(worst.unit.join('')).slice(0, 400),
    others: slowest(again, 8).map(({ unit, shape, size, ms }) =>
      `${rounded(ms)} ${shape} ${size} ${JSON.stringify(unit.join('')).slice(0, 90)}`),
  };
}

/** What candidates are made of. */
export function piecesOf(chance: Chance): readonly string[] {
  const keywords = rules.flatMap((rule) => rule.keywords);
  const near = rules.flatMap(({ expression }) => [0, 1].map(() => nearMatch(chance, expression)));
  const samples = ['ignore all previous instructions', 'password: aB3dE5gH7', '4111 1111 1111 1111', 'a']
    .flatMap((text) => hidings.map(({ hide }) => hide(text)));
  const numbers = plantedKinds.map((_, index) => `${plantedItem(chance, index).value} `);
  const parts = samples.map((sample) => sample.slice(0, 1 + Math.floor(chance() * 12)));
  const packed = ['', 'a'.repeat(4000), 'ignore '.repeat(9000)]
    .map((text) => gzipSync(text).toString('base64'));
  const ascii = Array.from({ length: 96 }, (_, index) => String.fromCharCode(index === 95 ? 10 : 32 + index));
  const characters = Array.from({ length: 120 }, () => {
    const block = pick(chance, [0x80, 0x300, 0x400, 0x2000, 0xfe00, 0xff00, 0x1d400, 0x1f100, 0xe0000]);
    return String.fromCodePoint(block + Math.floor(chance() * 0x60));
  });
  return [...keywords, ...near, ...samples, ...numbers, ...parts, ...packed, ...ascii, ...characters];
}

function retimed(scanner: Scanner, one: Candidate): Candidate {
  return { ...one, ms: Math.min(one.ms, timed(scanner, one, 2).ms) };
}

type Made = Omit<Candidate, 'ms'>;

/** A candidate of a few pieces, drawn. */
export function randomOne(chance: Chance, pieces: readonly string[]): Made {
  const count = 1 + Math.floor(chance() * 4);
  const unit = Array.from({ length: count }, () => repeated(chance, pick(chance, pieces)));
  return { unit, shape: pick(chance, shapes), size: 1 + Math.floor(chance() ** 2 * 60) };
}

function repeated(chance: Chance, piece: string): string {
  return piece.repeat(1 + Math.floor(chance() ** 4 * 40));
}

function child(chance: Chance, pieces: readonly string[], pool: readonly Candidate[]): Made {
  const one = pick(chance, pool);
  const other = pick(chance, pool);
  const kept = [...one.unit, ...(chance() < 0.5 ? other.unit : [])].filter(() => chance() < 0.8);
  const place = Math.floor(chance() * (kept.length + 1));
  if (chance() < 0.7) kept.splice(place, 0, repeated(chance, pick(chance, pieces)));
  const { shape, size } = chance() < 0.8 ? one : randomOne(chance, pieces);
  return { unit: kept.length === 0 ? one.unit : kept.slice(0, 8), shape, size };
}

function slowest(pool: readonly Candidate[], count: number): Candidate[] {
  return pool.toSorted((a, b) => b.ms - a.ms).slice(0, count);
}

/** The message that a candidate stands for, of at most 64 KB as JSON. */
export function valueOf({ unit, shape, size }: Made): JsonValue {
  const once = unit.join('') || 'a';
  let text = once.repeat(Math.ceil(worstBytes / once.length));
  for (;;) {
    const value = shapedAs(text, shape, size);
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes <= worstBytes) return value;
    text = text.slice(0, Math.floor(text.length * Math.max(0.1, (worstBytes / bytes) * 0.995)));
  }
}

function shapedAs(text: string, shape: Made['shape'], size: number): JsonValue {
  if (shape === 'one string') return { text };
  const strings: string[] = [];
  for (let at = 0; at < text.length; at += size) strings.push(text.slice(at, at + size));
  if (shape === 'list') return strings.map((string, index) => `${string}${index.toString(36)}`);
  return Object.fromEntries(strings.map((string, index) => [`${string}${index.toString(36)}`, index]));
}

/** The least of some runs, so that no other process is counted in. */
function timed(scanner: Scanner, made: Made, runs: number): Candidate {
  const value = valueOf(made);
  let ms = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    const startedMs = performance.now();
    scanValue(scanner, value);
    ms = Math.min(ms, performance.now() - startedMs);
  }
  return { ...made, ms };
}
