// SPDX-License-Identifier: Apache-2.0
// How far a worm comes among agents that obey what they read, with the contagion monitor and
// without: `npm run bench:worm -- --json`. Options: --agents N, --seeds N.
import { loadCompactModel, shippedModelFile } from '../src/adapters/firewall-model-file.ts';
import { createScanner } from '../src/scanner/scan.ts';
import { createSchemaRegistry } from '../src/scanner/schema-registry.ts';
import { machine, numberOption, percentiles, print } from './machine.ts';
import { spread, type Disguise, type Spread } from './worm-fleet.ts';

const agents = numberOption('agents', 50);
const seeds = numberOption('seeds', 20);
const disguises: readonly Disguise[] = ['verbatim', 'paraphrased', 'encoded', 'split'];
const scanner = createScanner({
  schemas: createSchemaRegistry([]),
  limits: { depthMax: 32, membersMax: 20_000, stringLengthMax: 1e6, bytesMax: 1e6 },
  patterns: [],
  digestKey: new Uint8Array(32),
  nowUs: () => performance.now() * 1000,
});

const compact = loadCompactModel(shippedModelFile());
const readings = new Map<string, number>();
function read(text: string): number {
  const known = readings.get(text) ?? compact.read(text, 'tool_result').probability;
  readings.set(text, known);
  return known;
}

const rows = disguises.map((disguise) => {
  const of = (monitored: boolean, model: boolean) =>
    Array.from({ length: seeds }, (_, seed) =>
      spread({
        agents,
        neighbours: Math.min(6, agents - 1),
        fanOut: 3,
        seed: seed + 1,
        disguise,
        monitored,
        background: 3,
        read: model ? read : () => null,
        review: (value) => [
          scanner.scan({ value, schemaId: null, type: null, channel: 'agent_message' }),
        ],
      }),
    );
  const [without, ruled, guarded] = [of(false, false), of(true, false), of(true, true)];
  const sum = (runs: readonly Spread[], of: 'harmless' | 'harmlessRefused'): number =>
    runs.reduce((total, one) => total + one[of], 0);
  return {
    disguise,
    reachedWithout: percentiles(without.map(({ reached }) => reached)),
    reachedWithRules: percentiles(ruled.map(({ reached }) => reached)),
    reachedWithModel: percentiles(guarded.map(({ reached }) => reached)),
    harmlessWithRules: { sent: sum(ruled, 'harmless'), refused: sum(ruled, 'harmlessRefused') },
    harmlessWithModel: { sent: sum(guarded, 'harmless'), refused: sum(guarded, 'harmlessRefused') },
  };
});

print({ bench: 'worm', machine: machine(), agents, seeds, rows });
