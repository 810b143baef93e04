// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState, type ReactNode } from 'react';
import type { Line } from '../../../src/console/station.ts';
import { useView } from '../api.ts';
import { Empty, Id, Page, Risk, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { hasWords, SearchBox } from '../search-box.tsx';
import type { Card } from './card.tsx';
import { wordsOf as wordsOfControl } from './controls.tsx';
import { wordsOf, type WorkflowList } from './workflows.tsx';

type Found = { readonly approvals: readonly Card[]; readonly total: number };
type Named = { readonly total: number; readonly agents: readonly { readonly name: string; readonly role: string }[] };
type Codes = { readonly codes: { readonly [code: string]: { readonly means: string; readonly mend: string } } };

const shownMax = 20;
const waitMs = 200;

/** Everything that words are found in, in one place: each group leads to the view that has more. */
export function FindEverything({ query }: { readonly query: URLSearchParams }) {
  const words = useSettled(query.get('search') ?? '');
  const asked = encodeURIComponent(words);
  const wanted = words.trim() !== '';
  const agents = useView<Named>(wanted ? `/api/views/agents?search=${asked}` : null);
  const actions = useView<Found>(wanted ? `/api/approvals?state=all&limit=${shownMax}&search=${asked}` : null);
  const controls = useView<{ readonly lines: readonly Line[] }>(wanted ? '/api/views/controls' : null);
  const workflows = useView<WorkflowList>(wanted ? '/api/views/workflows' : null);
  const codes = useView<Codes>(wanted ? '/api/views/codes' : null);
  return (
    <Page title="Find" lead="Agents, held actions, workflows, controls and codes. An id of a task or a message opens its trace.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/find" query={query} label="Words" placeholder="payments, POLICY_SOURCE, EC-2" />
      </form>
      {!wanted ? <Empty>Say what to look for.</Empty> : (
        <>
          <Group title="Agents" more={`/agents?search=${asked}`} loaded={agents}
            rows={({ agents: all }) => all.slice(0, shownMax).map(({ name, role }) => (
              <li key={name}><To place={`/agents/${encodeURIComponent(name)}`}>{visible(name)}</To> <span className="quiet">{role.toLowerCase()}</span></li>
            ))} />
          <Group title="Held actions" more={`/approvals?state=all&search=${asked}`} loaded={actions}
            rows={({ approvals }) => approvals.map((card) => (
              <li key={card.id}><Risk value={card.risk} /> <To place={`/approvals/${encodeURIComponent(card.id)}`}>{card.action}</To>{' '}
                <span className="quiet">{card.state}, {visible(card.requester)} asks {visible(card.executor)}, <Id value={card.id} /></span></li>
            ))} />
          <Group title="Changes of workflows" more="/workflows" loaded={workflows}
            rows={({ changes }) => changes.filter((one) => hasWords(query, `${one.id} ${one.agent} ${one.workflow} ${one.state} ${wordsOf(one)}`)).slice(0, shownMax).map((one) => (
              <li key={one.id}><To place={`/workflows/${encodeURIComponent(one.id)}`}>{visible(one.workflow)}</To> <span className="quiet">{one.state}: {visible(one.agent)} {wordsOf(one)}</span></li>
            ))} />
          <Group title="Controls" more={`/controls?search=${asked}`} loaded={controls}
            rows={({ lines }) => lines.flatMap((line) => line.stations.filter((station) => hasWords(query, wordsOfControl(station, line)))).slice(0, shownMax).map(({ id, title, state }) => (
              <li key={id}><To place={`/controls?search=${encodeURIComponent(id)}`}><code>{id}</code> {title}</To> <span className="quiet">{state}</span></li>
            ))} />
          <Group title="Codes" more="/log" loaded={codes}
            rows={(all) => Object.entries(all.codes).filter(([code, { means }]) => hasWords(query, `${code} ${means}`)).slice(0, shownMax).map(([code, { means }]) => (
              <li key={code}><To place={`/log?code=${encodeURIComponent(code)}`}><code>{code}</code></To> <span className="quiet">{means}</span></li>
            ))} />
        </>
      )}
    </Page>
  );
}

function Group<Value>({ title, more, loaded, rows }: {
  readonly title: string; readonly more: string; readonly loaded: ReturnType<typeof useView<Value>>; readonly rows: (value: Value) => readonly ReactNode[];
}) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head"><h2>{title}</h2><To place={more}>All of them</To></div>
      <Waiting loaded={loaded} what={title.toLowerCase()}>
        {(value) => {
          const found = rows(value);
          return found.length === 0 ? <p className="quiet">None has these words.</p> : <ul className="plain-list">{found}</ul>;
        }}
      </Waiting>
    </section>
  );
}

/** What was typed, once nothing more comes for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), waitMs);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
