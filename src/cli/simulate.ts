// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import { simulate, type SimulationReport } from '../simulation/simulate.ts';
import { weaknesses } from '../simulation/weaken.ts';
import type { CommandIo } from './check.ts';
import { makeStage } from './simulation-stage.ts';

type SimulateOptions = {
  readonly seed?: string;
  readonly seeds: string;
  readonly seconds: string;
  readonly weaken?: string;
  readonly trace?: boolean;
  readonly json?: boolean;
};

const seedMax = 0xffff_ffff;

/** `maso simulate`: the real code under faults and the worst agents, on clocks and disks that are made up. */
export function addSimulate(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  json: () => Option,
): void {
  program.command('simulate')
    .description('Run fleets of hostile agents on simulated machines that crash, and check G1 to G10 after every step.')
    .option('--seed <number>', 'first seed; the others follow it. Absent: drawn by chance, and printed')
    .option('--seeds <count>', 'how many runs', '50')
    .option('--seconds <count>', 'simulated time in which things break, for each run', '15')
    .option('--weaken <guard>', `break a guard on purpose, to see the checks fail: ${weaknesses.join(', ')}`)
    .option('--trace', 'print what happens')
    .addOption(json())
    .addHelpText('after', '\nExamples:\n  maso simulate --seeds 1000\n  maso simulate --seed 421337 --seeds 1 --trace' +
      '\n  maso simulate --weaken lease')
    .action(async (options: SimulateOptions) => exit(await runSimulate(options, io)));
}

async function runSimulate(options: SimulateOptions, io: CommandIo): Promise<number> {
  const first = options.seed === undefined ? Math.floor(Math.random() * seedMax) : count(options.seed, seedMax);
  const seeds = count(options.seeds, 1_000_000);
  const seconds = count(options.seconds, 600);
  const weakness = weaknesses.find((one) => one === options.weaken) ?? null;
  if (first === null || seeds === null || seconds === null || (options.weaken !== undefined && weakness === null)) {
    io.err('maso simulate: a seed, a count or a guard is none (maso simulate --help)');
    return 2;
  }
  const stage = await makeStage();
  const failed: SimulationReport[] = [];
  const totals = new Totals();
  const told = options.trace === true && options.json !== true ? (line: string): void => io.out(line) : undefined;
  for (let index = 0; index < seeds; index += 1) {
    const seed = (first + index) >>> 0;
    const report = await simulate(stage, { seed, forMs: seconds * 1_000, weakness, ...(told === undefined ? {} : { told }) });
    totals.add(report);
    if (report.violations.length > 0) failed.push(report);
    if (options.json !== true) sayOf(report, seconds, weakness, io);
  }
  const summary = { firstSeed: first, lastSeed: (first + seeds - 1) >>> 0, seeds, seconds, weakened: weakness, ...totals.all };
  if (options.json === true) io.out(JSON.stringify({ ...summary, failed }, null, 2));
  else io.out(summaryText(summary, failed.length));
  return failed.length === 0 ? 0 : 1;
}

/** A failing seed is printed with the command that replays it. */
function sayOf(report: SimulationReport, seconds: number, weakness: string | null, io: CommandIo): void {
  const weakened = weakness === null ? '' : ` --weaken ${weakness}`;
  for (const { guarantee, what, atMs } of report.violations) {
    io.out(`seed ${report.seed}: ${guarantee} violated at ${new Date(atMs).toISOString().slice(14, 23)}: ${what}`);
  }
  if (report.violations.length > 0) {
    io.out(`  replay: maso simulate --seed ${report.seed} --seeds 1 --seconds ${seconds} --trace${weakened}`);
  }
}

class Totals {
  #steps = 0;
  #simulatedMs = 0;
  #toolCalls = 0;
  #messages = 0;
  #entries = 0;
  readonly #faults = new Map<string, number>();

  add({ steps, simulatedMs, toolCalls, accepted, entries, faults }: SimulationReport): void {
    this.#steps += steps;
    this.#simulatedMs += simulatedMs;
    this.#toolCalls += toolCalls;
    this.#messages += accepted;
    this.#entries += entries;
    for (const [kind, times] of Object.entries(faults)) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + times);
  }

  get all() {
    return {
      steps: this.#steps, simulatedMs: this.#simulatedMs, messages: this.#messages, toolCalls: this.#toolCalls,
      entries: this.#entries, faults: Object.fromEntries([...this.#faults].sort()),
    };
  }
}

function summaryText(
  summary: Totals['all'] & { readonly firstSeed: number; readonly lastSeed: number; readonly seeds: number },
  failed: number,
): string {
  const { firstSeed, lastSeed, seeds, steps, simulatedMs, messages, toolCalls, entries, faults } = summary;
  const broken = Object.entries(faults).map(([kind, times]) => `${kind} ${times}`).join(', ');
  return `${seeds} seeds, ${firstSeed} to ${lastSeed}: ${steps} steps, each held against G1 to G10; ` +
    `${Math.round(simulatedMs / 60_000)} simulated minutes, ${messages} messages, ${toolCalls} writes handed to tools, ` +
    `${entries} entries.\nfaults: ${broken}\n${failed === 0 ? 'no violation' : `${failed} seeds with violations`}`;
}

/** A whole number from 0 to the bound; null for anything else. */
function count(text: string, max: number): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && value <= max ? value : null;
}
