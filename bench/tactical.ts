// SPDX-License-Identifier: Apache-2.0
// Tactical evaluation of messages against an OISpec, without a model, on one core, beside a floor:
// reading each payload once as JSON. `npm run bench:tactical -- --json`. Options: --seconds N.
import type { OISpec } from '../src/mesh/oispec.ts';
import { sayingFindings, type Saying } from '../src/policy/tactical.ts';
import { machine, numberOption, print, rounded } from './machine.ts';

const seconds = numberOption('seconds', 3);
const oispec: OISpec = {
  id: 'analyst-spec', version: '1', agent: 'analyst', goal: 'Report figures.', criteria: [],
  permittedTools: [], permittedActions: [], prohibitedActions: [], dataScope: ['work'],
  output: {
    confidenceWithoutSourceMax: 0.6,
    requiredFields: ['figure.value', 'figure.unit', 'source'],
    prohibitedContent: ['guaranteed return', 'insider', 'cannot lose', 'risk free', 'act now'],
  },
  canDelegate: false, maxDelegationDepth: 0, canCreateAgents: false, riskClassification: 'LOW',
  timeBoundary: { notBeforeMs: null, notAfterMs: null, durationMs: null }, digest: 'bench',
};
const text = 'Revenue of the third quarter rose by four percent against the year before. '.repeat(8);
const payload = { figure: { value: 42, unit: 'EUR' }, source: 'filing 10-Q', text };
const good: Saying = {
  type: 'claim', payload, origins: ['tool:filings'],
  epistemic: { confidence: 0.8, assumptions: ['constant currency'], unknowns: ['fourth quarter'] },
};
const sayings: readonly Saying[] = [
  good,
  { ...good, payload: { text } },
  { ...good, origins: ['agent:other'] },
  { ...good, payload: { ...payload, text: `${text} It is RISK\u200b FREE.` } },
];
const line = JSON.stringify(payload);

print({
  bytes: line.length,
  checksPerSecond: perSecond((turn) => sayingFindings(oispec, sayings[turn % sayings.length] ?? good).length),
  jsonReadsPerSecond: perSecond(() => Object.keys(JSON.parse(line) as object).length),
  machine: machine(),
});

function perSecond(work: (turn: number) => number): number {
  let done = 0;
  for (let turn = 0; turn < 20_000; turn += 1) done += work(turn);
  const before = process.cpuUsage();
  const endMs = performance.now() + seconds * 1000;
  let turns = 0;
  while (performance.now() < endMs) {
    for (let inner = 0; inner < 256; inner += 1) done += work(turns + inner);
    turns += 256;
  }
  const used = process.cpuUsage(before);
  if (done < 0) throw new Error('Nothing was checked.');
  return rounded(turns / ((used.user + used.system) / 1e6));
}
