// SPDX-License-Identifier: Apache-2.0
import { useView } from '../api.ts';
import type { Card } from './card.tsx';
import { HeldAction } from './card.tsx';
import { Chip, Empty, Id, Page, Risk, visible, Waiting } from '../parts.tsx';
import { replacePlace, To } from '../router.tsx';
import { hasWords, placeWith, SearchBox } from '../search-box.tsx';
import { Reviewers } from './reviewers.tsx';
import { TimeLeft } from './time-left.tsx';
import { ChangeLine, wordsOf, type WorkflowList } from './workflows.tsx';

type Found = { readonly approvals: readonly Card[]; readonly total: number };

/** The inbox of held actions, and the card of one of them. */
export function Approvals({ id, query }: { readonly id: string | null; readonly query: URLSearchParams }) {
  return id === null ? <Inbox query={query} /> : <HeldAction id={id} />;
}

function Inbox({ query }: { readonly query: URLSearchParams }) {
  const state = query.get('state') === 'all' ? 'all' : 'pending';
  const search = query.get('search') ?? '';
  const asked = new URLSearchParams({ state, search, limit: '200' });
  const loaded = useView<Found>(`/api/approvals?${asked}`, 3_000);
  return (
    <Page title="Approvals" lead="Actions that a control, the manifest or the policy put before people, and changes of workflows. Undecided means denied.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/approvals" query={query} placeholder="agent, action, origin, code, value" />
        <label>Show
          <select value={state} onChange={(event) => replacePlace(placeWith('/approvals', query, 'state', event.target.value === 'all' ? 'all' : ''))}>
            <option value="pending">what waits</option><option value="all">everything, newest first</option>
          </select>
        </label>
      </form>
      <Changes state={state} query={query} />
      <Waiting loaded={loaded} what="held actions">
        {({ approvals, total }) => approvals.length === 0
          ? (
            <Empty>
              <strong>{search === '' && state === 'pending' ? 'Nothing waits for you.' : 'No held action matches.'}</strong>
              <span>When an agent asks for something that needs a person, its card appears here at once.</span>
            </Empty>
          )
          : (
            <>
              <ul className="cards">{approvals.map((card) => <CardLine key={card.id} card={card} />)}</ul>
              {total > approvals.length && <p className="quiet">{total - approvals.length} more match; narrow the search.</p>}
            </>
          )}
      </Waiting>
      <Reviewers />
    </Page>
  );
}

/** Changes of workflows that wait; with everything, also those that were decided. */
function Changes({ state, query }: { readonly state: 'pending' | 'all'; readonly query: URLSearchParams }) {
  const { value } = useView<WorkflowList>('/api/views/workflows', 5_000);
  const changes = (value?.changes ?? []).filter((change) => (state === 'all' || change.state === 'held') &&
    hasWords(query, `${change.id} ${change.agent} ${change.workflow} ${change.state} ${change.task} ${wordsOf(change)}`));
  return changes.length === 0 ? null : (
    <section aria-labelledby="changes">
      <h2 id="changes">Changes of workflows</h2>
      <ul className="cards">{changes.map((change) => <ChangeLine key={change.id} change={change} />)}</ul>
      <h2>Actions</h2>
    </section>
  );
}

function CardLine({ card }: { readonly card: Card }) {
  return (
    <li>
      <To place={`/approvals/${encodeURIComponent(card.id)}`} className="card-line">
        <span className="card-head">
          <Risk value={card.risk} /> <strong>{card.action}</strong> <span className="quiet">{card.reversibility}</span>
          <Left card={card} />
        </span>
        <span>{visible(card.requester)} asks {visible(card.executor)}{card.rootOrigin === `agent:${card.requester}` ? '' : `, set off by ${visible(card.rootOrigin)}`}</span>
        <span className="quiet">{card.reasons.map(({ code }) => code).join(', ') || 'the policy asks for a person'}</span>
        <span className="quiet"><Id value={card.id} /> {card.approvedBy.length} of {card.approvalsNeeded} approved
          {card.modifiedBy.length > 0 && `, modified by ${card.modifiedBy.join(', ')}`}
          {card.equals.length > 0 && <> <Chip tone="warn">{card.equals.length + 1} equal</Chip></>}</span>
      </To>
    </li>
  );
}

/** The time that is left, or how it ended. */
export function Left({ card }: { readonly card: Card }) {
  if (card.state === 'pending') return <TimeLeft until={card.expiresAt} />;
  const tone = card.state === 'approved' ? 'good' : card.state === 'modified' ? 'warn' : 'bad';
  return <Chip tone={tone}>{card.probe ? `probe, ${card.state}` : card.state}</Chip>;
}
