// SPDX-License-Identifier: Apache-2.0
import type { Reason } from '../../../src/anomaly/combine.ts';
import type { Signal } from '../../../src/anomaly/signal.ts';
import { useView } from '../api.ts';
import { Chip, Empty, lasting, Page, Read, Time, visible, Waiting, type ReadSoFar } from '../parts.tsx';
import { To } from '../router.tsx';
import { SearchBox } from '../search-box.tsx';

type Row = {
  readonly agent: string; readonly role: string | null; readonly zone: string | null; readonly phase: string;
  readonly watchedMs: number | null; readonly score: number | null; readonly at: number | null;
  readonly reasons: readonly Reason[]; readonly history: readonly number[];
  readonly signs: readonly { readonly code: string; readonly count: number }[];
};
type Common = {
  readonly limits: { readonly raises: number; readonly isolates: number; readonly contains: number };
  readonly watchMs: number;
  readonly weights: { readonly [signal in Signal]: number };
  readonly read: ReadSoFar;
  readonly observer: { readonly consents: boolean } | null;
};
type All = Common & { readonly total: number; readonly agents: readonly Row[] };
type One = Common & Row & {
  readonly baselines: readonly { readonly signal: Signal; readonly usual: readonly { readonly against: string; readonly mean: number; readonly spread: number }[] }[];
};

const signalWords: { readonly [signal in Signal]: readonly [name: string, says: string] } = {
  'tool-usage': ['Tools', 'which tools it calls, against its first weeks'],
  'output-quality': ['Output', 'share of its messages that no control doubted'],
  'response-latency': ['Latency', 'milliseconds that its calls take'],
  'message-volume': ['Volume', 'messages and calls in five minutes'],
  'error-rate': ['Errors', 'share of its steps that were refused or failed'],
  'content-drift': ['Content', 'distance of what it says from what it used to say; not on record'],
  'cost-trajectory': ['Cost', 'money for one step, where its model is reached through its sidecar'],
  'temporal-profile': ['Hours', 'how unusual the hour is for it'],
  'peer-deviation': ['Peers', 'how far it is from agents of its role'],
  'context-utilisation': ['Context', 'how full its context is, where its model is reached through its sidecar'],
};

const dayMs = 86_400_000;

/** How far each agent is from what is usual for it, and what says so. */
export function Anomaly({ id, query }: { readonly id: string | null; readonly query: URLSearchParams }) {
  return id === null ? <List query={query} /> : <OneAgent name={id} />;
}

function List({ query }: { readonly query: URLSearchParams }) {
  const search = query.get('search') ?? '';
  const loaded = useView<All>(`/api/views/anomaly?search=${encodeURIComponent(search)}`, 5_000);
  return (
    <Page title="Anomaly" lead="How far each agent is from what is usual for it, computed from the record by the observer's own scorer. A score is a doubt, not a verdict.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/anomaly" query={query} label="Find an agent" />
      </form>
      <Waiting loaded={loaded} what="scores">
        {(all) => (
          <>
            <Explained all={all} />
            {all.agents.length === 0
              ? search !== '' ? <Empty>No agent with a score matches.</Empty> : <Empty><strong>No agent has done anything yet.</strong><span>The first score of an agent stands five minutes after its first step.</span></Empty>
              : <Table all={all} />}
            <Read read={all.read} />
          </>
        )}
      </Waiting>
    </Page>
  );
}

function Explained({ all: { limits, watchMs, observer } }: { readonly all: Common }) {
  return (
    <section className="panel" aria-labelledby="how">
      <h2 id="how">How to read it</h2>
      <p>From 0, as usual, to 100. At {limits.raises} look at it; {limits.isolates} is for isolating, {limits.contains} for containing.
        An agent is watched for {Math.round(watchMs / dayMs)} days before anything about it is called unusual; until then its baselines learn, and its signs of compromise count all the same.</p>
      <p>{observer === null
        ? <><Chip>no observer</Chip> The mesh file names none: nobody outside the node holds the mesh to these scores.</>
        : observer.consents
          ? <><Chip tone="good">observer consents</Chip> It computes the same scores by itself, and says when one is not heeded.</>
          : <><Chip tone="bad">observer does not consent</Chip> It is silent or has found something: HIGH and CRITICAL stand still.</>}</p>
    </section>
  );
}

function Table({ all }: { readonly all: All }) {
  return (
    <div className="panel scroll" tabIndex={0} role="region" aria-label="Scores">
      <table className="rows">
        <thead><tr><th>Agent</th><th>Score</th><th>Last hours</th><th>Why</th><th>Signs on record</th><th>For how long</th></tr></thead>
        <tbody>
          {all.agents.map((row) => (
            <tr key={row.agent}>
              <td><To place={`/anomaly/${encodeURIComponent(row.agent)}`}>{row.agent}</To> <span className="quiet">{row.role?.toLowerCase()}</span></td>
              <td><Score row={row} limits={all.limits} /></td>
              <td><Line values={row.history} label={`Scores of ${row.agent}`} /></td>
              <td>{row.reasons.length === 0 ? <span className="quiet">nothing stands out</span> : row.reasons.slice(0, 3).map(({ signal }) => signalWords[signal][0]).join(', ')}</td>
              <td><Signs row={row} /></td>
              <td className="quiet">{row.watchedMs === null ? 'not yet' : `watched ${forDays(row.watchedMs)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all.total > all.agents.length && <p className="quiet">and {all.total - all.agents.length} with lower scores</p>}
    </div>
  );
}

function OneAgent({ name }: { readonly name: string }) {
  const loaded = useView<One>(`/api/views/anomaly/${encodeURIComponent(name)}`, 5_000);
  return (
    <Page title={`${name}: what is usual`} lead={<To place="/anomaly">All scores</To>}>
      <Waiting loaded={loaded} what="agent">
        {(one) => (
          <>
            <section className="panel">
              <div className="panel-head"><h2><Score row={one} limits={one.limits} /></h2><To place={`/agents/${encodeURIComponent(name)}`}>Who it is, and how to stop it</To></div>
              <Line values={one.history} label="Scores of the last hours" wide />
              <table className="facts"><tbody>
                <tr><th scope="row">Phase</th><td><Chip tone={one.phase === 'PRIMARY' ? 'good' : 'bad'}>{one.phase}</Chip> <To place="/stops">PACE</To></td></tr>
                <tr><th scope="row">Watched for</th><td>{one.watchedMs === null ? 'not yet' : forDays(one.watchedMs)}{(one.watchedMs ?? 0) < one.watchMs && `: still learning, of ${Math.round(one.watchMs / dayMs)} days`}</td></tr>
                <tr><th scope="row">Scored</th><td><Time at={one.at} withDay /></td></tr>
                <tr><th scope="row">Signs on record</th><td><Signs row={one} /></td></tr>
              </tbody></table>
            </section>
            <Why one={one} />
            <Baselines one={one} />
            <Read read={one.read} />
          </>
        )}
      </Waiting>
    </Page>
  );
}

function Why({ one }: { readonly one: One }) {
  return (
    <section className="panel" aria-labelledby="why">
      <h2 id="why">Signals</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Signals">
        <table className="rows">
          <thead><tr><th>Signal</th><th>What it is</th><th>Weight</th><th>Now</th></tr></thead>
          <tbody>
            {(Object.keys(signalWords) as Signal[]).map((signal) => {
              const reason = one.reasons.find((found) => found.signal === signal);
              return (
                <tr key={signal}>
                  <td>{signalWords[signal][0]}</td>
                  <td className="quiet">{signalWords[signal][1]}</td>
                  <td className="number">{Math.round(one.weights[signal] * 100)} %</td>
                  <td>{reason === undefined ? <span className="quiet">as usual, or not known yet</span>
                    : <strong>{Math.abs(reason.z).toFixed(1)} spreads {reason.z < 0 ? 'below' : 'above'} {reason.against}</strong>}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Baselines({ one }: { readonly one: One }) {
  const windows = [...new Set(one.baselines.flatMap(({ usual }) => usual.map(({ against }) => against)))];
  return (
    <section className="panel" aria-labelledby="baselines">
      <h2 id="baselines">Baselines</h2>
      {windows.length === 0
        ? <Empty><strong>Nothing is learned yet.</strong><span>The first baseline stands after an hour; the anchor, which slow drift is held against, after 28 days.</span></Empty>
        : (
          <div className="scroll" tabIndex={0} role="region" aria-label="Baselines">
            <table className="rows keep">
              <thead><tr><th>Signal</th>{windows.map((window) => <th key={window}>{window}</th>)}</tr></thead>
              <tbody>{one.baselines.map(({ signal, usual }) => (
                <tr key={signal}><td>{signalWords[signal][0]}</td>
                  {windows.map((window) => {
                    const found = usual.find(({ against }) => against === window);
                    return <td key={window} className="number">{found === undefined ? '–' : `${rounded(found.mean)} ± ${rounded(found.spread)}`}</td>;
                  })}</tr>
              ))}</tbody>
            </table>
          </div>
        )}
    </section>
  );
}

function Score({ row, limits }: { readonly row: Row; readonly limits: Common['limits'] }) {
  if (row.score === null) return <Chip>learning</Chip>;
  const tone = row.score >= limits.isolates ? 'bad' : row.score >= limits.raises ? 'warn' : 'good';
  return <Chip tone={tone}>{row.score.toFixed(1)}</Chip>;
}

function Signs({ row }: { readonly row: Row }) {
  if (row.signs.length === 0) return <span className="quiet">no signs</span>;
  return <>{row.signs.map(({ code, count }) => (
    <To key={code} place={`/log?code=${encodeURIComponent(code)}`}><Chip tone="warn">{visible(code)} {count > 1 && `× ${count}`}</Chip></To>
  ))}</>;
}

function Line({ values, label, wide = false }: { readonly values: readonly number[]; readonly label: string; readonly wide?: boolean }) {
  const [width, height] = [wide ? 600 : 110, wide ? 70 : 22];
  if (values.length < 2) return <span className="quiet">–</span>;
  const points = values.map((value, index) => `${(index / (values.length - 1)) * width},${height - 2 - (value / 100) * (height - 4)}`).join(' ');
  return (
    <svg className={wide ? 'spark wide' : 'spark'} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${label}: from ${values[0]} to ${values.at(-1)}, at most ${Math.max(...values)}`}>
      <line className="limit" x1="0" x2={width} y1={height - 2 - 0.6 * (height - 4)} y2={height - 2 - 0.6 * (height - 4)} />
      <polyline points={points} />
    </svg>
  );
}

function rounded(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(1) : value.toFixed(3);
}

function forDays(ms: number): string {
  return ms >= 2 * dayMs ? `${Math.floor(ms / dayMs)} days` : lasting(ms);
}
