// SPDX-License-Identifier: Apache-2.0
// Separation of duties proven over a large mesh, and what `maso check` does around it: parsing,
// resolving, every other invariant. `npm run bench:duties -- --json`.
// Options: --agents N, --edges N, --rounds N.
import { graphBreaches, proveDuties } from '../src/mesh/duty-proof.ts';
import { proofLines } from '../src/mesh/duty-proof-text.ts';
import { loadMesh } from '../src/mesh/load.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const agentCount = numberOption('agents', 1000);
const edgeCount = numberOption('edges', 5000);
const rounds = numberOption('rounds', 10);
const targetMs = 1000;

const text = meshText();
const file = '/bench/security_mesh.yaml';
const specs = (path: string): string | null => {
  const name = /\/oispec\/(.+)\.yaml$/.exec(path)?.[1];
  return name === undefined ? null : oispec(name);
};

const loadMs: number[] = [];
const proofMs: number[] = [];
const breachMs: number[] = [];
const printMs: number[] = [];
let rights = 0;
let causes = 0;
for (let round = 0; round < rounds; round += 1) {
  let started = performance.now();
  const loaded = loadMesh(file, text, specs);
  loadMs.push(performance.now() - started);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ code }) => code).join(', '));
  started = performance.now();
  const proof = proveDuties(loaded.mesh);
  proofMs.push(performance.now() - started);
  if (!proof.holds) throw new Error('the mesh of this measurement is meant to hold');
  rights = proof.rights.length;
  causes = proof.rights.reduce((sum, right) => sum + right.causes.length, 0);
  started = performance.now();
  graphBreaches(loaded.mesh);
  breachMs.push(performance.now() - started);
  started = performance.now();
  proofLines(proof, loaded.placed);
  printMs.push(performance.now() - started);
}
const whole = loadMs.map((ms, round) => ms + (proofMs[round] ?? 0) + (printMs[round] ?? 0));
print({
  machine: machine(),
  agents: agentCount,
  edges: edgeCount,
  rights,
  causes,
  fileBytes: text.length,
  proofMs: percentiles(proofMs),
  breachesOnlyMs: percentiles(breachMs),
  printMs: percentiles(printMs),
  loadMs: percentiles(loadMs),
  wholeMs: percentiles(whole),
  targetMs,
  proofToTarget: rounded(percentiles(proofMs).max / targetMs),
});

/** A fleet of readers, planners and executors; edges drawn by a fixed congruential generator. */
function meshText(): string {
  const executors = Math.floor(agentCount / 5);
  const planners = Math.floor(agentCount / 5);
  const readers = agentCount - executors - planners;
  const pick = drawing();
  const names = (kind: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${kind}${index}`);
  const reading = names('r', readers);
  const planning = names('p', planners);
  const acting = names('e', executors);
  const edges = new Set<string>();
  const request = 'may_request: [act]';
  for (const name of acting) {
    edges.add(`{ from: ${planning[pick(planners)]}, to: ${name}, ${request} }`);
  }
  while (edges.size < edgeCount) {
    const from = pick(2) === 0 ? reading[pick(readers)] : planning[pick(planners)];
    const requests = from?.startsWith('p') === true && pick(4) === 0;
    const others = [...reading, ...planning];
    const to = requests ? acting[pick(executors)] : others[pick(others.length)];
    const carries = requests ? request : 'schemas: [note/1]';
    if (from !== to) edges.add(`{ from: ${from}, to: ${to}, ${carries} }`);
  }
  return `security_mesh:
  defaults: { domain: work }
  global: { development: true }
  domains: [ { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, EXECUTOR] } ]
  agents:
${reading.map((name) => `    ${name}: { role: RETRIEVER, tools: [mail] }`).join('\n')}
${planning.map((name) => `    ${name}: { role: ORCHESTRATOR }`).join('\n')}
${acting.map(executor).join('\n')}
  edges:
${[...edges].map((edge) => `    - ${edge}`).join('\n')}
  actions:
    act:
      risk: HIGH
      reversibility: irreversible
      tool: bank.transfer
      parameters:
        type: object
        additionalProperties: false
        properties: { payee: { type: string, pattern: "^[A-Z]{1,32}$" } }
      sensitive: { payee: { from: [prompt] } }
  tools:
    mail: { function: ./mail.ts, results: { content: untrusted } }
    bank: { function: ./bank.ts, results: { status: internal } }
  schemas:
    note/1: { type: data, schema: { type: object } }
`;
}

function executor(name: string): string {
  const held = `isolation: uid, tools: [bank], oispec: oispec/${name}.yaml`;
  return `    ${name}: { role: EXECUTOR, ${held} }`;
}

function oispec(agent: string): string {
  return `oisspec_id: ${agent}
agent_id: ${agent}
created_by: bench
version: "1"
objective: { goal: act }
parameters: { permitted_tools: [bank], permitted_actions: [act], data_scope: [work] }
risk_classification: HIGH
`;
}

/** The same numbers on every run: a figure that moves is then the code's. */
function drawing(): (below: number) => number {
  let state = 20_260_101;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
