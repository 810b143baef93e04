// SPDX-License-Identifier: Apache-2.0
// The policy compliance check of one action request: without Cedar policies, with 100 and with
// 1,000. `npm run bench:comply -- --json`. The file's own parse and compile is not counted.
import { base, input } from '../test/mesh-files/request.ts';
import { sampleMesh } from '../test/mesh-files/sample.ts';
import type { Mesh } from '../src/mesh/mesh.ts';
import { CedarPolicies } from '../src/policy/cedar.ts';
import { comply } from '../src/policy/comply.ts';
import { machine, percentiles, print, rounded } from './machine.ts';

const targets = { warmP50Ms: 0.4, thousandToHundred: 1.3 };
const rounds = 3000;
const actions = ['pay_invoice', 'check_payment'];

const without = measure(base, null);
const hundred = await measured(100);
const thousand = await measured(1000);
const ratio = rounded(thousand.p50 / hundred.p50);
print({
  bench: 'comply',
  machine: machine(),
  withoutCedarMs: without,
  cedar100RulesMs: hundred,
  cedar1000RulesMs: thousand,
  thousandToHundred: ratio,
  targets,
  pass: { warm: hundred.p50 <= targets.warmP50Ms, scaling: ratio <= targets.thousandToHundred },
});

async function measured(rules: number) {
  const mesh = withRules(rules);
  return measure(mesh, await CedarPolicies.load(mesh));
}

function measure(mesh: Mesh, cedar: CedarPolicies | null) {
  const asked = input({ mesh, cedar });
  const first = comply(asked);
  if (first.outcome !== 'GO') throw new Error(first.findings.map(({ code }) => code).join(', '));
  for (let round = 0; round < 500; round += 1) comply(asked);
  const before = process.cpuUsage();
  const times = Array.from({ length: rounds }, () => {
    const startedMs = performance.now();
    comply(asked);
    return performance.now() - startedMs;
  });
  const used = process.cpuUsage(before);
  return { ...percentiles(times), meanCpu: rounded((used.user + used.system) / 1000 / rounds) };
}

/** Five rules are about the action asked for, whatever the count; the others about another. */
function withRules(count: number): Mesh {
  const mesh = sampleMesh();
  const policies = new Map(mesh.policies);
  for (let number = policies.size; number < count; number += 1) {
    const action = number % (count / 5) === 0 ? actions[0] : actions[1];
    policies.set(
      `rule-${number}`,
      `@id("rule-${number}") forbid(principal, action == Action::"${action}", resource) ` +
        `when { context.hop > ${10 + number} };`,
    );
  }
  return { ...mesh, policies };
}
