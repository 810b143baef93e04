// SPDX-License-Identifier: Apache-2.0
import type { PaceBook } from './book.ts';
import { isWorse, ownPhase, phaseOf } from './clamp.ts';
import type { PaceRules } from './rules.ts';
import { agentUnit, type PaceUnit } from './unit.ts';
import type { Work } from './work.ts';

/**
 * What a change did to workflows that it was not about: those whose member was isolated or came back, and
 * those that need another one. Their phase follows by itself, at once; here it is said, so that it goes on
 * record. Where the mesh file lets people decide, they are told, and nothing moves.
 */
export function spread(before: PaceBook, rules: PaceRules, work: Work): void {
  const { book } = work;
  for (const { name, cascade } of rules.settings.workflows.values()) {
    const unit: PaceUnit = { kind: 'workflow', value: name };
    const [from, to] = [phaseOf(unit, before, rules), phaseOf(unit, book, rules)];
    const isNews = downOf(name, book, rules).length > downOf(name, before, rules).length;
    if (cascade === 'decide' && isNews && to === 'PRIMARY') {
      work.step({ kind: 'proposed', unit, to: 'ALTERNATE', code: 'PACE_DEPENDENCY_DOWN' });
    }
    if (from === to || ownPhase(unit, before) !== ownPhase(unit, book)) continue;
    work.step({ kind: 'spread', unit, from, to, because: to === 'PRIMARY' ? [] : causesOf(name, book, rules) });
  }
}

/** What holds a workflow in a phase that is not its own: isolated members, and workflows that it needs. */
export function causesOf(name: string, book: PaceBook, rules: PaceRules): readonly PaceUnit[] {
  const workflow = rules.settings.workflows.get(name);
  const members = (workflow?.agents ?? []).map(agentUnit).filter((unit) => ownPhase(unit, book) !== 'PRIMARY');
  const pulls = workflow?.cascade === 'automatic' ? downOf(name, book, rules) : [];
  return [...members, ...pulls];
}

/** Workflows that this one needs and that give nothing at present. */
function downOf(name: string, book: PaceBook, rules: PaceRules): readonly PaceUnit[] {
  const needed = rules.settings.workflows.get(name)?.dependsOn ?? [];
  return needed.map((value): PaceUnit => ({ kind: 'workflow', value }))
    .filter((unit) => isWorse(phaseOf(unit, book, rules), 'ALTERNATE'));
}
