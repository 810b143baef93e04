// SPDX-License-Identifier: Apache-2.0
import {
  Background, ConnectionMode, Controls as GraphControls, Handle, MarkerType, Position, ReactFlow,
  type Edge, type Node, type NodeProps, type ReactFlowInstance,
} from '@xyflow/react';
import { memo, useDeferredValue, useEffect, useMemo, useRef } from 'react';
import type { MeshMap, Place, PlacedLink } from '../../../src/console/mesh-map.ts';
import { useView } from '../api.ts';
import { Chip, Empty, Page, Time, Waiting } from '../parts.tsx';
import { go, To } from '../router.tsx';
import { SearchBox } from '../search-box.tsx';
import { useSlowLive, type Live, type Way } from '../stream.tsx';

type Answer = Omit<MeshMap, 'zones'> & {
  readonly zones: readonly (MeshMap['zones'][number] & { readonly clearance: string | null })[];
};

const drawEveryMs = 1_000;

/** Who may speak to whom. Many agents are boxes by type and zone, and a box opens to what is in it. */
export function Mesh({ query }: { readonly query: URLSearchParams }) {
  const [zone, type] = [query.get('zone'), query.get('type')];
  const asked = new URLSearchParams(query);
  const loaded = useView<Answer>(`/api/views/mesh${asked.size === 0 ? '' : `?${asked}`}`, 5_000);
  return (
    <Page title="Mesh" lead="Who may speak to whom, and what passes between them now. What is not drawn is refused.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/mesh" query={query} label="Find agents" placeholder="name or type" />
      </form>
      <nav className="crumbs" aria-label="Part of the mesh">
        <To place="/mesh" aria-current={zone === null && type === null ? 'page' : undefined}>All zones</To>
        {zone !== null && <> › <To place={placeOf({ zone })} aria-current={type === null ? 'page' : undefined}>zone {zone}</To></>}
        {type !== null && <> › <span aria-current="page">{type.toLowerCase()}</span></>}
      </nav>
      <Waiting loaded={loaded} what="the mesh">{(mesh) => <Graph mesh={mesh} />}</Waiting>
    </Page>
  );
}

function placeOf(query: { readonly [name: string]: string }): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? '/mesh' : `/mesh?${text}`;
}

function Graph({ mesh }: { readonly mesh: Answer }) {
  const live = useDeferredValue(useSlowLive(drawEveryMs));
  const nodes = useMemo(() => nodesOf(mesh.places), [mesh.places]);
  const sums = useMemo(() => sumsOf(mesh, live), [mesh, live]);
  const edges = useMemo(() => drawnOf(busiest(mesh.links, sums), nodes, sums, live), [mesh.links, nodes, sums, live]);
  const flow = useRef<ReactFlowInstance | null>(null);
  useEffect(() => {
    const fit = (): void => void flow.current?.fitView({ maxZoom: 1.2 });
    window.addEventListener('resize', fit);
    return () => window.removeEventListener('resize', fit);
  }, []);
  if (mesh.matching === 0) return <Empty>{mesh.agents === 0 ? 'The mesh file has no agents.' : 'No agent matches.'}</Empty>;
  const open = (key: string): void => {
    const place = mesh.places.find((one) => one.key === key);
    if (place !== undefined) go(place.isGroup ? placeOf({ zone: place.zone, type: place.type }) : `/agents/${encodeURIComponent(place.key)}`);
  };
  return (
    <>
      <p className="quiet">{mesh.matching.toLocaleString()} of {mesh.agents.toLocaleString()} agents.{' '}
        {mesh.places.some(({ isGroup, near }) => isGroup && !near) && 'So many are shown by type and zone: open a box to see what is in it. '}
        {mesh.links.length > drawnMax && `The busiest ${drawnMax} of ${mesh.links.length} ways are drawn; the table has more.`}</p>
      <div className="graph" role="group" aria-label={`Graph of ${mesh.matching} agents; the tables below say the same`}>
        <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} connectionMode={ConnectionMode.Loose} fitView fitViewOptions={{ maxZoom: 1.2 }} minZoom={0.1}
          nodesDraggable={false} nodesConnectable={false} edgesFocusable={false} nodesFocusable={false} elementsSelectable={false}
          onInit={(instance) => {
            flow.current = instance;
          }}
          onNodeClick={(_event, node) => open(node.id)}>
          <Background gap={24} />
          <GraphControls showInteractive={false} />
        </ReactFlow>
      </div>
      <p className="legend"><span className="outcome go">━ GO passed</span> <span className="outcome escalate">━ escalated</span>{' '}
        <span className="outcome nogo">━ refused</span> <span className="quiet">╌ allowed, nothing seen yet · dashed box: away · red box: stopped or isolated</span></p>
      <Tables mesh={mesh} sums={sums} />
    </>
  );
}

function Tables({ mesh, sums }: { readonly mesh: Answer; readonly sums: Sums }) {
  const titles = new Map(mesh.places.map(({ key, title, zone, isGroup }) => [key, isGroup ? `${title}, ${zone}` : title]));
  const groups = mesh.places.filter(({ isGroup, near }) => isGroup && !near);
  return (
    <div className="columns">
      <section className="panel" aria-labelledby="ways">
        <h2 id="ways">Ways</h2>
        <div className="scroll" tabIndex={0} role="region" aria-label="Ways">
          <table className="rows keep">
            <thead><tr><th>From</th><th>To</th><th>GO</th><th>ESCALATE</th><th>NO-GO</th><th>Last</th><th>May ask for</th></tr></thead>
            <tbody>
              {mesh.links.slice(0, 150).map((link) => {
                const seen = sums.get(`${link.from} ${link.to}`) ?? none;
                return (
                  <tr key={`${link.from} ${link.to}`}>
                    <td>{titles.get(link.from) ?? link.from}</td><td>{titles.get(link.to) ?? link.to}</td>
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
        {groups.length > 0 && (
          <>
            <h2>Boxes</h2>
            <ul className="plain-list">{groups.map(({ key, zone, type, title, says }) => (
              <li key={key}><To place={placeOf({ zone, type })}>{title}</To> <span className="quiet">{zone}; {says}</span></li>
            ))}</ul>
          </>
        )}
        <h2 id="who">Agents</h2>
        <ul className="plain-list">
          {mesh.members.slice(0, 100).map(({ name, role, zone, state }) => (
            <li key={name}><To place={`/agents/${encodeURIComponent(name)}`}>{name}</To>{' '}
              <span className="quiet">{role.toLowerCase()}, {zone}</span>{' '}
              <Chip tone={state === 'up' ? 'good' : state === 'away' ? 'warn' : 'bad'}>{state}</Chip></li>
          ))}
        </ul>
        {mesh.matching > 100 && <p className="quiet">and {(mesh.matching - 100).toLocaleString()} more: open a box, or find them by name</p>}
        <h2>Zones</h2>
        <ul className="plain-list">{mesh.zones.map(({ zone, agents, away, stopped, clearance }) => (
          <li key={zone}><To place={placeOf({ zone })}>{zone}</To>{' '}
            <span className="quiet">{agents.toLocaleString()} agents{clearance === null ? '' : `, cleared for ${clearance}`}{away > 0 && `, ${away} away`}{stopped > 0 && `, ${stopped} stopped`}</span></li>
        ))}</ul>
      </section>
    </div>
  );
}

const sides = [
  ['l', Position.Left], ['r', Position.Right], ['t', Position.Top], ['b', Position.Bottom],
] as const;

const nodeTypes = {
  place: memo(({ data }: NodeProps<Node<{ place: Place }>>) => (
    <div className={`graph-node ${data.place.state}${data.place.near ? ' near' : ''}`}>
      {sides.map(([id, position]) => <Handle key={id} id={id} type="source" position={position} />)}
      <strong>{data.place.title}</strong>
      <small>{data.place.says}</small>
    </div>
  )),
  zone: memo(({ data }: NodeProps<Node<{ title: string }>>) => <div className="graph-zone">{data.title}</div>),
};

const rowsMax = 12;

/** One column a zone, in the order of the mesh file; a long one goes on beside itself. */
function nodesOf(places: readonly Place[]): Node[] {
  let x = 0;
  return [...Map.groupBy(places, ({ zone }) => zone)].flatMap(([zone, members]) => {
    const at = x;
    x += 340 + Math.floor((members.length - 1) / rowsMax) * 270;
    return [
      { id: `zone ${zone}`, type: 'zone', position: { x: at, y: -54 }, data: { title: zone } },
      ...members.map((place, index) => ({
        id: place.key, type: 'place', data: { place },
        position: { x: at + Math.floor(index / rowsMax) * 270, y: (index % rowsMax) * 120 },
      })),
    ];
  });
}

type Seen = { readonly go: number; readonly noGo: number; readonly escalate: number; readonly lastAt: number };
type Sums = ReadonlyMap<string, Seen>;
const none: Seen = { go: 0, noGo: 0, escalate: 0, lastAt: 0 };

/** What passed on each way that is drawn: by agents where they stand alone, else by their boxes. */
function sumsOf({ places }: Answer, live: Live): Sums {
  const alone = new Set(places.filter(({ isGroup }) => !isGroup).map(({ key }) => key));
  const sums = new Map<string, Seen>();
  const add = (from: string | null, to: string | null, way: Way): void => {
    if (from === null || to === null) return;
    const before = sums.get(`${from} ${to}`) ?? none;
    sums.set(`${from} ${to}`, {
      go: before.go + way.go, noGo: before.noGo + way.noGo, escalate: before.escalate + way.escalate,
      lastAt: Math.max(before.lastAt, way.lastAt),
    });
  };
  if (alone.size === 0) for (const way of live.ways.values()) add(way.fromGroup, way.toGroup, way);
  else {
    for (const way of live.edges.values()) {
      add(alone.has(way.from) ? way.from : way.fromGroup, alone.has(way.to) ? way.to : way.toGroup, way);
    }
  }
  return sums;
}

/** More lines than this nobody can follow, nor a browser move. */
const drawnMax = 60;
const animatedMax = 30;

function busiest(links: readonly PlacedLink[], sums: Sums): readonly PlacedLink[] {
  if (links.length <= drawnMax) return links;
  const weight = (link: PlacedLink): number => {
    const { go: passed, noGo, escalate } = sums.get(`${link.from} ${link.to}`) ?? none;
    return (passed + (noGo + escalate) * 10) * 1_000 + link.edges;
  };
  return links.toSorted((a, b) => weight(b) - weight(a)).slice(0, drawnMax);
}

const recentMs = 3_000;

/** One line for both directions between two places, from the sides that face each other. */
function drawnOf(links: readonly PlacedLink[], nodes: readonly Node[], sums: Sums, live: Live): Edge[] {
  const at = new Map(nodes.map(({ id, position }) => [id, position]));
  const pairs = Map.groupBy(links, ({ from, to }) => [from, to].sort().join(' '));
  return [...pairs.values()].flatMap((both) => {
    const [link] = both;
    if (link === undefined || link.from === link.to) return [];
    const all = both.map(({ from, to }) => sums.get(`${from} ${to}`) ?? none);
    const seen = {
      go: sum(all.map(({ go: one }) => one)), noGo: sum(all.map(({ noGo }) => noGo)),
      escalate: sum(all.map(({ escalate }) => escalate)), lastAt: Math.max(...all.map(({ lastAt }) => lastAt)),
    };
    const counted = seen.go + seen.noGo + seen.escalate;
    const tone = counted === 0 ? 'idle' : seen.noGo > 0 ? 'nogo' : seen.escalate > 0 ? 'escalate' : 'go';
    const [sourceHandle, targetHandle] = facing(at.get(link.from), at.get(link.to));
    const arrow = { type: MarkerType.ArrowClosed, width: 16, height: 16, color: 'context-stroke' };
    return [{
      id: `${link.from} ${link.to}`, source: link.from, target: link.to, sourceHandle, targetHandle,
      className: `way ${tone}`, type: 'smoothstep',
      animated: pairs.size <= animatedMax && seen.lastAt > 0 && (live.entries[0]?.recordedAt ?? 0) - seen.lastAt < recentMs,
      markerEnd: arrow, ...(both.length > 1 ? { markerStart: arrow } : {}),
      ...(counted === 0 ? {} : { label: seen.noGo + seen.escalate === 0 ? `${counted}` : `${seen.go} GO, ${seen.escalate + seen.noGo} not` }),
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
