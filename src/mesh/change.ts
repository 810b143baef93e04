// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonValue } from '../message/json.ts';
import {
  bounds, changedFields, choices, combineEffects, forbids, grants, listChange, narrowsUpwards,
  neutral, opposite, plain, restrictionsOf, unclear, widensUpwards,
  type ChangeEffect, type ChangedField, type Measure,
} from './change-effect.ts';
import type { Edge, Mesh } from './mesh.ts';

/** One difference between two versions of a mesh. */
export type MeshChange = {
  readonly kind: 'added' | 'removed' | 'changed';
  /** What sort of thing changed: `action`, `OISpec`, `policy`, `edge` and so on. */
  readonly what: string;
  readonly name: string;
  /** What of it changed, in words; empty for what was added or removed as a whole. */
  readonly details: readonly string[];
  readonly effect: ChangeEffect;
  /** True where running processes hold to it, so that it needs a restart. */
  readonly needsRestart: boolean;
};

const risks = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
const clearances = ['public', 'internal', 'confidential', 'restricted'];
const upToTrue = [false, true];

/** How each part of a mesh is compared. A field that is not named here is unclear. */
type Section = {
  readonly what: string;
  /** Effect of one more of it; one less is the opposite. */
  readonly added: ChangeEffect;
  readonly fields: { readonly [field: string]: Measure };
  /** Fields that running processes hold to; `*`: being there at all. */
  readonly restart?: readonly string[];
};

const sections = {
  agents: {
    what: 'agent',
    added: 'widens',
    fields: {
      sponsor: neutral, zone: neutral, modelFamily: neutral, egress: unclear, tools: grants, assigns: grants,
      mayChange: grants,
      clearance: widensUpwards(clearances),
    },
    restart: [
      '*', 'role', 'originator', 'isolation', 'command', 'spawn', 'template', 'fromTemplate',
    ],
  },
  oispecs: {
    what: 'OISpec',
    added: 'unclear',
    fields: {
      id: neutral, version: neutral, goal: neutral, digest: neutral, agent: unclear,
      permittedTools: grants, permittedActions: grants, dataScope: grants,
      prohibitedActions: forbids, maxDelegationDepth: bounds,
      canDelegate: widensUpwards(upToTrue), riskClassification: widensUpwards(risks),
      actionOrder: unclear, evaluation: narrowsUpwards(['post_execution', 'per_phase', 'every_action']),
    },
  },
  edges: {
    what: 'edge',
    added: 'widens',
    fields: { schemas: grants, mayRequest: grants, workflow: unclear, open: neutral },
  },
  /** Closed, it carries nothing; what opens it widens by itself. */
  closed: {
    what: 'closed edge',
    added: 'none',
    fields: { schemas: grants, mayRequest: grants, workflow: unclear, open: neutral },
  },
  actions: {
    what: 'action',
    added: 'widens',
    fields: {
      risk: narrowsUpwards(risks),
      approval: narrowsUpwards(['policy', 'required']),
      approvers: unclear,
      assurance: unclear,
      undo: unclear,
      timeoutMs: neutral,
      caps: restrictionsOf({}),
      sensitive: restrictionsOf({
        from: grants, always: grants, oneOf: choices, atMost: bounds,
        endorsable: widensUpwards(upToTrue),
      }),
    },
  },
  tools: {
    what: 'tool',
    added: 'widens',
    fields: { guarded: widensUpwards(upToTrue) },
    restart: ['runner', 'pins'],
  },
  schemas: { what: 'schema', added: 'widens', fields: {} },
  domains: {
    what: 'domain',
    added: 'widens',
    fields: {
      allowedRoles: grants, auditLevel: neutral, maxTokenAgeMs: bounds,
      metadataMasking: narrowsUpwards(upToTrue), attestationRequired: narrowsUpwards(upToTrue),
    },
  },
  zones: { what: 'zone', added: 'none', fields: { clearance: widensUpwards(clearances) } },
  operators: { what: 'operator', added: 'widens', fields: { roles: unclear } },
  patterns: {
    what: 'pattern', added: 'narrows', fields: { outcome: narrowsUpwards(['ESCALATE', 'NO-GO']) },
  },
  /** Whom the recorder asks to cosign is wired at its start; what it keeps is asked for each time. */
  recorder: {
    what: 'setting', added: 'unclear', fields: {}, restart: ['witnesses', 'witnessAgeMaxMs'],
  },
  deselected: { what: 'deselected control', added: 'widens', fields: { reason: neutral, by: neutral } },
} as const satisfies { readonly [section: string]: Section };

/** Settings of the mesh as a whole. One that is not named needs a restart: nobody rereads it. */
const settings: { readonly [key: string]: Measure } = {
  autonomyTier: widensUpwards([1, 2, 3]),
  mode: widensUpwards(['enforce', 'observe']),
  auditScope: neutral,
  limits: unclear,
  scanner: unclear,
  exporters: unclear,
  judge: unclear,
  workflows: unclear,
  knowledge: unclear,
  memory: unclear,
  tokens: unclear,
  epistemic: unclear,
  bounds: unclear,
  oversight: unclear,
};
const notSettings: ReadonlySet<string> = new Set([
  ...Object.keys(sections), 'policies', 'digest', 'directory', 'bundle', 'closedEdges',
]);

/** Everything that differs, in the order of the mesh file's sections. */
export function changesBetween(before: Mesh, after: Mesh): readonly MeshChange[] {
  return [
    ...settingChanges(before, after),
    ...sectionChanges(sections.recorder, recorderOf(before), recorderOf(after)),
    ...sectionChanges(sections.domains, before.domains, after.domains),
    ...sectionChanges(sections.zones, before.zones, after.zones),
    ...agentChanges(before, after),
    ...sectionChanges(sections.oispecs, oispecsOf(before), oispecsOf(after)),
    ...sectionChanges(sections.edges, edgesOf(before.edges), edgesOf(after.edges)),
    ...sectionChanges(sections.closed, edgesOf(before.closedEdges), edgesOf(after.closedEdges)),
    ...sectionChanges(sections.actions, before.actions, after.actions),
    ...toolChanges(before, after),
    ...sectionChanges(sections.schemas, before.schemas, after.schemas),
    ...policyChanges(before, after),
    ...sectionChanges(sections.patterns, byId(before.patterns), byId(after.patterns)),
    ...sectionChanges(sections.deselected, byId(before.deselected), byId(after.deselected)),
    ...operatorChanges(before, after),
  ];
}

function recorderOf({ recorder }: Mesh): ReadonlyMap<string, unknown> {
  return new Map([['recorder', recorder ?? {}]]);
}

export function changeLine({ kind, what, name, details, effect, needsRestart }: MeshChange): string {
  const words = effect === 'both' ? 'widens and narrows' : effect;
  const restart = needsRestart ? ', needs a restart' : '';
  const of = details.length === 0 ? '' : `: ${details.join('; ')}`;
  return `${kind.padEnd(7)} ${what} ${name}${of} (${words}${restart})`;
}

function sectionChanges(
  section: Section,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): readonly MeshChange[] {
  const { what, added, restart = [] } = section;
  const changes: MeshChange[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [plain(before.get(name)), plain(after.get(name))];
    const isIn = { before: before.has(name), after: after.has(name) };
    if (isIn.before !== isIn.after) {
      changes.push({
        what, name, details: [],
        kind: isIn.after ? 'added' : 'removed',
        effect: isIn.after ? added : opposite(added),
        needsRestart: restart.includes('*'),
      });
      continue;
    }
    const fields = changedFields(from, to);
    if (fields.length > 0) changes.push(changed(section, name, fields));
  }
  return changes;
}

function changed(section: Section, name: string, fields: readonly ChangedField[]): MeshChange {
  const { what, restart = [] } = section;
  return {
    kind: 'changed', what, name,
    details: fields.map(detailOf),
    effect: combineEffects(
      fields.map(({ field, before, after }) => (section.fields[field] ?? unclear)(before, after)),
    ),
    needsRestart: fields.some(({ field }) => restart.includes(field)),
  };
}

/** A tool taken from an agent is gone at once; one given to it has to be started. */
function agentChanges(before: Mesh, after: Mesh): readonly MeshChange[] {
  const withoutOISpec = (mesh: Mesh) =>
    new Map([...mesh.agents].map(([name, { oispec: _oispec, ...rest }]) => [name, rest] as const));
  return sectionChanges(sections.agents, withoutOISpec(before), withoutOISpec(after)).map((change) => {
    const [from, to] = [before.agents.get(change.name), after.agents.get(change.name)];
    const given = to?.tools.some((tool) => from?.tools.includes(tool) === false) ?? false;
    return { ...change, needsRestart: change.needsRestart || given };
  });
}

/** Without any operator the node makes one of its own, which it does at its start. */
function operatorChanges(before: Mesh, after: Mesh): readonly MeshChange[] {
  const needsRestart = before.operators.size > 0 && after.operators.size === 0;
  return sectionChanges(sections.operators, before.operators, after.operators)
    .map((change) => ({ ...change, needsRestart }));
}

/** A tool that no agent holds runs nowhere, so it may come and go. */
function toolChanges(before: Mesh, after: Mesh): readonly MeshChange[] {
  const isHeld = (tool: string): boolean =>
    [...before.agents.values()].some((agent) => agent.tools.includes(tool));
  return sectionChanges(sections.tools, before.tools, after.tools).map((change) => {
    const removed = change.kind === 'removed' && isHeld(change.name);
    const needsRestart = removed || (change.needsRestart && isHeld(change.name));
    return { ...change, needsRestart };
  });
}

/** The first policy of all switches default deny on; the last one that goes switches it off. */
function policyChanges(before: Mesh, after: Mesh): readonly MeshChange[] {
  const section: Section = { what: 'policy', added: 'unclear', fields: {} };
  const texts = (mesh: Mesh) => new Map([...mesh.policies].map(([id, text]) => [id, { text }]));
  return sectionChanges(section, texts(before), texts(after)).map((change) => {
    if (change.kind === 'changed') return { ...change, details: [] };
    const text = (change.kind === 'added' ? after : before).policies.get(change.name) ?? '';
    const first = (change.kind === 'added' ? before : after).policies.size === 0;
    const added = first ? 'narrows' : effectOfPolicy(text);
    return { ...change, effect: change.kind === 'added' ? added : opposite(added) };
  });
}

function effectOfPolicy(text: string): ChangeEffect {
  const bare = text.replaceAll(/\/\/[^\n]*/g, '').replaceAll(/@\w+\s*\("[^"]*"\)/g, '').trim();
  if (bare.startsWith('permit')) return 'widens';
  return bare.startsWith('forbid') ? 'narrows' : 'unclear';
}

function settingChanges(before: Mesh, after: Mesh): readonly MeshChange[] {
  const only = (mesh: Mesh): JsonValue => plain(Object.fromEntries(
    Object.entries(mesh).filter(([key]) => !notSettings.has(key)),
  ));
  return changedFields(only(before), only(after)).map((one) => ({
    kind: 'changed' as const,
    what: 'setting',
    name: one.field,
    details: one.field === 'limits'
      ? changedFields(one.before, one.after).map(detailOf)
      : [`${shown(one.before)} -> ${shown(one.after)}`],
    effect: (settings[one.field] ?? unclear)(one.before, one.after),
    needsRestart: !Object.hasOwn(settings, one.field) || isHeldByNode(one),
  }));
}

/** The contagion monitor counts over its own windows, and cannot change them while it counts. */
function isHeldByNode({ field, before, after }: ChangedField): boolean {
  return field === 'limits' &&
    changedFields(before, after).some((limit) => limit.field === 'contagion');
}

function detailOf({ field, before, after }: ChangedField): string {
  if (Array.isArray(before) || Array.isArray(after)) {
    const { added, removed } = listChange(before, after);
    return [field, ...added.map((one) => `+${one}`), ...removed.map((one) => `-${one}`)].join(' ');
  }
  const isPlain = typeof (after ?? before) !== 'object';
  return isPlain ? `${field} ${shown(before)} -> ${shown(after)}` : field;
}

function shown(value: JsonValue): string {
  const text = typeof value === 'string' ? value : canonicalize(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

function oispecsOf(mesh: Mesh): ReadonlyMap<string, unknown> {
  return new Map([...mesh.agents.values()].flatMap(({ name, oispec }) =>
    oispec === null ? [] : [[name, oispec] as const]));
}

function edgesOf(edges: readonly Edge[] = []): ReadonlyMap<string, unknown> {
  const named = ({ from, to, domain }: Edge) => `${from} -> ${to} in ${domain}`;
  return new Map(edges.map((edge) => [named(edge), edge]));
}

function byId<Value extends { readonly id: string }>(
  values: readonly Value[],
): ReadonlyMap<string, Value> {
  return new Map(values.map((value) => [value.id, value]));
}
