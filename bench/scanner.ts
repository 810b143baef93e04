// SPDX-License-Identifier: Apache-2.0
// The scanners with every class on: 4 KB of benign text, and the worst 64 KB that a small search of
// generated inputs finds. `npm run bench:scanner -- --json`. Option: --seconds N of the search.
import { randomBytes } from 'node:crypto';
import { createScanner } from '../src/scanner/scan.ts';
import { createSchemaRegistry } from '../src/scanner/schema-registry.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const targets = { p50Ms: 0.25, p99Ms: 1, worstMs: 5 };
const searchSeconds = numberOption('seconds', 10);
const seed = numberOption('seed', 20_261_121);
const worstBytes = 64 * 1024;

const scanner = createScanner({
  schemas: createSchemaRegistry([]),
  limits: { bytesMax: 1 << 20, depthMax: 32, membersMax: 20_000, stringLengthMax: 1 << 20 },
  patterns: [],
  digestKey: randomBytes(32),
  nowUs: () => performance.now() * 1000,
});

const words = (
  'the invoice for march was sent to the office on friday and the total of 1,240.50 is due ' +
  'within thirty days please confirm that the delivery of 12 crates arrived in good order ' +
  'our team has reviewed the draft and added two comments on page 7 of the attached report'
).split(' ');

/** Cheap repeatable randomness: the same seed finds the same inputs. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const random = randomOf(seed);

function benign(bytes: number): string {
  let text = '';
  while (text.length < bytes) {
    text += `${words[Math.floor(random() * words.length)]}${random() < 0.08 ? '. ' : ' '}`;
  }
  return text.slice(0, bytes);
}

function scan(text: string) {
  return scanner.scan({ value: { text }, schemaId: null, type: null, channel: 'tool_result' });
}

function timeMs(text: string): number {
  const startedMs = performance.now();
  scan(text);
  return performance.now() - startedMs;
}

/** Pieces that make rules begin work: keywords, encodings, hidden characters, near misses. */
const pieces = [
  'ignore ', 'previous ', 'instructions ', 'system ', 'password', 'api_key', 'AKIA', 'ghp_', 'sk-',
  'eyJ', '-----BEGIN ', 'xoxb-', 'AIza', 'secret=', 'token: ', '"', "'", '=', ':', '/', '+', '%69',
  '&#105;', '\\u0069', 'aWdub3Jl', '\u200b', '\u202e', '\u{e0069}', 'ｉｇｎｏｒｅ', 'іgnоrе', 'e\u0301',
  ' ',
  '\n', 'a', '0', '<|', '[INST]', '<!--', 'http://', '@', '.', 'DE89', '4111 1111 1111 1111 ',
];

function hostile(): string {
  const count = 1 + Math.floor(random() * 4);
  const pick = (): string => pieces[Math.floor(random() * pieces.length)] ?? 'a';
  const chosen = Array.from({ length: count }, pick);
  const unit = chosen.map((piece) => piece.repeat(1 + Math.floor(random() ** 3 * 40))).join('');
  let text = unit.repeat(Math.ceil(worstBytes / unit.length));
  while (Buffer.byteLength(text) > worstBytes) text = text.slice(0, Math.floor(text.length * 0.9));
  return text;
}

/** The least of several runs of the worst candidates, so that no other process is counted in. */
function search() {
  const untilMs = performance.now() + searchSeconds * 1000;
  let candidates: { readonly text: string; readonly ms: number }[] = [];
  let tried = 0;
  while (performance.now() < untilMs) {
    const text = hostile();
    candidates.push({ text, ms: timeMs(text) });
    tried += 1;
    if (candidates.length > 64) {
      candidates = candidates.toSorted((a, b) => b.ms - a.ms).slice(0, 16);
    }
  }
  const again = candidates.map(({ text }) =>
    ({ text, ms: Math.min(...Array.from({ length: 9 }, () => timeMs(text))) }),
  );
  const [worst] = again.toSorted((a, b) => b.ms - a.ms);
  const verdict = scan(worst?.text ?? '');
  return {
    tried,
    seed,
    bytes: Buffer.byteLength(worst?.text ?? ''),
    worstMs: rounded(worst?.ms ?? Number.NaN),
    outcome: verdict.outcome,
    code: verdict.findings[0]?.code ?? null,
  };
}

for (let round = 0; round < 500; round += 1) scan(benign(4096));
const texts = Array.from({ length: 500 }, () => benign(4096));
const cpuBefore = process.cpuUsage();
const times = Array.from({ length: 5000 }, (_, index) => timeMs(texts[index % texts.length] ?? ''));
const used = process.cpuUsage(cpuBefore);
const benignMs = percentiles(times);
const spent = (text: string): boolean =>
  scan(text).findings.some(({ code }) => code === 'SCAN_BUDGET');
const budget = texts.filter(spent);
const worst = search();
print({
  bench: 'scanner',
  machine: machine(),
  benign4KbMs: { ...benignMs, meanCpu: rounded((used.user + used.system) / 1000 / times.length) },
  benignOverBudget: budget.length,
  worst64Kb: worst,
  targets,
  pass: {
    p50: benignMs.p50 <= targets.p50Ms,
    p99: benignMs.p99 <= targets.p99Ms,
    worst: worst.worstMs <= targets.worstMs,
  },
});
