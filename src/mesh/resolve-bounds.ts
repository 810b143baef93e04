// SPDX-License-Identifier: Apache-2.0
import type { Loading } from './loading.ts';
import { entryShapes, type EntryOf } from './mesh-file.ts';
import { impacts } from './mesh.ts';
import type { ActionManifest, Agent, BlastRadius, Bounds, BoundWindow, Cap, Impact } from './mesh.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

type RawWindows = NonNullable<EntryOf<'bounds'>['agent']['calls']>;
type RawRadius = EntryOf<'bounds'>['agent'];

/** What every agent is bounded by that states nothing else. */
export type SharedBounds = { readonly own: BlastRadius; readonly subtree: BlastRadius };

export function resolveBounds(
  loading: Loading,
  raw: unknown,
): { readonly bounds: Bounds; readonly shared: SharedBounds } {
  const path: Path = ['security_mesh', 'bounds'];
  const parsed = parseShape(entryShapes.bounds, loading.source, path, raw ?? {});
  if (!parsed.ok) loading.diagnostics.push(...parsed.diagnostics);
  const value = parsed.ok ? parsed.value : entryShapes.bounds.parse({});
  const { task, breaker } = value;
  const bounds: Bounds = {
    task: new Map(impacts.flatMap((impact) => {
      const most = task[impact];
      return most === undefined ? [] : [[impact, most] as const];
    })),
    taskDurationMs: task.duration_ms,
    retries: task.retries,
    breaker: {
      failures: breaker.failures,
      agentFailures: breaker.agent_failures,
      windowMs: breaker.window_ms,
      openMs: breaker.open_ms,
      probes: breaker.probes,
    },
    escalateAt: value.escalate_at,
  };
  const shared = {
    own: radiusOf(loading, value.agent, [...path, 'agent']),
    subtree: radiusOf(loading, value.subtree, [...path, 'subtree']),
  };
  return { bounds, shared };
}

/** An agent's own bounds take the place of the shared ones, impact by impact. */
export function resolveAgentBounds(
  loading: Loading,
  given: EntryOf<'agents'>['bounds'],
  path: Path,
  shared: SharedBounds,
): Agent['bounds'] {
  if (given === undefined) return shared;
  return {
    own: new Map([...shared.own, ...radiusOf(loading, given.own, [...path, 'own'])]),
    subtree: new Map([...shared.subtree, ...radiusOf(loading, given.subtree, [...path, 'subtree'])]),
  };
}

export function resolveCaps(
  loading: Loading,
  raw: EntryOf<'actions'>['caps'],
  path: Path,
): ReadonlyMap<string, Cap> {
  return new Map(Object.entries(raw).map(([name, windows]) =>
    [name, { windows: windowsOf(loading, windows, [...path, name]) }] as const));
}

export function resolveImpact(raw: EntryOf<'actions'>['impact']): ActionManifest['impact'] {
  const found = new Map<Impact, string | number>();
  for (const impact of ['money', 'records'] as const) {
    const given = raw[impact];
    if (given !== undefined) found.set(impact, given);
  }
  return found;
}

/** The cap of an hour, for those who describe a mesh; null when only other windows are bound. */
export function perHourOf(cap: Cap | undefined): number | null {
  return cap?.windows.find(({ windowMs }) => windowMs === hourMs)?.most ?? null;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function radiusOf(loading: Loading, raw: RawRadius, path: Path): BlastRadius {
  return new Map(impacts.flatMap((impact) => {
    const given = raw[impact];
    if (given === undefined) return [];
    return [[impact, windowsOf(loading, given, [...path, impact])] as const];
  }));
}

/** A bound without a window would bound nothing, and look as if it did. */
function windowsOf(loading: Loading, raw: RawWindows, path: Path): readonly BoundWindow[] {
  const windows: readonly (readonly [number, number | undefined])[] = [
    [minuteMs, raw.per_minute],
    [hourMs, raw.per_hour],
    [dayMs, raw.per_day],
  ];
  const found = windows.flatMap(([windowMs, most]) =>
    most === undefined ? [] : [{ windowMs, most }]);
  if (found.length === 0) loading.reportKey('MESH_BOUND_EMPTY', path);
  return found;
}
