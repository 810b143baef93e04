// SPDX-License-Identifier: Apache-2.0
import { Empty, lasting, Page, useOverview, Waiting, type Overview, type Some } from '../parts.tsx';
import { To } from '../router.tsx';
import { useLive } from '../stream.tsx';
import { RateChart } from './rate-chart.tsx';
import { EntryRow } from './log.tsx';

/** What happens now, and what waits for somebody. */
export function Home() {
  const loaded = useOverview();
  const live = useLive();
  return (
    <Page title="Now" lead="What the mesh does at this moment, and what waits for a person.">
      <Waiting loaded={loaded} what="the mesh">{(overview) => <Tiles overview={overview} />}</Waiting>
      <section className="panel" aria-labelledby="rate">
        <h2 id="rate">Verdicts per second</h2>
        <RateChart />
      </section>
      <section className="panel" aria-labelledby="newest">
        <div className="panel-head">
          <h2 id="newest">Newest on record</h2>
          <To place="/log">Search the record</To>
        </div>
        {live.entries.length === 0
          ? <Empty>{live.state === 'open' ? 'Nothing has happened yet. Start an agent, or send a first message.' : 'Waiting for the stream …'}</Empty>
          : (
            <table className="rows">
              <thead><tr><th>Time</th><th>What</th><th>Verdict</th><th>Who</th><th>About</th></tr></thead>
              <tbody>{live.entries.slice(0, 25).map((entry) => <EntryRow key={entry.sequence} entry={entry} />)}</tbody>
            </table>
          )}
        {live.summed > 0 && <p className="quiet">{live.summed} more quiet steps are in the sums.</p>}
      </section>
    </Page>
  );
}

function Tiles({ overview }: { readonly overview: Overview }) {
  const { recorder, pending, changes, connected, agents, away, stopped, isolationNone, mode } = overview;
  return (
    <ul className="tiles">
      <Tile to="/approvals" tone={pending + changes > 0 ? 'warn' : 'good'} title="Held actions" value={String(pending)}
        says={(pending > 0 ? 'wait for a person' : changes > 0 ? 'no action waits' : 'nobody is asked') +
          (changes === 0 ? '' : `, and ${changes} ${changes === 1 ? 'change' : 'changes'} of workflows`)} />
      <Tile to="/agents" tone={away.count > 0 ? 'warn' : 'good'} title="Agents connected" value={`${connected.toLocaleString()} of ${agents.toLocaleString()}`}
        says={away.count > 0 ? `away: ${someOf(away)}` : 'all sidecars answer'} />
      <Tile to="/stops" tone={stopped.count > 0 ? 'bad' : 'good'} title="Stopped or isolated" value={stopped.count.toLocaleString()}
        says={stopped.count > 0 ? someOf(stopped) : 'no agent is isolated, revoked or broken off'} />
      <Tile to="/recorder" tone={recorder.state === 'available' ? 'good' : 'bad'} title="Record" value={recorder.entries.toLocaleString()}
        says={recorder.state === 'available'
          ? recorder.witnesses === 0 ? 'entries; no witness cosigns them' : `entries; cosigned ${lasting(recorder.cosignedAgeMs ?? 0)} ago`
          : `recorder: ${recorder.state}`} />
      <Tile to="/controls" tone={mode === 'enforce' && isolationNone === 0 ? 'good' : 'warn'} title="Enforcement" value={mode}
        says={isolationNone > 0 ? `isolation: none for ${isolationNone} agents` : `autonomy tier ${overview.autonomyTier}`} />
    </ul>
  );
}

function someOf({ count, names }: Some): string {
  return names.slice(0, 4).join(', ') + (count > 4 ? ` and ${count - Math.min(4, names.length)} more` : '');
}

function Tile({ to, tone, title, value, says }: {
  readonly to: string; readonly tone: string; readonly title: string; readonly value: string; readonly says: string;
}) {
  return (
    <li className={`tile ${tone}`}>
      <To place={to}>
        <span className="tile-title">{title}</span>
        <strong>{value}</strong>
        <span className="tile-says">{says}</span>
      </To>
    </li>
  );
}

