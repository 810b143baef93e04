// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { loadCompactModel, shippedModelFile } from '../src/adapters/firewall-model-file.ts';
import { FeatureReader } from '../src/firewall/features.ts';
import { composeRows } from '../src/firewall/training/compose.ts';
import { capRows } from '../src/firewall/training/examples.ts';
import { defaultTraining } from '../src/firewall/training/train.ts';
import { seededDraw } from '../src/firewall/training/seeded-random.ts';
import { readClusters, readFragments, readLabelledFile } from '../src/process/labelled-rows.ts';
import { leaveOut } from './firewall/leave-out.ts';
import { machine } from './machine.ts';
import { measureThread, measureTimes } from './firewall/times.ts';

/**
 * What the semantic firewall costs and, with labelled files, what it finds in sources it has not
 * seen: each group of sources is left out of one training, and measured by that model.
 *
 *   npm run bench:firewall -- --json
 *   npm run bench:firewall -- --train train.jsonl.gz --dev dev.jsonl.gz --json
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    train: { type: 'string' },
    dev: { type: 'string' },
    texts: { type: 'string', default: 'train/firewall/texts' },
    clusters: { type: 'string', default: 'train/firewall/word-clusters.bin' },
    change: { type: 'string', default: '{}' },
  },
});

// Before anything else has loaded the model: what loading costs is measured too.
const times = process.env['FAST'] === '1' ? null : measureTimes();
const model = loadCompactModel(shippedModelFile());
const threadMiB = process.env['FAST'] === '1' ? null : await measureThread();
const report: { [name: string]: unknown } = { machine: machine(), model: model.version, times, threadMiB };

if (values.train !== undefined) {
  const given = readLabelledFile(values.train);
  const dev = values.dev === undefined ? null : readLabelledFile(values.dev);
  const clusters = readClusters(values.clusters);
  const options = { ...defaultTraining, clusters, ...(JSON.parse(values.change) as object) };
  const own = composeRows(readFragments(values.texts), options.seed);
  const learned = [...given.rows, ...own].filter(({ source }) => options.sourceWeights[source] !== 0);
  const rows = capRows(learned, options.caps, seededDraw(options.seed));
  report['corpus'] = { train: given.sha256, dev: dev?.sha256 ?? null };
  report['leaveOut'] = leaveOut(rows, dev?.rows ?? [], options, new FeatureReader(options.bits, clusters));
}
process.stdout.write(`${JSON.stringify(report, null, values.json ? 2 : 1)}\n`);
