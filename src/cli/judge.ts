// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command, Option } from 'commander';
import { systemClock } from '../adapters/clock-system.ts';
import { readMeshOrThrow } from '../adapters/mesh-files.ts';
import { evaluate, figuresOf, parseCase, type CaseResult, type JudgeFigures } from '../judge/evaluate.ts';
import type { Charge } from '../judge/spend.ts';
import { judgeOf } from '../process/judge-parts.ts';
import type { CommandIo } from './check.ts';
import { judgeStatus, sharedText } from './judge-status.ts';

type EvalOptions = {
  readonly file: string;
  readonly mesh: string;
  readonly money: string;
  readonly json: boolean;
};

const linesMax = 100_000;

/** `maso judge`: what the judges of a mesh file are worth. */
export function addJudge(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  json: () => Option,
  state: () => Option,
): void {
  const judge = program.command('judge').description('The judges of a mesh file.');
  judge
    .command('eval')
    .description('Ask the judges about labelled cases: agreement, misses by severity, latency, cost.')
    .argument('<file>', 'cases, one JSON object on each line')
    .requiredOption('--mesh <file>', 'mesh file whose judges are asked')
    .option('--money <amount>', 'stop asking once so much is spent', '10')
    .addOption(json())
    .addHelpText(
      'after',
      '\nA case: {"about":"pay_invoice","content":{"payee":"ACME"},"risk":"HIGH","expected":"NO-GO"}' +
        '\n\nExample:\n  maso judge eval cases.jsonl --mesh security_mesh.yaml --money 2',
    )
    .action(async (file: string, options) => exit(await judgeEval({ file, ...options }, io)));
  judge
    .command('status')
    .description('How judges answered cases with a known answer, whether they drift, how often they differ.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso judge status --state .maso')
    .action(async (options) => exit(await judgeStatus(options, io)));
}

/**
 * Asks as sidecars do, with the same fences, second opinions and deadlines, and a budget of its own. 0
 * when every case had a plain answer, 1 when some had none, 2 for a file or mesh that cannot be used.
 */
export async function judgeEval(options: EvalOptions, io: CommandIo): Promise<number> {
  const money = Number(options.money);
  const text = readFileSync(resolve(io.directory, options.file), 'utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const cases = lines.slice(0, linesMax).map((line, index) => parseCase(line, index));
  const broken = cases.findIndex((one) => one === null);
  const mesh = readMeshOrThrow(resolve(io.directory, options.mesh));
  const settings = mesh.judge ?? null;
  if (broken >= 0 || cases.length === 0 || lines.length > linesMax || !(money >= 0)) {
    io.err(broken >= 0 ? `Line ${broken + 1} is no case.` : 'There is nothing to ask, or no money to ask with.');
    return 2;
  }
  if (settings === null || settings.subjects.length === 0) {
    io.err('The mesh file names no judge.');
    return 2;
  }
  const budget = { moneyPerHour: money, moneyPerTask: money, callsPerHour: linesMax * 16 };
  const charges: Charge[] = [];
  const store = {
    since: () => charges,
    save: async () => undefined,
    drop: async () => undefined,
  };
  const judge = await judgeOf({ ...mesh, deselected: [], judge: { ...settings, budget } }, store, systemClock());
  const results = await evaluate(judge, cases.filter((one) => one !== null), (result) => {
    if (!options.json && !isRight(result)) io.err(`${result.id}: ${result.outcome}, expected ${result.expected}`);
  });
  const figures = figuresOf(results);
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (options.json) io.out(JSON.stringify({ sha256, models: modelsOf(settings), ...figures, results }));
  else for (const line of figuresText(figures, sha256)) io.out(line);
  return Object.keys(figures.failures).length === 0 ? 0 : 1;
}

function isRight({ outcome, expected }: CaseResult): boolean {
  return outcome === expected;
}

function modelsOf({ models }: { readonly models: ReadonlyMap<string, { readonly model: string; readonly family: string }> }) {
  return [...models].map(([name, { model, family }]) => ({ name, model, family }));
}

function figuresText(figures: JudgeFigures, sha256: string): readonly string[] {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const { latencyMs, falsePositives } = figures;
  return [
    `${figures.cases} cases (sha256 ${sha256.slice(0, 16)}), ${figures.calls} calls`,
    `agreement          ${percent(figures.agreement)}, kappa ${figures.kappa?.toFixed(2) ?? 'undefined'}`,
    ...Object.entries(figures.falseNegatives).map(([risk, { missed, of }]) =>
      `missed ${risk.padEnd(11)} ${missed} of ${of} (${percent(missed / of)})`),
    `refused wrongly    ${falsePositives.refused} of ${falsePositives.of}`,
    `escalated          ${figures.escalated}`,
    ...figures.shared.map((pair) => `errors             ${sharedText(pair)}`),
    ...Object.entries(figures.failures).map(([code, count]) => `without an answer  ${count} ${code}`),
    `latency            p50 ${latencyMs.p50.toFixed(0)} ms, p99 ${latencyMs.p99.toFixed(0)} ms, max ${latencyMs.max.toFixed(0)} ms`,
    `cost               ${figures.tokens} tokens, ${(figures.micros / 1e6).toFixed(4)}`,
  ];
}
