// SPDX-License-Identifier: Apache-2.0
import { evidenceOf, probabilityOf } from '../../src/firewall/compact-model.ts';
import type { Calibration } from '../../src/firewall/compact-model.ts';
import { evaluate } from '../../src/firewall/evaluate.ts';
import type { ScoredText } from '../../src/firewall/evaluate.ts';
import { FeatureReader } from '../../src/firewall/features.ts';
import { channelReadAs } from '../../src/firewall/read-as.ts';
import { SecondReader } from '../../src/firewall/second-reader.ts';
import { harmlessWords } from '../../src/firewall/training/second-material.ts';
import { calibrate } from '../../src/firewall/training/calibrate.ts';
import { exampleOf } from '../../src/firewall/training/examples.ts';
import { fit } from '../../src/firewall/training/fit.ts';
import type { LabelledRow } from '../../src/firewall/training/labelled-row.ts';
import type { TrainOptions } from '../../src/firewall/training/train.ts';
import { doubtsFrom, scoresOf } from '../../src/firewall/training/train.ts';
import type { WordClusters } from '../../src/firewall/word-clusters.ts';
import { bandFor, shippedFirewall } from '../../src/mesh/firewall-settings.ts';
import { harmlessFolds } from './leave-out.ts';

const foldCount = 4;
/** The one large source of system prompts: half of it stays in, as where sources of attacks are left out. */
const split = 'gpt-system-prompts';

/** What harmless texts are about, by the families of the corpus. */
const kinds: { readonly [kind: string]: RegExp } = {
  code: /^code$/,
  SQL: /^sql$/,
  logs: /^log$/,
  'writing about injections': /^about_injection$/,
  'writing about injections that quotes one': /^about_injection_quoting$/,
  'writing about models': /^docs_llm$/,
  'security writing': /^security_/,
  'system prompts': /^(?:system_prompt|role_prompt|agent_instructions|skill)$/,
  recipes: /^recipe$/,
  'hand-offs between agents': /^(?:agent_delegation|agent_plan|agent_trace)$/,
  'talk between agents': /^(?:agent_dialogue|assistant_answer|dialogue)$/,
  'results of tools': /^(?:tool_|json$|table$)/,
  documents: /^(?:docs|document)/,
  'web pages': /^web/,
  mail: /^email$/,
  'tasks of users': /^user_/,
  'harmful requests': /^harmful_request$/,
  'words of attacks in harmless texts': /^hard_negative/,
};

type Placed = ScoredText & { readonly unit: string; readonly score: number };

/**
 * Harmless texts that a training did not see, at the shipped thresholds: each source is left out of one of
 * four trainings, and measured with its texts of both files; of what a generator composed, the file for
 * development holds other templates than the one for training. What is rare in a channel is taken from
 * all other sources left out, so that neither weights nor thresholds know the one that is measured.
 */
export function harmlessUnseen(
  train: readonly LabelledRow[],
  dev: readonly LabelledRow[],
  options: Omit<TrainOptions, 'version' | 'clusters'>,
  clustersOf: (fold: number) => WordClusters,
  allRows: readonly LabelledRow[],
  { slope, offset }: Pick<Calibration, 'slope' | 'offset'>,
) {
  const foldOf = foldsOf(train);
  const measured = Array.from({ length: foldCount }, (_, fold) => {
    const isLeftOut = (row: LabelledRow): boolean => row.label === 'benign' && foldOf.get(row.source) === fold;
    const isHeld = (row: LabelledRow, index: number): boolean =>
      isLeftOut(row) || (row.label === 'benign' && isComposed(row.source) && index % foldCount === fold);
    const isOut = (row: LabelledRow, index: number): boolean =>
      isLeftOut(row) && (row.source !== split || index % 2 === 1);
    const reader = new FeatureReader(options.bits, clustersOf(fold));
    const read = (rows: readonly LabelledRow[]) => rows.map((row) => exampleOf(row, reader));
    const examples = read(train.filter((row, index) => !isOut(row, index)));
    const held = [...train.filter(isOut), ...dev.filter(isHeld)].map((row) => ({
      ...row, channel: channelReadAs(row.channel, [row.text]),
    }));
    const harmless = harmlessWords(allRows.filter((row) => !isLeftOut(row)), reader);
    return { examples, fitted: fit(examples, options), harmless, rows: held, held: read(held) };
  });
  const seconds = options.trainSecond?.(measured, options) ?? [];
  const doubtFrom = doubtsFrom([measured.flatMap(({ held, fitted }) => scoresOf(held, fitted, options.lengthPenalty))]);
  const placed = measured.flatMap(({ rows, held, fitted }, fold) => {
    const second = seconds[fold];
    const reader = second === undefined ? null : { reader: new SecondReader(second), doubtFrom };
    return scoresOf(held, fitted, options.lengthPenalty, evidenceOf, reader)
      .map((each, at) => ({ ...each, row: rows[at] }))
      .flatMap(({ score, row }) => (row === undefined ? [] : [placedAs(row, score)]));
  });
  const judged = [...new Set(placed.map(({ unit }) => unit))].flatMap((unit) => {
    const { knots } = calibrate([placed.filter((text) => text.unit !== unit)]);
    return placed.filter((text) => text.unit === unit).map((text) => ({
      ...text,
      probability: probabilityOf(text.score, text.channel, { knots, slope, offset }),
    }));
  });
  const { falsePositives, harmless, byChannel, byFamily, bySource } = evaluate(judged);
  return { harmless, falsePositives, byKind: evaluate(judged.map(ofKind)).byFamily, byChannel, byFamily, bySource };
}

function ofKind(text: Placed): Placed {
  const kind = Object.entries(kinds).find(([, families]) => families.test(text.family))?.[0];
  return { ...text, family: kind ?? text.family };
}

function placedAs({ channel, family, source }: LabelledRow, score: number): Placed {
  const band = bandFor(shippedFirewall, channel, 'internal');
  // Of the composed texts each family is a source of its own.
  const unit = isComposed(source) ? `${source} ${family}` : source;
  return { unit, score, probability: 0, isAttack: false, channel, family, source, language: 'other', band };
}

function isComposed(source: string): boolean {
  return source.startsWith('composed');
}

function foldsOf(train: readonly LabelledRow[]): ReadonlyMap<string, number> {
  return new Map(harmlessFolds(train).flatMap((names, fold) => names.map((name) => [name, fold] as const)));
}
