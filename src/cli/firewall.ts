// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { shippedModelFile } from '../adapters/firewall-model-file.ts';
import { CompactModel } from '../firewall/compact-model.ts';
import type { Evaluation, ScoredText } from '../firewall/evaluate.ts';
import { evaluate } from '../firewall/evaluate.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import { languageOf } from '../firewall/language.ts';
import { channelReadAs } from '../firewall/read-as.ts';
import { decodeModel, encodeModel } from '../firewall/model-file.ts';
import { applyFeedback } from '../firewall/training/feedback.ts';
import { composeRows } from '../firewall/training/compose.ts';
import type { LabelledRow } from '../firewall/training/labelled-row.ts';
import { defaultTraining, train } from '../firewall/training/train.ts';
import { calibrate } from '../firewall/training/calibrate.ts';
import type { FirewallSettings } from '../mesh/firewall-settings.ts';
import { bandFor, shippedFirewall } from '../mesh/firewall-settings.ts';
import { channels } from '../message/channel.ts';
import { readClusters, readFragments, readLabelledFile } from '../process/labelled-rows.ts';
import type { ModelReader } from '../process/model-reader.ts';
import { compactModelOf, modelReaderOf, pinOf } from '../process/model-reader.ts';
import { secondTrainer } from '../process/second-training.ts';
import type { CommandIo } from './check.ts';

export type EvalOptions = {
  readonly model?: string;
  /** Labels of an ONNX model that mean an attack. */
  readonly attackLabel?: readonly string[];
  readonly json: boolean;
};

/** Measures a model on labelled files, each and all together. Exit code 0. */
export async function firewallEval(
  files: readonly string[],
  options: EvalOptions,
  io: CommandIo,
): Promise<number> {
  const model = await modelReaderOf(options.model, options.attackLabel ?? null);
  const settings = settingsOf(options.model);
  const scored: { file: string; sha256: string; texts: ScoredText[] }[] = [];
  for (const file of files) {
    const { sha256, rows } = readLabelledFile(file);
    const texts: ScoredText[] = [];
    // oxlint-disable-next-line no-await-in-loop -- one core, one text after another
    for (const row of rows) texts.push(await scoredText(row, model, settings));
    scored.push({ file, sha256, texts });
  }
  const reports = scored.map(({ file, sha256, texts }) => ({ file, sha256, ...evaluate(texts) }));
  if (scored.every(({ texts }) => texts.length === 0)) throw tooFewRows();
  const all = evaluate(scored.flatMap(({ texts }) => texts));
  if (options.json) io.out(JSON.stringify({ model: model.version, band: settings.band, channels: settings.channels, files: reports, all }, null, 2));
  else for (const report of reports.length === 1 ? reports : [...reports, { file: 'all', ...all }]) io.out(summary(report));
  return 0;
}

/** Prints what the mesh file has to say to take a model of the user's own. Exit code 0. */
export function firewallPin(file: string, io: CommandIo): number {
  const sha256 = pinOf(file);
  io.out(`model: ${file}`);
  io.out(`sha256: ${sha256}`);
  return 0;
}

export type TrainFiles = {
  readonly texts?: string;
  readonly feedback?: string;
  readonly held?: string;
  readonly clusters?: string;
  /** The program that trains the second reader; absent is a model that reads once. */
  readonly second?: string;
  readonly out: string;
  readonly name: string;
};

/** Trains and calibrates a model; the same files give the same bytes. */
export function firewallTrain(files: readonly string[], options: TrainFiles, io: CommandIo): number {
  checkFolderOf(options.out);
  const given = files.flatMap((file) => readLabelledFile(file).rows);
  const fragments = options.texts === undefined ? [] : readFragments(options.texts);
  const own = composeRows(fragments, defaultTraining.seed);
  const rows = [...given, ...own];
  const fed = options.feedback === undefined ? rows : applyFeedback(rows, readFileSync(options.feedback, 'utf8'));
  if (!hasBothLabels(fed)) throw tooFewRows();
  const held = options.held === undefined ? [] : readLabelledFile(options.held).rows;
  const clusters = options.clusters === undefined ? null : readClusters(options.clusters);
  const trainSecond = options.second === undefined ? null : secondTrainer(options.second);
  const model = train(fed, { ...defaultTraining, version: options.name, clusters, trainSecond }, held);
  const bytes = encodeModel(model);
  writeFileSync(options.out, bytes);
  io.out(`rows    ${given.length} given, ${own.length} composed, ${fed.length} in all`);
  io.out(`model   ${options.out} (${model.version}, ${bytes.length} bytes)`);
  io.out(`sha256  ${createHash('sha256').update(bytes).digest('hex')}`);
  return 0;
}

/** Fits the probabilities of a model anew on texts of both labels that it did not learn from. */
export function firewallCalibrate(
  files: readonly string[],
  options: { readonly model?: string; readonly out: string },
  io: CommandIo,
): number {
  checkFolderOf(options.out);
  const weights = decodeModel(readFileSync(options.model ?? shippedModelFile().file));
  const model = new CompactModel(weights);
  const rows = files.flatMap((file) => readLabelledFile(file).rows);
  if (!hasBothLabels(rows)) throw tooFewRows();
  const scores = rows.map((row) => ({
    score: model.read(row.text, row.channel).score,
    channel: row.channel,
    isAttack: row.label === 'attack',
  }));
  const bytes = encodeModel({ ...weights, calibration: calibrate([scores]) });
  writeFileSync(options.out, bytes);
  io.out(`model   ${options.out}`);
  io.out(`sha256  ${createHash('sha256').update(bytes).digest('hex')}`);
  return 0;
}

/** Throws what the system says: nobody is to learn after minutes of training that the model goes nowhere. */
function checkFolderOf(out: string): void {
  accessSync(dirname(resolve(out)), constants.W_OK);
}

export type ExplainOptions = {
  readonly text?: string;
  readonly file?: string;
  readonly channel: string;
  readonly model?: string;
  readonly json: boolean;
};

const shownTokens = 12;

/**
 * Says which window of a text decided and what in it weighed most. Words are shown only when the
 * text stood on the command line; of a file, places alone. Exit code 1 above `refuseAt`.
 */
export function firewallExplain(options: ExplainOptions, io: CommandIo): number {
  const channel = channels.find((name) => name === options.channel);
  const text = options.text ?? (options.file === undefined ? undefined : readFileSync(options.file, 'utf8'));
  if (channel === undefined || text === undefined) {
    io.err(`Give --text or --file, and a channel: ${channels.join(', ')}.`);
    return 2;
  }
  const model = compactModelOf(options.model);
  const readAs = channelReadAs(channel, [text]);
  const { probability, score, window, logit } = model.read(text, readAs);
  const band = bandFor(settingsOf(options.model), readAs, 'internal');
  const outcome = probability >= band.refuseAt ? 'NO-GO' : probability >= band.escalateAt ? 'ESCALATE' : 'GO';
  const tokens = model
    .contributions(text, readAs)
    .filter(({ start, end }) => window !== null && start >= window.start && end <= window.end)
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
    .slice(0, shownTokens)
    .map(({ token, start, end, score: weight }) => ({
      ...(options.text === undefined ? {} : { token }),
      start,
      end,
      weight: Number(weight.toFixed(3)),
    }));
  const report = { model: model.version, channel, readAs, outcome, probability, score, window, secondReading: logit, tokens };
  if (options.json) {
    io.out(JSON.stringify(report, null, 2));
    return outcome === 'NO-GO' ? 1 : 0;
  }
  io.out(`${outcome}  probability ${probability.toFixed(4)}, score ${score.toFixed(3)} (${model.version}, ${readAs})`);
  const twice = logit === null ? '' : `, read twice: log-odds ${logit.toFixed(2)}`;
  if (window !== null) io.out(`window ${window.start}..${window.end}${twice}`);
  for (const { start, end, weight, ...shown } of tokens) {
    io.out(`  ${String(weight).padStart(8)}  ${start}..${end}  ${'token' in shown ? JSON.stringify(shown.token) : ''}`);
  }
  return outcome === 'NO-GO' ? 1 : 0;
}

/** As a mesh file without thresholds has them: the bands of channels are those of the package's own model. */
function settingsOf(model: string | undefined): FirewallSettings {
  return model === undefined ? shippedFirewall : { ...shippedFirewall, channels: {} };
}

async function scoredText(row: LabelledRow, model: ModelReader, settings: FirewallSettings): Promise<ScoredText> {
  const readAs = channelReadAs(row.channel, [row.text]);
  return {
    probability: await model.probability(row.text, readAs),
    isAttack: row.label === 'attack',
    channel: row.channel,
    family: row.family,
    language: languageOf(row.text),
    source: row.source,
    band: bandFor(settings, readAs, 'internal'),
  };
}

function hasBothLabels(rows: readonly LabelledRow[]): boolean {
  return rows.some(({ label }) => label === 'attack') && rows.some(({ label }) => label !== 'attack');
}

function tooFewRows(): FirewallError {
  return new FirewallError('FIREWALL_ROWS_TOO_FEW', 'There is no labelled text, or none of the other label.');
}

function summary(report: Evaluation & { readonly file: string }): string {
  const percent = (share: number | undefined) => (share === undefined ? '-' : `${(share * 100).toFixed(1)} %`);
  return [
    `${report.file}: ${report.attacks} attacks, ${report.harmless} harmless, AUC ${report.auc ?? '-'}`,
    `  caught: escalated ${percent(report.recall?.escalated)}, refused ${percent(report.recall?.refused)}`,
    `  false positives: escalated ${percent(report.falsePositives?.escalated)}, refused ${percent(report.falsePositives?.refused)}`,
    `  recall at 5 / 1 / 0.1 % false positives: ${Object.values(report.recallAt ?? {}).map(percent).join(' / ') || '-'}`,
  ].join('\n');
}
