// SPDX-License-Identifier: Apache-2.0

/** One agent as the map needs it. */
export type MapAgent = {
  readonly name: string;
  readonly role: string;
  readonly zone: string;
  /** Template that it was made from; null for one of its own. */
  readonly template: string | null;
  readonly originator: boolean;
  readonly tools: readonly string[];
  readonly state: 'up' | 'away' | 'stopped';
};

export type MapEdge = { readonly from: string; readonly to: string; readonly mayRequest: readonly string[] };

/** What of the mesh is looked at; each null is everything. */
export type MapPlace = { readonly zone: string | null; readonly type: string | null; readonly search: string };

/** An agent, or all of one type in one zone. `near`: not asked for, and a way leads there. */
export type Place = {
  readonly key: string;
  readonly zone: string;
  readonly type: string;
  readonly title: string;
  readonly says: string;
  readonly state: MapAgent['state'];
  readonly isGroup: boolean;
  readonly near: boolean;
};

export type PlacedLink = { readonly from: string; readonly to: string; readonly edges: number; readonly actions: readonly string[] };

export type MeshMap = {
  /** Agents that match, of all that there are. */
  readonly matching: number;
  readonly agents: number;
  readonly zones: readonly { readonly zone: string; readonly agents: number; readonly away: number; readonly stopped: number }[];
  readonly places: readonly Place[];
  readonly links: readonly PlacedLink[];
  /** The first of those that match, for the table. */
  readonly members: readonly MapAgent[];
};

/** Above so many matching agents, those of one type are one box; it opens to them. */
export const aloneMax = 120;
const membersMax = 200;
const linksMax = 1_000;
const actionsMax = 12;

/** Type of an agent: what it was made from, or its role. */
export function typeOf({ template, role }: Pick<MapAgent, 'template' | 'role'>): string {
  return template ?? role;
}

/** Key of the box that an agent stands in where it does not stand alone. */
export function groupKey(agent: Pick<MapAgent, 'zone' | 'template' | 'role'>): string {
  return `${agent.zone}|${typeOf(agent)}`;
}

/**
 * The mesh as boxes and ways that a person can take in, however many agents it has: single agents
 * where few match, else one box for each type in each zone. Neighbours of what was asked for are
 * boxes, so that a way never ends in nothing. Linear in agents and edges.
 */
export function meshMap(agents: readonly MapAgent[], edges: readonly MapEdge[], place: MapPlace): MeshMap {
  const search = place.search.trim().toLowerCase();
  const matching = agents.filter((agent) =>
    (place.zone === null || agent.zone === place.zone) &&
    (place.type === null || typeOf(agent) === place.type) &&
    (search === '' || `${agent.name} ${typeOf(agent)}`.toLowerCase().includes(search)));
  const alone = matching.length <= aloneMax;
  const chosen = new Set(matching.map(({ name }) => name));
  const keyOf = new Map(agents.map((agent) =>
    [agent.name, alone && chosen.has(agent.name) ? agent.name : groupKey(agent)] as const));
  const links = linksOf(edges, chosen, keyOf);
  const reached = new Set(links.flatMap(({ from, to }) => [from, to]));
  const near = agents.filter((agent) => !chosen.has(agent.name) && reached.has(groupKey(agent)));
  return {
    matching: matching.length,
    agents: agents.length,
    zones: zonesOf(agents),
    places: [
      ...(alone ? matching.map(singleOf) : groupsOf(matching, false)),
      ...groupsOf(near, true).filter(({ key }) => alone || !matching.some((agent) => groupKey(agent) === key)),
    ],
    links: links.slice(0, linksMax).map((link) => ({ ...link, actions: [...link.actions] })),
    members: matching.slice(0, membersMax),
  };
}

type Linking = { readonly from: string; readonly to: string; edges: number; readonly actions: Set<string> };

function linksOf(
  edges: readonly MapEdge[],
  chosen: ReadonlySet<string>,
  keyOf: ReadonlyMap<string, string>,
): readonly Linking[] {
  const links = new Map<string, Map<string, Linking>>();
  for (const { from, to, mayRequest } of edges) {
    const [source, target] = [keyOf.get(from), keyOf.get(to)];
    if (source === undefined || target === undefined || (!chosen.has(from) && !chosen.has(to))) continue;
    const outward = links.get(source) ?? new Map<string, Linking>();
    if (outward.size === 0) links.set(source, outward);
    const link = outward.get(target) ?? { from: source, to: target, edges: 0, actions: new Set<string>() };
    if (link.edges === 0) outward.set(target, link);
    link.edges += 1;
    for (const action of mayRequest) if (link.actions.size < actionsMax) link.actions.add(action);
  }
  return [...links.values()].flatMap((ways) => [...ways.values()]);
}

function singleOf(agent: MapAgent): Place {
  return {
    key: agent.name, zone: agent.zone, type: typeOf(agent), title: agent.name, state: agent.state,
    isGroup: false, near: false,
    says: [agent.originator ? 'relays a person' : agent.role.toLowerCase(), ...agent.tools].join(' · '),
  };
}

function groupsOf(agents: readonly MapAgent[], near: boolean): readonly Place[] {
  return [...Map.groupBy(agents, groupKey)].map(([key, members]) => {
    const [first] = members;
    const [up, stopped] = [countIn(members, 'up'), countIn(members, 'stopped')];
    const type = first === undefined ? '' : typeOf(first);
    return {
      key, zone: first?.zone ?? '', type, near, isGroup: true,
      title: `${members.length} × ${type.toLowerCase()}`,
      state: stopped > 0 ? 'stopped' : up === members.length ? 'up' : 'away',
      says: `${up} connected${stopped > 0 ? `, ${stopped} stopped` : ''}`,
    };
  });
}

function zonesOf(agents: readonly MapAgent[]): MeshMap['zones'] {
  return [...Map.groupBy(agents, ({ zone }) => zone)].map(([zone, members]) => ({
    zone, agents: members.length, away: countIn(members, 'away'), stopped: countIn(members, 'stopped'),
  }));
}

function countIn(agents: readonly MapAgent[], state: MapAgent['state']): number {
  return agents.filter((agent) => agent.state === state).length;
}
