// SPDX-License-Identifier: Apache-2.0
import {
  Background, ConnectionMode, Controls as GraphControls, Handle, MarkerType, Position, ReactFlow,
  type Edge, type Node, type NodeProps,
} from '@xyflow/react';
import { memo, useMemo } from 'react';
import { useView } from '../api.ts';
import { Chip, Empty, Page, Time, Waiting } from '../parts.tsx';
import { go, To } from '../router.tsx';
import { useLive, type Live } from '../stream.tsx';

type Agent = {
  readonly name: string; readonly role: string; readonly zone: string; readonly originator: boolean;
  readonly tools: readonly string[]; readonly template: string | null; readonly connected: boolean;
  readonly revoked: boolean; readonly isolation: string | null; readonly breaker: string;
};
type Link = { readonly from: string; readonly to: string; readonly domain: string; readonly schemas: readonly string[]; readonly mayRequest: readonly string[] };
type MeshAnswer = {
  readonly zones: readonly { readonly name: string; readonly clearance: string }[];
  readonly agents: readonly Agent[];
  readonly edges: readonly Link[];
};

/** Above so many agents the graph shows groups; a group opens to its agents. */
const aloneMax = 120;

type Place = {
  readonly key: string; readonly zone: string; readonly title: string; readonly says: string;
  readonly state: 'up' | 'away' | 'stopped'; readonly isGroup: boolean; readonly members: readonly string[];
};

export function Mesh({ zone }: { readonly zone: string | null }) {
  const loaded = useView<MeshAnswer>('/api/views/mesh', 5_000);
  return (
    <Page title="Mesh" lead="Who may speak to whom, and what passes between them now. What is not drawn is refused.">
      <Waiting loaded={loaded} what="the mesh">{(mesh) => <Graph mesh={mesh} zone={zone} />}</Waiting>
    </Page>
  );
}

function Graph({ mesh, zone }: { readonly mesh: MeshAnswer; readonly zone: string | null }) {
  const live = useLive();
  const agents = useMemo(() => mesh.agents.filter((agent) => zone === null || agent.zone === zone), [mesh, zone]);
  const places = useMemo(() => placesOf(agents), [agents]);
  const nodes = useMemo(() => nodesOf(places), [places]);
  const links = useMemo(() => linksOf(places, mesh.edges), [places, mesh.edges]);
  const edges = useMemo(() => drawnOf(links, nodes, live), [links, nodes, live]);
  if (agents.length === 0) return <Empty>The mesh file has no agents{zone === null ? '' : ' in this zone'}.</Empty>;
  return (
    <>
      {zone !== null && <p><Chip>zone {zone}</Chip> <To place="/mesh">All zones</To></p>}
      <div className="graph" role="group" aria-label={`Graph of ${agents.length} agents; the tables below say the same`}>
        <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} connectionMode={ConnectionMode.Loose} fitView fitViewOptions={{ maxZoom: 1.2 }} minZoom={0.1}
          nodesDraggable={false} nodesConnectable={false} edgesFocusable={false} nodesFocusable={false} elementsSelectable={false}
          onNodeClick={(_event, node) => {
            const place = places.find(({ key }) => key === node.id);
            if (place !== undefined) go(place.isGroup ? `/mesh?zone=${encodeURIComponent(place.zone)}` : `/agents/${encodeURIComponent(place.title)}`);
          }}>
          <Background gap={24} />
          <GraphControls showInteractive={false} />
        </ReactFlow>
      </div>
      <p className="legend"><span className="outcome go">━ GO passed</span> <span className="outcome escalate">━ escalated</span>{' '}
        <span className="outcome nogo">━ refused</span> <span className="quiet">╌ allowed, nothing seen yet · dashed box: away · red box: stopped</span></p>
      <Tables agents={agents} links={links} live={live} />
    </>
  );
}

function Tables({ agents, links, live }: { readonly agents: readonly Agent[]; readonly links: readonly PlacedLink[]; readonly live: Live }) {
  return (
    <div className="columns">
      <section className="panel" aria-labelledby="ways">
        <h2 id="ways">Ways</h2>
        <div className="scroll" tabIndex={0} role="region" aria-label="Ways">
          <table className="rows keep">
            <thead><tr><th>From</th><th>To</th><th>GO</th><th>ESCALATE</th><th>NO-GO</th><th>Last</th><th>May ask for</th></tr></thead>
            <tbody>
              {links.slice(0, 300).map((link) => {
                const seen = tallyOf(link, live);
                return (
                  <tr key={link.key}>
                    <td>{link.fromTitle}</td><td>{link.toTitle}</td>
                    <td className="number">{seen.go}</td><td className="number">{seen.escalate}</td><td className="number">{seen.noGo}</td>
                    <td>{seen.lastAt > 0 ? <Time at={seen.lastAt} /> : <span className="quiet">–</span>}</td>
                    <td className="quiet">{link.actions.join(', ')}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </section>
      <section className="panel" aria-labelledby="who">
        <h2 id="who">Agents</h2>
        <ul className="plain-list">
          {agents.slice(0, 200).map((agent) => (
            <li key={agent.name}><To place={`/agents/${encodeURIComponent(agent.name)}`}>{agent.name}</To>{' '}
              <span className="quiet">{agent.role.toLowerCase()}, {agent.zone}</span>{' '}
              <Chip tone={stateOf(agent) === 'up' ? 'good' : stateOf(agent) === 'away' ? 'warn' : 'bad'}>{stateOf(agent)}</Chip></li>
          ))}
        </ul>
        {agents.length > 200 && <p className="quiet">and {agents.length - 200} more</p>}
      </section>
    </div>
  );
}

const sides = [
  ['l', Position.Left], ['r', Position.Right], ['t', Position.Top], ['b', Position.Bottom],
] as const;

const nodeTypes = {
  place: memo(({ data }: NodeProps<Node<{ place: Place }>>) => (
    <div className={`graph-node ${data.place.state}`}>
      {sides.map(([id, position]) => <Handle key={id} id={id} type="source" position={position} />)}
      <strong>{data.place.title}</strong>
      <small>{data.place.says}</small>
    </div>
  )),
  zone: memo(({ data }: NodeProps<Node<{ title: string }>>) => <div className="graph-zone">{data.title}</div>),
};

function stateOf(agent: Agent): Place['state'] {
  if (agent.revoked || agent.breaker === 'open') return 'stopped';
  return agent.connected ? 'up' : 'away';
}

function placesOf(agents: readonly Agent[]): readonly Place[] {
  if (agents.length <= aloneMax) {
    return agents.map((agent) => ({
      key: agent.name, zone: agent.zone, title: agent.name, isGroup: false, members: [agent.name],
      state: stateOf(agent),
      says: [agent.originator ? 'relays a person' : agent.role.toLowerCase(), ...agent.tools].join(' · '),
    }));
  }
  const groups = Map.groupBy(agents, ({ zone, role, template }) => `${zone}|${template ?? role}`);
  return [...groups].map(([key, members]) => {
    const up = members.filter((agent) => stateOf(agent) === 'up').length;
    const stopped = members.filter((agent) => stateOf(agent) === 'stopped').length;
    const [zone = '', type = ''] = key.split('|');
    return {
      key, zone, title: `${members.length} × ${type.toLowerCase()}`, isGroup: true,
      members: members.map(({ name }) => name),
      state: stopped > 0 ? 'stopped' : up === members.length ? 'up' : 'away',
      says: `${up} connected${stopped > 0 ? `, ${stopped} stopped` : ''}`,
    };
  });
}

/** One column a zone, in the order of the mesh file. */
function nodesOf(places: readonly Place[]): Node[] {
  const zones = [...Map.groupBy(places, ({ zone }) => zone)];
  return zones.flatMap(([zone, members], column) => [
    { id: `zone ${zone}`, type: 'zone', position: { x: column * 340, y: -54 }, data: { title: zone } },
    ...members.map((place, row) => ({
      id: place.key, type: 'place', data: { place },
      position: { x: column * 340, y: row * 120 },
    })),
  ]);
}

type PlacedLink = {
  readonly key: string; readonly from: string; readonly to: string; readonly fromTitle: string; readonly toTitle: string;
  readonly pairs: readonly string[]; readonly actions: readonly string[];
};

function linksOf(places: readonly Place[], edges: readonly Link[]): readonly PlacedLink[] {
  const placeOf = new Map(places.flatMap((place) => place.members.map((name) => [name, place] as const)));
  const links = new Map<string, { key: string; from: string; to: string; fromTitle: string; toTitle: string; pairs: string[]; actions: Set<string> }>();
  for (const { from, to, mayRequest } of edges) {
    const [source, target] = [placeOf.get(from), placeOf.get(to)];
    if (source === undefined || target === undefined) continue;
    const key = `${source.key} ${target.key}`;
    const link = links.get(key) ?? {
      key, from: source.key, to: target.key, fromTitle: source.title, toTitle: target.title, pairs: [], actions: new Set<string>(),
    };
    link.pairs.push(`${from} ${to}`);
    for (const action of mayRequest) link.actions.add(action);
    links.set(key, link);
  }
  return [...links.values()].map((link) => ({ ...link, actions: [...link.actions] }));
}

function tallyOf({ pairs }: PlacedLink, live: Live) {
  const sum = { go: 0, noGo: 0, escalate: 0, lastAt: 0 };
  for (const pair of pairs) {
    const seen = live.edges.get(pair);
    if (seen === undefined) continue;
    sum.go += seen.go;
    sum.noGo += seen.noGo;
    sum.escalate += seen.escalate;
    sum.lastAt = Math.max(sum.lastAt, seen.lastAt);
  }
  return sum;
}

const recentMs = 3_000;

/** One line for both directions between two places, from the sides that face each other. */
function drawnOf(links: readonly PlacedLink[], nodes: readonly Node[], live: Live): Edge[] {
  const at = new Map(nodes.map(({ id, position }) => [id, position]));
  const pairs = Map.groupBy(links, ({ from, to }) => [from, to].sort().join(' '));
  return [...pairs.values()].flatMap((both) => {
    const [link] = both;
    if (link === undefined) return [];
    const sums = both.map((one) => tallyOf(one, live));
    const seen = {
      go: sum(sums.map(({ go }) => go)), noGo: sum(sums.map(({ noGo }) => noGo)),
      escalate: sum(sums.map(({ escalate }) => escalate)), lastAt: Math.max(...sums.map(({ lastAt }) => lastAt)),
    };
    const all = seen.go + seen.noGo + seen.escalate;
    const tone = all === 0 ? 'idle' : seen.noGo > 0 ? 'nogo' : seen.escalate > 0 ? 'escalate' : 'go';
    const [source, target] = [at.get(link.from), at.get(link.to)];
    const [sourceHandle, targetHandle] = facing(source, target);
    const arrow = { type: MarkerType.ArrowClosed, width: 16, height: 16, color: 'context-stroke' };
    return [{
      id: link.key, source: link.from, target: link.to, sourceHandle, targetHandle,
      className: `way ${tone}`, type: 'smoothstep',
      animated: seen.lastAt > 0 && (live.entries[0]?.recordedAt ?? 0) - seen.lastAt < recentMs,
      markerEnd: arrow, ...(both.length > 1 ? { markerStart: arrow } : {}),
      ...(all === 0 ? {} : { label: seen.noGo + seen.escalate === 0 ? `${all}` : `${seen.go} GO, ${seen.escalate + seen.noGo} not` }),
    }];
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function facing(
  from: { readonly x: number; readonly y: number } | undefined,
  to: { readonly x: number; readonly y: number } | undefined,
): readonly [string, string] {
  const dx = (to?.x ?? 0) - (from?.x ?? 0);
  const dy = (to?.y ?? 0) - (from?.y ?? 0);
  // Past a column in between, below it.
  if (Math.abs(dx) > 400) return ['b', 'b'];
  if (Math.abs(dx) < 200) return dy > 0 ? ['b', 't'] : ['t', 'b'];
  return dx > 0 ? ['r', 'l'] : ['l', 'r'];
}
