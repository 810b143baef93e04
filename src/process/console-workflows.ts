// SPDX-License-Identifier: Apache-2.0
import type { Viewer } from '../console/console-api.ts';
import type { ProposedChange } from '../control/workflow-change.ts';
import { changesBetween } from '../mesh/change.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { changeWorkflow } from '../mesh/workflow-change.ts';
import type { JsonObject } from '../message/json.ts';
import type { ViewsGround } from './console-views.ts';
import { shownChange, shownWorkflows } from './node-workflows.ts';

/**
 * Workflows with edges that may be changed and what was proposed, or one change with what it makes of
 * the mesh in force and what a statement over that version names.
 */
export async function workflowsView(
  id: string | null,
  viewer: Viewer,
  { parts, foundations }: ViewsGround,
): Promise<JsonObject | null> {
  const { mesh } = foundations.live;
  if (id === null) return shownWorkflows(parts.workflows, mesh);
  const found = await parts.workflows.changes.show(id);
  if (found === null) return null;
  return {
    ...shownChange(found),
    maySign: viewer.may('policy'),
    own: parts.workflows.changes.isCausedBy(found, viewer.operator),
    next: parts.policies.next,
    previous: mesh.digest,
    ...(found.state === 'held' ? effectOf(found, mesh) : { effects: [], cannot: null }),
  };
}

/** By version of the mesh: making the next one takes a whole loading of it. */
const known = new WeakMap<Mesh, Map<string, JsonObject>>();

function effectOf({ id, change }: ProposedChange, mesh: Mesh): JsonObject {
  const ofMesh = known.get(mesh) ?? new Map<string, JsonObject>();
  known.set(mesh, ofMesh);
  const before = ofMesh.get(id);
  if (before !== undefined) return before;
  const changed = changeWorkflow(mesh, change);
  const effect = changed.ok
    ? {
      effects: changesBetween(mesh, changed.mesh).map(({ kind, what, name, effect: way }) =>
        ({ kind, what, name, way })),
      cannot: null,
    }
    : { effects: [], cannot: changed.code };
  ofMesh.set(id, effect);
  return effect;
}
