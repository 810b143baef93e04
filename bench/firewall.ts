// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadCompactModel, shippedModelFile } from '../src/adapters/firewall-model-file.ts';
import { decodeModel } from '../src/firewall/model-file.ts';
import { composeRows } from '../src/firewall/training/compose.ts';
import { capRows } from '../src/firewall/training/examples.ts';
import { defaultTraining } from '../src/firewall/training/train.ts';
import { seededDraw } from '../src/firewall/training/seeded-random.ts';
import { readClusters, readFragments, readLabelledFile } from '../src/process/labelled-rows.ts';
import { secondTrainer } from '../src/process/second-training.ts';
import { measureIdentifiers } from './firewall/identifiers.ts';
import { harmlessUnseen } from './firewall/harmless.ts';
import { harmlessFolds, leaveOut, meanOf } from './firewall/leave-out.ts';
import { machine } from './machine.ts';
import { measureAnswers, measureThread, measureTimes } from './firewall/times.ts';

/**
 * What the semantic firewall costs and, with labelled files, what it finds in sources it has not
 * seen: each group of sources is left out of one training, and measured by that model.
 *
 *   npm run bench:firewall -- --json
 *   npm run bench:firewall -- --train train.jsonl.gz --dev dev.jsonl.gz --json
 *
 * `--harmless` measures harmless texts of sources left out instead, by what they are about.
 *
 * `--folds` prints which harmless sources each training leaves out; a table of groups of words learned
 * without them (train/firewall/clusters.py) is named by `--clusters 'DIR/without-@.bin'`, @ being 0 to 3.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    train: { type: 'string' },
    dev: { type: 'string' },
    texts: { type: 'string', default: 'train/firewall/texts' },
    clusters: { type: 'string', default: 'train/firewall/word-clusters.bin' },
    second: { type: 'string' },
    change: { type: 'string', default: '{}' },
    seeds: { type: 'string', default: '1' },
    folds: { type: 'boolean', default: false },
    harmless: { type: 'boolean', default: false },
  },
});

if (values.folds && values.train !== undefined) {
  process.stdout.write(`${JSON.stringify(harmlessFolds(readLabelledFile(values.train).rows))}\n`);
  process.exit(0);
}

// Before anything else has loaded the model: what loading costs is measured too.
const times = process.env['FAST'] === '1' ? null : measureTimes();
const model = loadCompactModel(shippedModelFile());
const { calibration } = decodeModel(readFileSync(shippedModelFile().file));
const threadMiB = process.env['FAST'] === '1' ? null : await measureThread();
const answers = process.env['FAST'] === '1' ? null : await measureAnswers();
const report: { [name: string]: unknown } = { machine: machine(), model: model.version, times, threadMiB, answers, identifiers: measureIdentifiers(model) };

if (values.train !== undefined) {
  const given = readLabelledFile(values.train);
  const dev = values.dev === undefined ? null : readLabelledFile(values.dev);
  const trainSecond = values.second === undefined ? null : secondTrainer(values.second);
  const changed = { ...defaultTraining, trainSecond, ...(JSON.parse(values.change) as object) };
  const clustersOf = (fold: number) => readClusters(values.clusters.replace('@', String(fold)));
  const rowsFor = (seed: number) => {
    const own = composeRows(readFragments(values.texts), seed);
    const learned = [...given.rows, ...own].filter(({ source }) => changed.sourceWeights[source] !== 0);
    return capRows(learned, changed.caps, seededDraw(seed));
  };
  report['corpus'] = { train: given.sha256, dev: dev?.sha256 ?? null };
  if (values.harmless) {
    report['harmless'] = harmlessUnseen(rowsFor(changed.seed), dev?.rows ?? [], changed, clustersOf, given.rows, calibration);
  } else {
    const runs = Array.from({ length: Number(values.seeds) }, (_, at) => {
      const options = { ...changed, seed: changed.seed + 100 * at };
      return { seed: options.seed, ...leaveOut(rowsFor(options.seed), dev?.rows ?? [], options, clustersOf, given.rows) };
    });
    report['leaveOut'] = { mean: meanOf(runs), runs };
  }
}
process.stdout.write(`${JSON.stringify(report, null, values.json ? 2 : 1)}\n`);
