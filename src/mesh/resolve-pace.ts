// SPDX-License-Identifier: Apache-2.0
import type { Loading } from './loading.ts';
import { entryShapes } from './mesh-file.ts';
import {
  defaultPaceSettings, paceSettingsFrom, type PaceSettings, type WorkflowSettings,
} from './pace-settings.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

const path: Path = ['security_mesh', 'pace'];

/** The section `pace`: names that it uses are agents, workflows and operators of the same file. */
export function resolvePace(
  loading: Loading,
  raw: unknown,
  workflows: ReadonlyMap<string, WorkflowSettings>,
): PaceSettings {
  checkWorkflows(loading, workflows);
  if (raw === undefined) return { ...defaultPaceSettings, workflows };
  const moved = hasWorkflows(raw) ? withoutWorkflows(loading, raw) : raw;
  const result = parseShape(entryShapes.pace, loading.source, path, moved);
  if (!result.ok) {
    loading.diagnostics.push(...result.diagnostics);
    return { ...defaultPaceSettings, workflows };
  }
  const settings = paceSettingsFrom(result.value, workflows);
  for (const [authority, holders] of settings.authorities ?? []) {
    for (const holder of holders) {
      if (loading.declared('operators').has(holder)) continue;
      loading.report('MESH_PACE_OPERATOR_UNKNOWN', [...path, 'authorities', authority]);
    }
  }
  return settings;
}

function hasWorkflows(raw: unknown): raw is { readonly workflows: unknown } {
  return typeof raw === 'object' && raw !== null && Object.hasOwn(raw, 'workflows');
}

/** Workflows stood here once; whoever still writes them here is told where they stand now. */
function withoutWorkflows(loading: Loading, raw: { readonly workflows: unknown }): unknown {
  loading.reportKey('MESH_PACE_WORKFLOWS_MOVED', [...path, 'workflows']);
  const { workflows: _workflows, ...rest } = raw;
  return rest;
}

function checkWorkflows(loading: Loading, workflows: PaceSettings['workflows']): void {
  const agents = loading.declared('agents');
  const standbys = new Set<string>();
  for (const workflow of workflows.values()) {
    const place: Path = ['security_mesh', 'workflows', workflow.name, 'pace'];
    for (const [agent, standby] of workflow.standbys) {
      const known = workflow.agents.includes(agent) && agents.has(standby);
      if (!known) loading.report('MESH_PACE_AGENT_UNKNOWN', [...place, 'standbys', agent]);
      // One that works, or stands in for two, could not be told apart from what it stands in for.
      const isFree = !workflow.agents.includes(standby) && !standbys.has(standby);
      if (!isFree) loading.report('MESH_PACE_STANDBY_BUSY', [...place, 'standbys', agent]);
      standbys.add(standby);
    }
    const { supervised } = workflow;
    if (supervised !== null && !workflow.agents.includes(supervised)) {
      loading.report('MESH_PACE_AGENT_UNKNOWN', [...place, 'supervised']);
    }
    for (const needed of workflow.dependsOn) {
      if (!workflows.has(needed)) loading.report('MESH_PACE_WORKFLOW_UNKNOWN', [...place, 'depends_on']);
    }
    if (dependsOnItself(workflow.name, workflows)) {
      loading.report('MESH_PACE_WORKFLOW_CYCLE', [...place, 'depends_on']);
    }
  }
}

function dependsOnItself(start: string, workflows: PaceSettings['workflows']): boolean {
  const seen = new Set<string>();
  const open = [...(workflows.get(start)?.dependsOn ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === start) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(workflows.get(next)?.dependsOn ?? []));
  }
  return false;
}
