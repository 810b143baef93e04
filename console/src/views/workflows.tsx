// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { useView } from '../api.ts';
import { newId, signAndSend } from '../passkey.ts';
import { ActionFailed, Chip, Code, Empty, Id, Page, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { useSession } from '../session.tsx';
import { TimeLeft } from './time-left.tsx';

type Edge = { readonly from: string; readonly to: string; readonly domain: string };

export type Change = {
  readonly id: string; readonly agent: string; readonly task: string; readonly workflow: string;
  readonly open: readonly Edge[]; readonly close: readonly Edge[];
  readonly state: 'held' | 'effective' | 'refused'; readonly code: string | null; readonly version: number | null;
  readonly proposedAt: number; readonly expiresAt: number; readonly waits: boolean; readonly mandate: string | null; readonly digest: string;
};
type OneChange = Change & {
  readonly maySign: boolean; readonly own: boolean; readonly next: number; readonly previous: string; readonly cannot: string | null;
  readonly effects: readonly { readonly kind: string; readonly what: string; readonly name: string; readonly way: string }[];
};
export type WorkflowList = {
  readonly workflows: readonly { readonly workflow: string; readonly agents: readonly string[]; readonly edges: readonly (Edge & { readonly open: boolean })[] }[];
  readonly changes: readonly Change[];
};

/** Workflows that orchestrators may change, and the changes that they proposed. */
export function Workflows({ id }: { readonly id: string | null }) {
  return id === null ? <All /> : <One id={id} />;
}

/** What a change does, in a few words. */
export function wordsOf({ open, close }: Pick<Change, 'open' | 'close'>): string {
  const named = (edges: readonly Edge[]): string => edges.map(({ from, to }) => `${visible(from)} → ${visible(to)}`).join(', ');
  return [open.length === 0 ? '' : `opens ${named(open)}`, close.length === 0 ? '' : `closes ${named(close)}`].filter((text) => text !== '').join('; ');
}

/** One change as a line of the inbox. */
export function ChangeLine({ change }: { readonly change: Change }) {
  return (
    <li>
      <To place={`/workflows/${encodeURIComponent(change.id)}`} className="card-line">
        <span className="card-head">
          <Chip tone="warn">workflow</Chip> <strong>{visible(change.workflow)}</strong> <span className="quiet">{change.open.length > 0 ? 'lets more pass' : 'lets less pass'}</span>
          <State change={change} />
        </span>
        <span>{visible(change.agent)} {wordsOf(change)}</span>
        <span className="quiet"><Id value={change.id} /> {change.waits ? 'a person signs the version that it makes' : 'needed nobody: it only narrows'}</span>
      </To>
    </li>
  );
}

function State({ change }: { readonly change: Change }) {
  if (change.state === 'held') return <TimeLeft until={change.expiresAt} />;
  return <Chip tone={change.state === 'effective' ? 'good' : 'bad'}>{change.state === 'effective' ? `in force, version ${change.version ?? '?'}` : 'refused'}</Chip>;
}

function All() {
  const loaded = useView<WorkflowList>('/api/views/workflows', 5_000);
  return (
    <Page title="Workflows" lead="Edges that orchestrators may open and close, and what they asked for. The mesh file says which; nothing else can be changed this way.">
      <Waiting loaded={loaded} what="workflows">
        {({ workflows, changes }) => (
          <>
            <section className="panel" aria-labelledby="edges">
              <h2 id="edges">What may be changed</h2>
              {workflows.length === 0
                ? <Empty><strong>No edge may be changed.</strong><span>An edge with <code>workflow</code> and <code>open</code> in the mesh file may be opened and closed by an orchestrator that has <code>may_change</code>.</span></Empty>
                : workflows.map(({ workflow, agents, edges }) => (
                  <article key={workflow}>
                    <h3>{visible(workflow)} <span className="quiet">changed by {agents.map(visible).join(', ') || 'nobody'}</span></h3>
                    <ul className="plain-list">{edges.map((edge) => (
                      <li key={`${edge.from} ${edge.to} ${edge.domain}`}><Chip tone={edge.open ? 'good' : 'plain'}>{edge.open ? 'open' : 'closed'}</Chip>{' '}
                        {visible(edge.from)} → {visible(edge.to)} <span className="quiet">in {visible(edge.domain)}</span></li>
                    ))}</ul>
                  </article>
                ))}
            </section>
            <section aria-labelledby="changes">
              <h2 id="changes">Changes, newest first</h2>
              {changes.length === 0 ? <Empty>No change was proposed.</Empty> : <ul className="cards">{changes.map((change) => <ChangeLine key={change.id} change={change} />)}</ul>}
            </section>
          </>
        )}
      </Waiting>
    </Page>
  );
}

function One({ id }: { readonly id: string }) {
  const loaded = useView<OneChange>(`/api/views/workflows/${encodeURIComponent(id)}`, 5_000);
  return (
    <Page title="Change of a workflow" lead={<To place="/approvals">Back to all that waits</To>}>
      <Waiting loaded={loaded} what="change">{(change) => <Facts change={change} again={loaded.again} />}</Waiting>
    </Page>
  );
}

function Facts({ change, again }: { readonly change: OneChange; readonly again: () => void }) {
  const { open, close, effects, cannot } = change;
  const edges = (all: readonly Edge[], says: string) => all.map(({ from, to, domain }) => (
    <li key={`${from} ${to} ${domain}`}><strong>{says}</strong> {visible(from)} → {visible(to)} <span className="quiet">in {visible(domain)}</span></li>
  ));
  return (
    <article className="card" aria-label={`Change of workflow ${change.workflow}`}>
      <header className="card-head"><Chip tone="warn">workflow</Chip> <h2>{visible(change.workflow)}</h2> <State change={change} /></header>
      <p className="lead"><strong>{visible(change.agent)}</strong> wants to change which edges of this workflow are open. <strong>It can be changed back.</strong></p>
      <section>
        <h3>What it asks for</h3>
        <ul className="plain-list">{edges(open, 'opens')}{edges(close, 'closes')}</ul>
      </section>
      <section>
        <h3>What that changes in the mesh in force</h3>
        {cannot !== null && <p className="state bad"><Code code={cannot} /></p>}
        {change.state === 'held' && cannot === null && (
          <ul className="plain-list">{effects.map(({ kind, what, name, way }) => (
            <li key={`${kind} ${what} ${name}`}><Chip tone={way === 'widens' ? 'warn' : 'plain'}>{way}</Chip> {kind} {what} {visible(name)}</li>
          ))}</ul>
        )}
        {change.code !== null && <p><Code code={change.code} /></p>}
        {change.state === 'effective' && <p>In force with version {change.version}.</p>}
        <p><To place={`/trace/${encodeURIComponent(change.task)}`}>Open the trace of its task</To>
          <span className="quiet"> · {change.mandate === null ? 'without a mandate in this task' : <>mandate <Id value={change.mandate} /></>}</span></p>
      </section>
      {change.state === 'held' && <Decide change={change} again={again} />}
      <footer className="quiet">Proposed <Time at={change.proposedAt} withDay /> · decided by <Time at={change.expiresAt} withDay />, else refused ·
        change <Id value={change.id} /> · digest <Id value={change.digest} />: a signature holds for exactly this version of the policy.</footer>
    </article>
  );
}

function Decide({ change, again }: { readonly change: OneChange; readonly again: () => void }) {
  const session = useSession();
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState<'sign' | 'deny' | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  if (!change.maySign) return <p className="state">You may look, and your role ({session.roles.join(', ')}) does not change the policy.</p>;
  const act = async (what: 'sign' | 'deny'): Promise<void> => {
    setBusy(what);
    setFailure(null);
    const id = newId(session.nowMs());
    try {
      if (what === 'deny') await signAndSend('denials', { id, change: change.id, reason: reason.trim() }, session);
      else {
        await signAndSend('releases', {
          id, version: change.next, digest: change.digest, previous: change.previous, effective: 'now', reason: reason.trim(),
        }, session, change.id);
      }
      again();
    } catch (cause) {
      // Said below; the change still waits.
      setFailure(cause instanceof Error ? cause : new Error('unknown'));
    } finally {
      setBusy(null);
    }
  };
  const ready = reason.trim().length >= 3 && busy === null;
  return (
    <section className="decide" aria-labelledby="decide">
      <h3 id="decide">Your decision</h3>
      {change.own && <p className="state"><Code code="OVERSIGHT_APPROVAL_OWN_CAUSE" /></p>}
      <label htmlFor="reason">What did you check, and what did you find? It is signed and goes on record.</label>
      <input id="reason" value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      <div className="actions">
        <button type="button" className="primary" disabled={!ready || change.own || change.cannot !== null} onClick={() => void act('sign')}>
          {busy === 'sign' ? 'Waiting for the passkey …' : `Sign version ${change.next}`}</button>
        <button type="button" className="danger" disabled={!ready} onClick={() => void act('deny')}>{busy === 'deny' ? 'Waiting for the passkey …' : 'Deny'}</button>
      </div>
      {reason.trim().length < 3 && <p className="quiet">Say what you checked to decide.</p>}
      {failure !== null && <ActionFailed failure={failure} />}
    </section>
  );
}
