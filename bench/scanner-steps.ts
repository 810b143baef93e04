// SPDX-License-Identifier: Apache-2.0
// What a step of the scanner costs: `node bench/scanner-steps.ts [--seconds N] [--seed N] [--json]`. Messages of
// 64 KB, drawn as the search of `npm run bench:scanner` draws them, are timed and their steps counted by kind; the
// least squares fit, without negative costs, gives nanoseconds for one of each kind. `stepsOf` in
// src/text/effort.ts should say about the same: where a kind costs more than it pays for, a flood of it takes
// longer than the effort of a scan allows.
import type { JsonValue } from '../src/message/json.ts';
import { chanceOf } from '../src/scanner/planted-fixture.ts';
import { Effort, stepsOf } from '../src/text/effort.ts';
import { machine, numberOption, print, rounded } from './machine.ts';
import { benignText } from './scanner/documents.ts';
import { piecesOf, randomOne, valueOf } from './scanner/hostile.ts';
import { newScanner, scanText, scanValue } from './scanner/subject.ts';

/** So little that it changes nothing that is done, and a power of two, so that counts come out whole. */
const little = 2 ** -20;
const runs = 7;
const rounds = 4000;

const seed = numberOption('seed', 20_261_121);
const seconds = numberOption('seconds', 60);
const chance = chanceOf(seed);
const scanner = newScanner();
const kinds = Object.keys(stepsOf);
const paid: { readonly [kind: string]: number } = { ...stepsOf };
/** Of the scan that ran last. */
let spent = 0;
const take = Effort.prototype.take;

/** Steps of one scan, in all. */
function spentOn(value: JsonValue): number {
  spent = 0;
  Effort.prototype.take = function (part, steps) {
    const isPaid = take.call(this, part, steps);
    spent = this.spent;
    return isPaid;
  };
  scanValue(scanner, value);
  Effort.prototype.take = take;
  return spent;
}

/** How many of each kind a scan pays for: it pays a little more for one kind, and the difference tells. */
function countsOf(value: JsonValue): readonly number[] {
  const ordinary = spentOn(value);
  return kinds.map((kind) => {
    Object.assign(stepsOf, { [kind]: (paid[kind] ?? 0) + little });
    const count = (spentOn(value) - ordinary) / little;
    Object.assign(stepsOf, { [kind]: paid[kind] });
    return Math.round(count);
  });
}

function leastNs(value: JsonValue): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    const startedMs = performance.now();
    scanValue(scanner, value);
    least = Math.min(least, (performance.now() - startedMs) * 1e6);
  }
  return least;
}

/** Costs that are none below zero, by turns until nothing changes much; rows weigh by what they are in all. */
function fitted(rows: readonly (readonly number[])[], ns: readonly number[]): readonly number[] {
  const costs = (rows[0] ?? []).map(() => 0);
  const left = [...ns];
  const weights = ns.map((each) => 1 / Math.max(each, 3e5) ** 2);
  for (let round = 0; round < rounds; round += 1) {
    for (const [column, cost] of costs.entries()) {
      let above = 0;
      let below = 0;
      for (const [index, row] of rows.entries()) {
        const count = row[column] ?? 0;
        above += count * (left[index] ?? 0) * (weights[index] ?? 0);
        below += count * count * (weights[index] ?? 0);
      }
      const next = below === 0 ? 0 : Math.max(0, cost + above / below);
      for (const [index, row] of rows.entries()) left[index] = (left[index] ?? 0) - (next - cost) * (row[column] ?? 0);
      costs[column] = next;
    }
  }
  return costs;
}

for (let text = 0; text < 600; text += 1) scanText(scanner, benignText(chance, 4096));
const pieces = piecesOf(chance);
const rows: number[][] = [];
const ns: number[] = [];
const untilMs = performance.now() + seconds * 1000;
while (performance.now() < untilMs) {
  const value = valueOf(randomOne(chance, pieces));
  const time = leastNs(value);
  const counts = countsOf(value);
  // Where the effort ends at another place for the little more, the difference counts nothing.
  if (counts.some((count) => !(count >= 0 && count < 1e6))) continue;
  rows.push([1, ...counts]);
  ns.push(time);
}
const [, ...costs] = fitted(rows, ns);

print({
  bench: 'scanner-steps',
  machine: machine(),
  seed,
  messages: rows.length,
  ns: Object.fromEntries(kinds.map((kind, index) => [
    kind, { measured: rounded(costs[index] ?? 0), paid: paid[kind], messages: rows.filter((row) => (row[index + 1] ?? 0) > 0).length },
  ])),
});
