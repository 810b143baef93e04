// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { useView } from '../api.ts';
import { newId, signAndSend } from '../passkey.ts';
import { Chip, Confirm, Empty, Id, Page, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { SearchBox } from '../search-box.tsx';
import { useSession } from '../session.tsx';

type Summary = {
  readonly name: string; readonly role: string; readonly sponsor: string | null; readonly spiffeId: string | null;
  readonly isolation: string | null; readonly connectedSince: number | null; readonly expiresAt: number | null;
  readonly revoked: boolean; readonly children: readonly string[];
  readonly phase?: string; readonly breaker?: string;
};
type Shown = Summary & {
  readonly zone: string; readonly clearance: string; readonly tools: readonly string[]; readonly originator: boolean;
  readonly breaker: string;
  readonly oispec: { readonly id: string; readonly version: string; readonly goal: string } | null;
  readonly revocations: readonly { readonly id: string; readonly op: string; readonly at: number; readonly target: { readonly kind: string; readonly value: string } }[];
  readonly certificates: readonly { readonly thumbprint: string; readonly spiffeId: string; readonly expiresAt: number; readonly revoked: boolean }[];
};
type Mandate = {
  readonly id: string; readonly task: string; readonly sponsor: string; readonly depth: number; readonly path: readonly string[];
  readonly rights: readonly string[]; readonly expiresAt: number; readonly revoked: boolean;
};

export function Agents({ id, query }: { readonly id: string | null; readonly query: URLSearchParams }) {
  return id === null ? <List query={query} /> : <One name={id} />;
}

function List({ query }: { readonly query: URLSearchParams }) {
  const search = query.get('search') ?? '';
  const loaded = useView<{ readonly total: number; readonly agents: readonly Summary[] }>(`/api/views/agents?search=${encodeURIComponent(search)}`, 5_000);
  return (
    <Page title="Agents" lead="Each with its own identity. An agent holds no key; its sidecar does.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/agents" query={query} placeholder="name, role, sponsor" />
      </form>
      <Waiting loaded={loaded} what="agents">
        {({ agents, total }) => agents.length === 0 ? <Empty>No agent matches.</Empty> : (
            <div className="scroll" tabIndex={0} role="region" aria-label="Agents">
              <table className="rows">
                <thead><tr><th>Agent</th><th>Role</th><th>State</th><th>Isolation</th><th>Certificate ends</th><th>Sponsor</th></tr></thead>
                <tbody>
                  {agents.map((agent) => (
                    <tr key={agent.name}>
                      <td><To place={`/agents/${encodeURIComponent(agent.name)}`}>{agent.name}</To></td>
                      <td>{agent.role.toLowerCase()}</td>
                      <td><State agent={agent} /></td>
                      <td className="wide">{agent.isolation ?? '–'}</td>
                      <td className="wide"><Time at={agent.expiresAt} /></td>
                      <td className="wide">{agent.sponsor ?? '–'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {total > agents.length && <p className="quiet">{(total - agents.length).toLocaleString()} more; narrow the search.</p>}
            </div>
        )}
      </Waiting>
    </Page>
  );
}

function State({ agent }: { readonly agent: Summary }) {
  if (agent.revoked) return <Chip tone="bad">revoked</Chip>;
  if (agent.phase !== undefined && agent.phase !== 'PRIMARY') return <Chip tone="bad">{agent.phase}</Chip>;
  return agent.connectedSince === null ? <Chip tone="warn">away</Chip> : <Chip tone="good">connected</Chip>;
}

function One({ name }: { readonly name: string }) {
  const loaded = useView<Shown>(`/api/views/agents/${encodeURIComponent(name)}`, 5_000);
  const mandates = useView<{ readonly mandates: readonly Mandate[] }>('/api/views/mandates', 10_000);
  return (
    <Page title={name} lead={<To place="/agents">All agents</To>}>
      <Waiting loaded={loaded} what="agent">
        {(agent) => (
          <>
            <section className="panel">
              <div className="panel-head"><h2>Who it is</h2><StopAgent agent={agent} again={loaded.again} /></div>
              <table className="facts"><tbody>
                <tr><th scope="row">State</th><td><State agent={agent} /> {agent.connectedSince !== null && <span className="quiet">since <Time at={agent.connectedSince} withDay /></span>}</td></tr>
                <tr><th scope="row">Role and zone</th><td>{agent.role.toLowerCase()} in {agent.zone}, cleared for {agent.clearance}{agent.originator && ', relays a person'}</td></tr>
                <tr><th scope="row">Identity</th><td>{agent.spiffeId === null ? '–' : <code>{agent.spiffeId}</code>}</td></tr>
                <tr><th scope="row">Isolation</th><td>{agent.isolation ?? '–'} {agent.isolation === 'none' && <span className="doubt-says">taken over, it could read its sidecar&apos;s key</span>}</td></tr>
                <tr><th scope="row">Tools</th><td>{agent.tools.join(', ') || 'none'}</td></tr>
                <tr><th scope="row">Sponsor</th><td>{agent.sponsor ?? 'nobody is named'}</td></tr>
                <tr><th scope="row">Breaker</th><td><Chip tone={agent.breaker === 'closed' ? 'good' : 'bad'}>{agent.breaker}</Chip></td></tr>
                <tr><th scope="row">Behaviour</th><td><To place={`/anomaly/${encodeURIComponent(name)}`}>Anomaly score and what is usual for it</To></td></tr>
                <tr><th scope="row">OISpec</th><td>{agent.oispec === null ? 'none' : <>{visible(agent.oispec.goal)} <span className="quiet">({agent.oispec.id}, version {agent.oispec.version})</span></>}</td></tr>
                {agent.children.length > 0 && <tr><th scope="row">Spawned</th><td>{agent.children.join(', ')}</td></tr>}
              </tbody></table>
            </section>
            <Certificates agent={agent} />
            <section className="panel" aria-labelledby="mandates">
              <h2 id="mandates">Mandates it is in</h2>
              <Waiting loaded={mandates} what="mandates">{(answer) => <Mandates agent={name} mandates={answer.mandates} />}</Waiting>
            </section>
          </>
        )}
      </Waiting>
    </Page>
  );
}

function Certificates({ agent }: { readonly agent: Shown }) {
  return (
    <section className="panel" aria-labelledby="certificates">
      <h2 id="certificates">Certificates and revocations</h2>
      {agent.certificates.length === 0 ? <Empty>No certificate of it is valid.</Empty> : (
        <ul className="plain-list">{agent.certificates.map(({ thumbprint, expiresAt, revoked }) => (
          <li key={thumbprint}><Id value={thumbprint} /> until <Time at={expiresAt} /> {revoked && <Chip tone="bad">revoked</Chip>}</li>
        ))}</ul>
      )}
      {agent.revocations.length > 0 && (
        <ul className="plain-list">{agent.revocations.map(({ id, op, at, target }) => (
          <li key={id}><strong>{op}</strong> {target.kind} <Time at={at} withDay /></li>
        ))}</ul>
      )}
    </section>
  );
}

function Mandates({ agent, mandates }: { readonly agent: string; readonly mandates: readonly Mandate[] }) {
  const own = mandates.filter(({ path }) => path.some((who) => who === `agent:${agent}` || who === agent));
  if (own.length === 0) return <Empty>No mandate that is on record names it.</Empty>;
  return (
    <ul className="plain-list">
      {own.slice(0, 50).map((mandate) => (
        <li key={mandate.id}>
          {mandate.path.map((who) => visible(who.replace('agent:', ''))).join(' → ')} <span className="quiet">until <Time at={mandate.expiresAt} />, {mandate.rights.map(visible).join('; ')}</span>{' '}
          {mandate.revoked && <Chip tone="bad">revoked</Chip>} <To place={`/trace/${encodeURIComponent(mandate.task)}`}>task</To>
        </li>
      ))}
    </ul>
  );
}

/** Revocation and its lifting: the stop for one agent. */
export function StopAgent({ agent, again }: {
  readonly agent: { readonly name: string; readonly revoked: boolean; readonly revocations?: Shown['revocations'] };
  readonly again: () => void;
}) {
  const session = useSession();
  const [asking, setAsking] = useState(false);
  if (!session.may('operate')) return null;
  const last = agent.revocations?.findLast(({ op, target }) => op === 'revoke' && target.kind === 'agent');
  if (agent.revoked && last === undefined) return <To place={`/agents/${encodeURIComponent(agent.name)}`}>Look, to let it join again</To>;
  const act = async (reason: string): Promise<void> => {
    await signAndSend('revocations', {
      id: newId(session.nowMs()), op: agent.revoked ? 'reinstate' : 'revoke',
      target: { kind: 'agent', value: agent.name }, lifts: agent.revoked ? (last?.id ?? null) : null, reason,
    }, session);
    again();
  };
  return (
    <>
      <button type="button" className={agent.revoked ? '' : 'danger'} onClick={() => setAsking(true)}>
        {agent.revoked ? `Let ${agent.name} join again` : `Revoke ${agent.name}`}
      </button>
      {asking && (
        <Confirm title={agent.revoked ? `Let ${agent.name} join again?` : `Revoke the identity of ${agent.name}?`} danger={!agent.revoked}
          verb={agent.revoked ? 'Let it join' : 'Revoke it now'} onClose={() => setAsking(false)} onConfirm={act}
          says={agent.revoked
            ? <p>It may enrol again with a new identity. What it was revoked for stays on record.</p>
            : <p>Its next action fails, within a second where it is connected. A call that its tool has already begun may end, and is reported.</p>} />
      )}
    </>
  );
}
