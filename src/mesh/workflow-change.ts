// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import { isName, isUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonValue } from '../message/json.ts';
import { loadBundle } from './bundle.ts';
import { changesBetween } from './change.ts';
import { plain } from './change-effect.ts';
import type { MeshCode } from './codes.ts';
import type { LoadedMesh } from './load.ts';
import type { Edge, Mesh, MeshBundle } from './mesh.ts';
import { parseYaml } from './yaml-source.ts';

/** An edge as the mesh file writes it; a template stands for all that is spawned from it. */
export type EdgeName = { readonly from: string; readonly to: string; readonly domain: string };

/**
 * A change to a declared workflow: edges of it that the mesh file leaves open to change are opened
 * and closed. Nothing else can be said, so no agent, tool, right or schema can come in this way; and
 * what an edge may carry once it is open was signed, and proven, with the mesh file.
 */
export type WorkflowChange = {
  readonly workflow: string;
  readonly open: readonly EdgeName[];
  readonly close: readonly EdgeName[];
};

/** A change that made a version, by whom: `agent:NAME`, who proposed it. */
export type AppliedChange = WorkflowChange & { readonly id: string; readonly by: string };

export type ChangedWorkflow =
  | { readonly ok: true; readonly mesh: Mesh; readonly bundle: MeshBundle }
  | { readonly ok: false; readonly code: MeshCode };

export const changedEdgesMax = 64;

/** True when more is allowed after the change than before. */
export function widens(change: WorkflowChange): boolean {
  return change.open.length > 0;
}

/** The edges of a mesh that some workflow may open and close, as the mesh file writes them. */
export function changeableEdges(mesh: Mesh): readonly Edge[] {
  return [...mesh.edges, ...(mesh.closedEdges ?? [])]
    .filter(({ workflow, from, to }) => (workflow ?? null) !== null &&
      isWritten(mesh, from) && isWritten(mesh, to));
}

/**
 * The mesh after a change: the texts of the mesh before with the words `open: true` and `open: false`
 * of these edges exchanged, and nothing else. The result is loaded like any other mesh, with every
 * check and the proof of separation of duties. Everybody who has the mesh before comes to the same
 * texts, and so to the same digest. Pure; never throws.
 */
export function changeWorkflow(before: Mesh, change: WorkflowChange): ChangedWorkflow {
  const { bundle } = before;
  if (change.open.length + change.close.length === 0) return refuse('MESH_CHANGE_NOTHING');
  const loaded = bundle === undefined ? null : loadBundle(bundle, before.directory);
  if (bundle === undefined || loaded?.ok !== true) return refuse('MESH_CHANGE_REFUSED');
  const steps = stepsOf(loaded, change);
  if ('code' in steps) return refuse(steps.code);
  const text = rewritten(bundle, steps);
  if (text === null) return refuse('MESH_CHANGE_REFUSED');
  const texts = { ...bundle.texts, [bundle.file]: text };
  const after = loadBundle({ file: bundle.file, texts }, before.directory);
  if (!after.ok || !isExactly(loaded, after, steps)) return refuse('MESH_CHANGE_REFUSED');
  return { ok: true, mesh: after.mesh, bundle: after.mesh.bundle ?? { file: bundle.file, texts } };
}

/** Null unless the value is a change within its bounds, each edge named once. */
export function readWorkflowChange(value: JsonValue | undefined): WorkflowChange | null {
  if (!isJsonObject(value)) return null;
  const { workflow, open, close, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return null;
  if (typeof workflow !== 'string' || !isName(workflow)) return null;
  const [opened, closed] = [edgesIn(open), edgesIn(close)];
  if (opened === null || closed === null) return null;
  const names = [...opened, ...closed].map(nameOf);
  const fits = names.length <= changedEdgesMax && new Set(names).size === names.length;
  return fits ? { workflow, open: opened, close: closed } : null;
}

/** Null unless the value is a change, its id, and the agent that proposed it. */
export function readAppliedChange(value: JsonValue | undefined): AppliedChange | null {
  if (!isJsonObject(value)) return null;
  const { id, by, ...rest } = value;
  const change = readWorkflowChange(rest);
  if (change === null || typeof id !== 'string' || !isUlid(id)) return null;
  return typeof by === 'string' && by.length <= 128 ? { ...change, id, by } : null;
}

export function nameOf({ from, to, domain }: EdgeName): string {
  return `${from} -> ${to} in ${domain}`;
}

type Step = { readonly index: number; readonly open: boolean };
type Loaded = Extract<LoadedMesh, { ok: true }>;

/** Each edge is one that this workflow may change, and is not already as it is to be. */
function stepsOf(
  { placed }: Loaded,
  { workflow, open, close }: WorkflowChange,
): readonly Step[] | { readonly code: MeshCode } {
  const { edges } = placed.mesh;
  const steps: Step[] = [];
  for (const [names, toOpen] of [[open, true], [close, false]] as const) {
    for (const name of names) {
      const index = edges.findIndex((edge) => nameOf(edge) === nameOf(name));
      const edge = edges[index];
      if (edge === undefined || edge.workflow !== workflow) return { code: 'MESH_CHANGE_BOUNDS' };
      if (edge.open === toOpen) return { code: 'MESH_CHANGE_NOTHING' };
      if (steps.some((step) => step.index === index)) return { code: 'MESH_CHANGE_BOUNDS' };
      steps.push({ index, open: toOpen });
    }
  }
  return steps;
}

/** Null where a word is not written at the edge itself, as with an alias. */
function rewritten({ file, texts }: MeshBundle, steps: readonly Step[]): string | null {
  const text = texts[file] ?? '';
  const parsed = parseYaml(file, text);
  if (!parsed.ok) return null;
  const spans = steps.map(({ index, open }) => {
    const span = parsed.source.spanOf(['security_mesh', 'edges', index, 'open']);
    return span === null ? null : { ...span, word: String(open) };
  });
  let result = text;
  for (const span of spans.toSorted((a, b) => (b?.start ?? 0) - (a?.start ?? 0))) {
    if (span === null) return null;
    result = result.slice(0, span.start) + span.word + result.slice(span.end);
  }
  return result;
}

/** An anchor could carry a word to another place: the rest has to be as it was. */
function isExactly(before: Loaded, after: Loaded, steps: readonly Step[]): boolean {
  const wanted = before.placed.mesh.edges.map((edge, index) => {
    const step = steps.find((one) => one.index === index);
    return step === undefined ? edge : { ...edge, open: step.open };
  });
  const same = canonicalize(plain(wanted)) === canonicalize(plain(after.placed.mesh.edges));
  return same && changesBetween(before.mesh, after.mesh)
    .every(({ what, needsRestart }) => (what === 'edge' || what === 'closed edge') && !needsRestart);
}

function edgesIn(value: JsonValue | undefined): readonly EdgeName[] | null {
  if (!Array.isArray(value) || value.length > changedEdgesMax) return null;
  const edges: EdgeName[] = [];
  for (const one of value) {
    if (!isJsonObject(one)) return null;
    const { from, to, domain, ...unknown } = one;
    const named = [from, to, domain].every((part) => typeof part === 'string' && part.length <= 63);
    if (Object.keys(unknown).length > 0 || !named) return null;
    edges.push({ from: String(from), to: String(to), domain: String(domain) });
  }
  return edges;
}

function isWritten(mesh: Mesh, agent: string): boolean {
  return (mesh.agents.get(agent)?.fromTemplate ?? null) === null;
}

function refuse(code: MeshCode): { readonly ok: false; readonly code: MeshCode } {
  return { ok: false, code };
}
