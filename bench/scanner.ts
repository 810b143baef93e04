// SPDX-License-Identifier: Apache-2.0
// The deterministic scanners with every class on: `npm run bench:scanner -- --json`. Time on benign
// text, the worst 64 KB that a genetic search finds, what is found of planted secrets and personal
// data, and what of attacks that are hidden. Options: --seconds N of the search, --seed N.
import { chanceOf } from '../src/scanner/planted-fixture.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';
import { benignText, dataFigures, secretFigures } from './scanner/documents.ts';
import { hidingTable } from './scanner/hiding.ts';
import { searchHostile } from './scanner/hostile.ts';
import { isOverBudget, newScanner, scanText } from './scanner/subject.ts';

const targets = {
  p50Ms: 0.25, p99Ms: 1, worstMs: 5, budgetShare: 0.001, secretRecall: 0.98, secretFalse: 0.01,
  dataRecall: 0.95, dataBypass: 0.1,
};
const searchSeconds = numberOption('seconds', 20);
const seed = numberOption('seed', 20_261_121);
const benignCount = 4000;

const chance = chanceOf(seed);
const scanner = newScanner();
const texts = Array.from({ length: benignCount }, () => benignText(chance, 4096));

function timeMs(text: string): number {
  const startedMs = performance.now();
  scanText(scanner, text);
  return performance.now() - startedMs;
}

/** Of a structured message of 1 KB, as most of a fleet's are, us of the wall: the least of several rounds. */
function messageUs(out: boolean): number {
  const messages = texts.slice(0, 400).map((text, index) => ({
    invoice: `2026-${1000 + index}`,
    customer: { name: 'Example GmbH', city: 'Hamburg', since: '2019-04-01' },
    lines: [0, 1, 2, 3].map((line) => ({
      item: `Part ${line}`, quantity: line + 1, price: `${19 * (line + 1)}.90`, note: text.slice(line * 90, line * 90 + 80),
    })),
    total: 1234.5,
    currency: 'EUR',
    status: 'open',
    comment: text.slice(400, 640),
  }));
  const rounds = Array.from({ length: 12 }, () => {
    const startedMs = performance.now();
    for (const value of messages) {
      const way = out ? { leaves: true, stream: 'a b task' } : { leaves: false };
      scanner.scan({ value, schemaId: null, type: null, channel: 'agent_message', ...way });
    }
    return ((performance.now() - startedMs) * 1000) / messages.length;
  });
  return rounded(Math.min(...rounds));
}

for (const text of texts.slice(0, 600)) scanText(scanner, text);
const cpuBefore = process.cpuUsage();
const benignMs = percentiles(texts.map(timeMs));
const used = process.cpuUsage(cpuBefore);
const verdicts = texts.map((text) => scanText(scanner, text));
const overBudget = verdicts.filter(isOverBudget).length;
const worst = searchHostile(scanner, chanceOf(seed), searchSeconds);
const secrets = secretFigures(chanceOf(seed), 2);
const data = dataFigures(chanceOf(seed), 420);
const hiding = hidingTable();

print({
  bench: 'scanner',
  machine: machine(),
  seed,
  scanner: scanner.version,
  benign4KbMs: { ...benignMs, meanCpu: rounded((used.user + used.system) / 1000 / texts.length) },
  message1KbUs: { out: messageUs(true), in: messageUs(false) },
  benignStopped: verdicts.filter(({ outcome }) => outcome === 'NO-GO').length,
  benignOverBudget: overBudget,
  worst64Kb: worst,
  secrets,
  data,
  hiding,
  targets,
  pass: {
    p50: benignMs.p50 <= targets.p50Ms,
    p99: benignMs.p99 <= targets.p99Ms,
    worst: worst.worstMs <= targets.worstMs,
    budget: overBudget / benignCount <= targets.budgetShare,
    secrets: secrets.recall >= targets.secretRecall && secrets.falsePositives <= targets.secretFalse,
    data: data.recall >= targets.dataRecall && data.bypassAll < targets.dataBypass,
  },
});
