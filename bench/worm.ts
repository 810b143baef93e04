// SPDX-License-Identifier: Apache-2.0
// How far a worm comes among agents that obey what they read, with the contagion monitor and
// without: `npm run bench:worm -- --json`. Options: --agents N, --seeds N.
import { createScanner } from '../src/scanner/scan.ts';
import { createSchemaRegistry } from '../src/scanner/schema-registry.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';
import { spread, type Disguise } from './worm-fleet.ts';

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

const rows = disguises.map((disguise) => {
  const of = (monitored: boolean) =>
    Array.from({ length: seeds }, (_, seed) =>
      spread({
        agents,
        neighbours: Math.min(6, agents - 1),
        fanOut: 3,
        seed: seed + 1,
        disguise,
        monitored,
        background: 3,
        review: (value) => [
          scanner.scan({ value, schemaId: null, type: null, channel: 'agent_message' }),
        ],
      }),
    );
  const [without, guarded] = [of(false), of(true)];
  const harmless = guarded.reduce((sum, one) => sum + one.harmless, 0);
  const refused = guarded.reduce((sum, one) => sum + one.harmlessRefused, 0);
  return {
    disguise,
    reachedWithout: percentiles(without.map(({ reached }) => reached)),
    reachedWith: percentiles(guarded.map(({ reached }) => reached)),
    harmless,
    harmlessRefused: refused,
    harmlessRefusedShare: rounded(refused / harmless),
  };
});

print({ bench: 'worm', machine: machine(), agents, seeds, rows });
