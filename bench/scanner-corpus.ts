// SPDX-License-Identifier: Apache-2.0
// What the scanners say about labelled texts: `node bench/scanner-corpus.ts FILE.jsonl[.gz] [--json]`.
// Each line is {"text", "label": "attack" or "benign", "channel", "family"}. No text is printed.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createScanner } from '../src/scanner/scan.ts';
import { createSchemaRegistry } from '../src/scanner/schema-registry.ts';
import type { Channel } from '../src/message/channel.ts';
import { machine, percentiles, print } from './machine.ts';

type Row = {
  readonly text: string;
  readonly label: 'attack' | 'benign';
  readonly channel: Channel;
  readonly family: string;
};

const file = process.argv[2] ?? '';
const bytes = readFileSync(file);
const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split('\n');
const rows: readonly Row[] = lines.map((line) => JSON.parse(line));

const scanner = createScanner({
  schemas: createSchemaRegistry([]),
  limits: { bytesMax: 1 << 20, depthMax: 32, membersMax: 20_000, stringLengthMax: 1 << 20 },
  patterns: [],
  digestKey: randomBytes(32),
  nowUs: () => performance.now() * 1000,
});

type Tally = { rows: number; GO: number; ESCALATE: number; 'NO-GO': number };
const empty = (): Tally => ({ rows: 0, GO: 0, ESCALATE: 0, 'NO-GO': 0 });
const tallies = new Map<string, Tally>();
const rules = new Map<string, number>();
const times: number[] = [];
let overBudget = 0;

function count(key: string, outcome: 'GO' | 'ESCALATE' | 'NO-GO'): void {
  const tally = tallies.get(key) ?? empty();
  tally.rows += 1;
  tally[outcome] += 1;
  tallies.set(key, tally);
}

for (const { text, label, channel, family } of rows) {
  const startedMs = performance.now();
  const verdict = scanner.scan({
    value: { text },
    schemaId: null,
    type: null,
    channel,
    classification: 'internal',
  });
  times.push(performance.now() - startedMs);
  count(label, verdict.outcome);
  if (verdict.outcome !== 'GO') count(`${label} ${family}`, verdict.outcome);
  if (verdict.findings.some(({ code }) => code === 'SCAN_BUDGET')) overBudget += 1;
  for (const rule of new Set(verdict.findings.map((finding) => finding.rule))) {
    const key = `${label} ${verdict.outcome} ${rule}`;
    rules.set(key, (rules.get(key) ?? 0) + 1);
  }
}

/** Benign texts one after the other until 64 KB are full: the budgets of one scan are for such. */
const joined: string[] = [];
let piece = '';
for (const { text } of rows.filter(({ label }) => label === 'benign')) {
  piece += `${text}\n`;
  if (piece.length < 65_536) continue;
  joined.push(piece.slice(0, 65_536));
  piece = '';
}
const joinedMs: number[] = [];
const joinedOverBudget = joined.filter((text) => {
  // The least of three: what other processes do meanwhile is not counted in.
  const scans = [0, 1, 2].map(() => {
    const startedMs = performance.now();
    const verdict = scanner.scan({
      value: { text },
      schemaId: null,
      type: null,
      channel: 'document',
      classification: 'internal',
      leaves: true,
      towardsPerson: true,
    });
    return { verdict, ms: performance.now() - startedMs };
  });
  joinedMs.push(Math.min(...scans.map(({ ms }) => ms)));
  return scans[0]?.verdict.findings.some(({ code }) => code === 'SCAN_BUDGET') ?? true;
}).length;

const sorted = (label: string): object =>
  Object.fromEntries(
    [...rules].filter(([key]) => key.startsWith(label)).toSorted((a, b) => b[1] - a[1]).slice(0, 40),
  );

print({
  bench: 'scanner-corpus',
  machine: machine(),
  corpus: createHash('sha256').update(bytes).digest('hex'),
  scanner: scanner.version,
  attack: tallies.get('attack') ?? empty(),
  benign: tallies.get('benign') ?? empty(),
  overBudget,
  joined64Kb: { texts: joined.length, overBudget: joinedOverBudget, ms: percentiles(joinedMs) },
  benignByFamily: Object.fromEntries([...tallies].filter(([key]) => key.startsWith('benign '))),
  benignRules: sorted('benign'),
  ms: percentiles(times),
});
