// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { useView } from '../api.ts';
import type { Card } from './card.tsx';
import { HeldAction } from './card.tsx';
import { Chip, Empty, Id, lasting, Page, Risk, Time, visible, Waiting } from '../parts.tsx';
import { replacePlace, To } from '../router.tsx';
import { useSession } from '../session.tsx';
import { Reviewers } from './reviewers.tsx';

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
  const change = (name: string, value: string): void => {
    const next = new URLSearchParams(query);
    if (value === '' || (name === 'state' && value === 'pending')) next.delete(name);
    else next.set(name, value);
    const text = next.toString();
    replacePlace(text === '' ? '/approvals' : `/approvals?${text}`);
  };
  return (
    <Page title="Approvals" lead="Actions that a control, the manifest or the policy put before people. Undecided means denied.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>Search<input type="search" defaultValue={search} placeholder="agent, action, origin, code, value"
          onChange={(event) => change('search', event.target.value)} /></label>
        <label>Show
          <select value={state} onChange={(event) => change('state', event.target.value)}>
            <option value="pending">what waits</option><option value="all">everything, newest first</option>
          </select>
        </label>
      </form>
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
  const session = useSession();
  const [now, setNow] = useState(session.nowMs());
  useEffect(() => {
    if (card.state !== 'pending') return undefined;
    const timer = setInterval(() => setNow(session.nowMs()), 1_000);
    return () => clearInterval(timer);
  }, [card.state, session]);
  if (card.state !== 'pending') {
    const tone = card.state === 'approved' ? 'good' : card.state === 'modified' ? 'warn' : 'bad';
    return <Chip tone={tone}>{card.probe ? `probe, ${card.state}` : card.state}</Chip>;
  }
  const leftMs = card.expiresAt - now;
  return (
    <Chip tone={leftMs < 60_000 ? 'bad' : leftMs < 300_000 ? 'warn' : 'plain'}>
      {leftMs <= 0 ? 'expired' : <>{lasting(leftMs)} left<span className="unseen">, until <Time at={card.expiresAt} /></span></>}
    </Chip>
  );
}
