// SPDX-License-Identifier: Apache-2.0
import { carriesInstructions, mayAssign } from '../mesh/assignment.ts';
import { allowing, type ExplainInput, type Rule } from './explain-rule.ts';

/** Who may hand this agent work, and what edges carry in vain: with the place of each right. */
export function assignRules({ mesh, placed, agent }: ExplainInput): readonly Rule[] {
  const rules: Rule[] = [];
  for (const [index, edge] of mesh.edges.entries()) {
    if (edge.to !== agent.name || !carriesInstructions(mesh, edge)) continue;
    const { from } = edge;
    const sender = mesh.agents.get(from);
    const section = ['security_mesh', 'agents', from] as const;
    if (mayAssign(mesh, from, agent.name)) {
      const path = sender?.originator === true ? [...section, 'originator'] : [...section, 'assigns'];
      rules.push(allowing('assign', placed.at(path), `${from} may assign work to ${agent.name}`));
      continue;
    }
    const place = placed.at(placed.edgePaths[index] ?? ['security_mesh', 'edges']);
    const text = `${from} may not assign work to ${agent.name}, though its edge carries instructions`;
    rules.push({ control: 'assign', effect: 'depends', code: 'SIDECAR_ASSIGN_DENIED', text, place });
  }
  return rules;
}
