// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from 'react';
import type { JsonObject } from '../../../src/message/json.ts';
import { useView } from '../api.ts';
import { newId, signAndSend } from '../passkey.ts';
import { Chip, Code, Confirm, Empty, Page, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { SearchBox } from '../search-box.tsx';
import { useSession, type Right } from '../session.tsx';
import { StopAgent } from './agents.tsx';

type Agent = {
  readonly name: string; readonly role: string; readonly zone: string | null; readonly connectedSince: number | null; readonly revoked: boolean;
  readonly breaker: string; readonly phase: string; readonly allows: string; readonly draining: boolean;
};
type Unit = {
  readonly unit: string; readonly phase: string; readonly since: number; readonly incident: string | null; readonly code: string | null; readonly by: string;
};
type Call = { readonly agent: string; readonly tool: string; readonly operation: string };
type Pace = {
  readonly units: readonly Unit[];
  readonly stops: readonly { readonly id: string; readonly kind: string; readonly unit: string; readonly by: string; readonly at: number; readonly stage: string; readonly endsAt: number | null }[];
  readonly reports: readonly {
    readonly stop: string; readonly stopKind: string; readonly unit: string; readonly agents: number; readonly connected: number; readonly confirmed: number;
    readonly aborted?: readonly Call[]; readonly mayGoOn?: readonly Call[]; readonly silent?: readonly string[];
  }[];
  readonly workflows: readonly { readonly workflow: string; readonly phase: string; readonly because: readonly string[] }[];
  readonly rollback: readonly Undo[];
  readonly observer: { readonly consents: boolean; readonly heardAt: number | null; readonly test: Test | null } | null;
};
type Undo = {
  readonly request: string; readonly action: string; readonly executor: string; readonly requester: string; readonly undo: string | null;
  readonly state: string; readonly code: string | null; readonly at: number; readonly incident: string;
};
type Test = { readonly at: number; readonly made: number; readonly missed: readonly string[] };

const mesh = { kind: 'mesh', value: 'mesh' } as const;

/** The phase of every unit, who runs, who is stopped, the two ways to stop, and the way back. */
export function Stops({ query }: { readonly query: URLSearchParams }) {
  const search = query.get('search') ?? '';
  const pace = useView<Pace>('/api/views/pace', 2_000);
  const agents = useView<{ readonly total: number; readonly agents: readonly Agent[] }>(`/api/views/agents?search=${encodeURIComponent(search)}`, 3_000);
  const again = (): void => {
    agents.again();
    pace.again();
  };
  return (
    <Page title="PACE and stops" lead="Kill: nothing acts any more, within a second. Halt: what was begun may end, and nothing new begins, until people resume it.">
      <section className="panel" aria-labelledby="phases">
        <div className="panel-head">
          <h2 id="phases">Phases</h2>
          <span className="actions">
            <OrderButton verb="Halt the mesh" order={{ op: 'halt', unit: mesh }} again={again}
              says="What was begun may end; nothing new begins in the whole mesh." />
            <OrderButton verb="Kill the mesh" order={{ op: 'kill', unit: mesh }} again={again} danger
              says="Nothing in the whole mesh acts any more, within a second. A second person confirms it. Everything has to be led back with evidence." />
          </span>
        </div>
        <Waiting loaded={pace} what="the phases">{(shown) => <Phases pace={shown} again={again} />}</Waiting>
        <details><summary>What the phases mean</summary><Meaning /></details>
      </section>
      {pace.value !== null && pace.value.reports.length > 0 && <Reports pace={pace.value} />}
      {pace.value !== null && pace.value.rollback.length > 0 && <Rollback pace={pace.value} />}
      <section className="panel" aria-labelledby="agents">
        <h2 id="agents">Agents</h2>
        <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <SearchBox path="/stops" query={query} label="Find an agent" />
        </form>
        <Waiting loaded={agents} what="agents">
          {({ agents: all, total }) => all.length === 0 ? <Empty>{search === '' ? 'The mesh file has no agents.' : 'No agent matches.'}</Empty> : (
            <>
              <ul className="stops">{all.map((agent) => <Row key={agent.name} agent={agent} again={again} />)}</ul>
              {total > all.length && <p className="quiet">and {(total - all.length).toLocaleString()} more: find them by name</p>}
            </>
          )}
        </Waiting>
      </section>
    </Page>
  );
}

function Meaning() {
  return (
    <table className="facts"><tbody>
      <tr><th scope="row">PRIMARY</th><td>Works as usual.</td></tr>
      <tr><th scope="row">ALTERNATE</th><td>An agent is off the bus and its tools; in a workflow every write waits for a person.</td></tr>
      <tr><th scope="row">CONTINGENCY</th><td>Stopped, but for one supervised agent of a workflow. People lead it back.</td></tr>
      <tr><th scope="row">EMERGENCY</th><td>Ended, its identity revoked. The risk owner leads it back, with root cause, remediation and new baselines.</td></tr>
    </tbody></table>
  );
}

function Phases({ pace, again }: { readonly pace: Pace; readonly again: () => void }) {
  const moved = pace.units.filter(({ phase }) => phase !== 'PRIMARY');
  return (
    <>
      {moved.length === 0 && pace.stops.length === 0 && <p><Chip tone="good">PRIMARY</Chip> Everything is as usual.</p>}
      <ul className="plain-list">
        {moved.map((unit) => (
          <li key={unit.unit}><Chip tone={unit.phase === 'ALTERNATE' ? 'warn' : 'bad'}>{unit.phase}</Chip> <strong>{unitText(unit.unit)}</strong>{' '}
            since <Time at={unit.since} withDay /> by {visible(unit.by)}. {unit.code !== null && <Code code={unit.code} />}{' '}
            <LeadBack unit={unit} again={again} /></li>
        ))}
        {pace.workflows.filter(({ phase, because }) => phase !== 'PRIMARY' && because.length > 0).map(({ workflow, phase, because }) => (
          <li key={workflow}><Chip tone={phase === 'ALTERNATE' ? 'warn' : 'bad'}>{phase}</Chip> <strong>workflow:{visible(workflow)}</strong>{' '}
            because of {because.map(unitText).join(', ')}</li>
        ))}
        {pace.stops.map((stop) => (
          <li key={stop.id}><Chip tone="bad">{stop.kind}, {stop.stage}</Chip> <strong>{unitText(stop.unit)}</strong> by {visible(stop.by)} <Time at={stop.at} withDay />{' '}
            {stop.endsAt !== null && <span className="quiet">goes on by itself at <Time at={stop.endsAt} /> </span>}
            {(stop.stage === 'suspended' || stop.stage === 'asked') && (
              <>
                <OrderButton verb="Confirm it" order={{ op: 'confirm', stop: stop.id }} again={again} danger says="The stop of another operator holds for good." />{' '}
                <OrderButton verb="Decline it" order={{ op: 'decline', stop: stop.id }} again={again} says="The stop of another operator is lifted." />
              </>
            )}
            {stop.kind === 'halt' && <OrderButton verb="Resume" order={{ op: 'resume', stop: stop.id }} again={again} says="Work goes on where it was." />}
          </li>
        ))}
      </ul>
      <p><To place="/log?kind=pace.changed">Every change on record</To>, with who ordered it and the evidence.</p>
      <Observer says={pace.observer} />
    </>
  );
}

/** What the observer last said of the mesh, and of itself. */
function Observer({ says }: { readonly says: Pace['observer'] }) {
  if (says === null) return <p><Chip>no observer</Chip> Nobody outside the node watches over these phases.</p>;
  const { consents, heardAt, test } = says;
  return (
    <p><Chip tone={consents ? 'good' : 'bad'}>{consents ? 'observer consents' : 'observer does not consent'}</Chip>{' '}
      {heardAt === null ? 'Not heard of yet.' : <>Last heard <Time at={heardAt} withDay />.</>}{' '}
      {test === null ? 'No self-test is on record yet.' : (
        <><To place="/log?kind=observer.tested">Self-test</To> <Time at={test.at} withDay />: {test.made - test.missed.length} of {test.made} made-up
          anomalies found{test.missed.length > 0 && <span className="doubt-says">, missed: {test.missed.map(visible).join(', ')}</span>}.</>
      )}</p>
  );
}

const undoTones: { readonly [state: string]: 'good' | 'warn' | 'bad' } = { undone: 'good', waiting: 'warn' };
const undoSays: { readonly [state: string]: string } = { people: 'left to people', 'in-doubt': 'in doubt' };

/** What emergencies undo, call by call, and what is left to people. */
function Rollback({ pace: { rollback } }: { readonly pace: Pace }) {
  const open = rollback.filter(({ state }) => state !== 'undone').length;
  return (
    <section className="panel" aria-labelledby="rollback">
      <h2 id="rollback">What is undone</h2>
      <p className="quiet">{rollback.length - open} of {rollback.length} undone; {open === 0 ? 'nothing is left.' : `${open} wait, failed, or are left to people.`}</p>
      <ul className="plain-list">{rollback.slice(0, undosShown).map((undo) => (
        <li key={`${undo.incident} ${undo.request}`}><Chip tone={undoTones[undo.state] ?? 'bad'}>{undoSays[undo.state] ?? undo.state}</Chip>{' '}
          <To place={`/trace/${encodeURIComponent(undo.request)}`}><strong>{visible(undo.action)}</strong></To> by {visible(undo.executor)} for {visible(undo.requester)},
          done <Time at={undo.at} withDay />. {undo.undo === null ? 'Nothing is declared that undoes it.' : <>Undone by {visible(undo.undo)}.</>}{' '}
          {undo.code !== null && <Code code={undo.code} />}</li>
      ))}</ul>
      {rollback.length > undosShown && <p className="quiet">and {rollback.length - undosShown} more: maso pace rollback</p>}
    </section>
  );
}

const undosShown = 50;

/** The mesh has no name beside its kind. */
function unitText(unit: string): string {
  return unit === 'mesh:mesh' ? 'the mesh' : visible(unit);
}

/** What each stop did: whose sidecar confirmed it, which calls it ended, which may go on. */
function Reports({ pace: { reports } }: { readonly pace: Pace }) {
  const calls = (all: readonly Call[] | undefined): string => (all ?? []).map(({ agent, tool, operation }) => `${agent}: ${tool}.${operation}`).join(', ');
  return (
    <section className="panel" aria-labelledby="reports">
      <h2 id="reports">What the stops did</h2>
      <ul className="plain-list">{reports.slice(-8).toReversed().map((report) => (
        <li key={report.stop}><strong>{report.stopKind}</strong> of {unitText(report.unit)}: {report.confirmed} of {report.connected} connected sidecars confirmed.{' '}
          {(report.aborted?.length ?? 0) > 0 && <>Aborted: {visible(calls(report.aborted))}. </>}
          {(report.mayGoOn?.length ?? 0) > 0 && <span className="doubt-says">May still finish: {visible(calls(report.mayGoOn))}. </span>}
          {(report.silent?.length ?? 0) > 0 && <span className="doubt-says">Not heard of: {report.silent?.map(visible).join(', ')}.</span>}</li>
      ))}</ul>
    </section>
  );
}

function Row({ agent, again }: { readonly agent: Agent; readonly again: () => void }) {
  const unit = { kind: 'agent', value: agent.name };
  const isDown = agent.revoked || agent.breaker === 'open' || agent.phase !== 'PRIMARY';
  return (
    <li className={isDown ? 'bad' : ''}>
      <span><To place={`/agents/${encodeURIComponent(agent.name)}`}><strong>{agent.name}</strong></To> <span className="quiet">{agent.role.toLowerCase()}, {agent.zone}</span></span>
      <span>
        {agent.revoked ? <Chip tone="bad">revoked</Chip> : agent.connectedSince !== null ? <Chip tone="good">connected</Chip> : <Chip tone="warn">away</Chip>}
        <Chip tone={agent.phase === 'PRIMARY' ? 'plain' : 'bad'}>{agent.phase}, may do {agent.allows}{agent.draining && ', draining'}</Chip>
        {agent.breaker !== 'closed' && <Chip tone="bad">breaker {agent.breaker}</Chip>}
      </span>
      <span className="actions">
        <OrderButton verb={`Halt ${agent.name}`} order={{ op: 'halt', unit }} again={again} says="What it has begun may end; nothing new begins." />
        <OrderButton verb={`Kill ${agent.name}`} order={{ op: 'kill', unit }} again={again} danger says="It acts no more, within a second, and has to be led back with evidence." />
        <StopAgent agent={agent} again={again} />
      </span>
    </li>
  );
}

function OrderButton({ verb, order, says, again, danger = false, right = 'stop' }: {
  readonly verb: string; readonly order: JsonObject; readonly says: string; readonly again: () => void; readonly danger?: boolean; readonly right?: Right;
}) {
  const session = useSession();
  const [asking, setAsking] = useState(false);
  if (!session.may(right)) return null;
  const act = async (reason: string): Promise<void> => {
    await signAndSend('pace', { id: newId(session.nowMs()), order, reason }, session);
    again();
  };
  return (
    <>
      <button type="button" className={danger ? 'danger' : ''} onClick={() => setAsking(true)}>{verb}</button>
      {asking && <Confirm title={`${verb}?`} verb={verb} danger={danger} says={<p>{says}</p>} onClose={() => setAsking(false)} onConfirm={act} />}
    </>
  );
}

const evidenceFields = [
  ['rootCause', 'Root cause', 'What put it there? What did it read or do?'],
  ['remediation', 'Remediation', 'What was changed so that it does not happen again?'],
  ['baselines', 'Baselines', 'Which baselines were taken anew, and when?'],
] as const;
type Evidence = { readonly [field in (typeof evidenceFields)[number][0]]: string };

/** One step back, with evidence that is signed for this very incident. */
function LeadBack({ unit, again }: { readonly unit: Unit; readonly again: () => void }) {
  const session = useSession();
  const field = useId();
  const [asking, setAsking] = useState(false);
  const [evidence, setEvidence] = useState<Evidence>({ rootCause: '', remediation: '', baselines: '' });
  if (!session.may('recover')) return null;
  const [kind = '', value = ''] = unit.unit.split(/:(.*)/s);
  const isEnded = unit.phase === 'EMERGENCY';
  const to = unit.phase === 'CONTINGENCY' ? 'ALTERNATE' : 'PRIMARY';
  const said = (name: keyof Evidence): boolean => evidence[name].trim() !== '';
  const act = async (reason: string): Promise<void> => {
    const order = { op: 'recover', unit: { kind, value }, incident: unit.incident ?? '', evidence };
    await signAndSend('pace', { id: newId(session.nowMs()), order, reason }, session);
    again();
  };
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>Lead {unit.unit} back …</button>
      {asking && (
        <Confirm title={`Lead ${unit.unit} back to ${to}?`} verb={`Lead it back to ${to}`} onClose={() => setAsking(false)} onConfirm={act}
          ready={said('rootCause') && said('remediation') && (!isEnded || said('baselines'))}
          says={(
            <>
              <p>It goes one step, from {unit.phase} to {to}, and the order holds for this incident only. What you write here is signed and stays on record.
                {isEnded && ' Its agents come back as new instances; what they were revoked for stays on record.'}</p>
              {evidenceFields.map(([name, title, asks]) => (
                <p key={name}><label htmlFor={`${field}-${name}`}>{title}{name === 'baselines' && !isEnded && ' (where some were)'}: {asks}</label>
                  <input id={`${field}-${name}`} value={evidence[name]} maxLength={500} onChange={(event) => setEvidence({ ...evidence, [name]: event.target.value })} /></p>
              ))}
            </>
          )} />
      )}
    </>
  );
}
