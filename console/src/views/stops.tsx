// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { useView } from '../api.ts';
import { newId, signAndSend } from '../passkey.ts';
import { Chip, Confirm, Empty, Page, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { useSession } from '../session.tsx';
import { StopAgent } from './agents.tsx';

type Agent = { readonly name: string; readonly role: string; readonly zone: string; readonly connected: boolean; readonly revoked: boolean; readonly breaker: string };
type Pace = {
  readonly units: readonly { readonly unit: string; readonly phase: string; readonly since: number; readonly code: string | null; readonly by: string }[];
  readonly stops: readonly { readonly id: string; readonly kind: string; readonly unit: string; readonly by: string; readonly at: number; readonly stage: string; readonly endsAt: number | null }[];
  readonly agents: readonly { readonly agent: string; readonly phase: string; readonly allows: string; readonly draining: boolean }[];
};
type Order = { readonly op: 'kill' | 'halt'; readonly unit: { readonly kind: string; readonly value: string } }
  | { readonly op: 'confirm' | 'decline' | 'resume'; readonly stop: string };

const mesh = { kind: 'mesh', value: 'mesh' } as const;

/** The phase of every unit, who runs, who is stopped, and the two ways to stop. */
export function Stops() {
  const pace = useView<Pace>('/api/views/pace', 2_000);
  const agents = useView<{ readonly agents: readonly Agent[] }>('/api/views/mesh', 3_000);
  return (
    <Page title="PACE and stops" lead="Kill: nothing acts any more, within a second. Halt: what was begun may end, and nothing new begins, until people resume it.">
      <section className="panel" aria-labelledby="phases">
        <div className="panel-head">
          <h2 id="phases">Phases</h2>
          <span className="actions">
            <OrderButton verb="Halt the mesh" order={{ op: 'halt', unit: mesh }} again={pace.again}
              says="What was begun may end; nothing new begins in the whole mesh." />
            <OrderButton verb="Kill the mesh" order={{ op: 'kill', unit: mesh }} again={pace.again} danger
              says="Nothing in the whole mesh acts any more, within a second. Agents have to be led back one by one, with evidence." />
          </span>
        </div>
        <Waiting loaded={pace} what="the phases">{(shown) => <Phases pace={shown} again={pace.again} />}</Waiting>
      </section>
      <section className="panel" aria-labelledby="agents">
        <h2 id="agents">Agents</h2>
        <Waiting loaded={agents} what="agents">
          {({ agents: all }) => all.length === 0 ? <Empty>The mesh file has no agents.</Empty> : (
            <ul className="stops">
              {all.slice(0, 300).map((agent) => <Row key={agent.name} agent={agent} pace={pace.value} again={() => {
                agents.again();
                pace.again();
              }} />)}
            </ul>
          )}
        </Waiting>
      </section>
    </Page>
  );
}

function Phases({ pace, again }: { readonly pace: Pace; readonly again: () => void }) {
  const moved = pace.units.filter(({ phase }) => phase !== 'PRIMARY');
  return (
    <>
      {moved.length === 0 && pace.stops.length === 0 && <p><Chip tone="good">PRIMARY</Chip> Everything is as usual.</p>}
      <ul className="plain-list">
        {moved.map(({ unit, phase, since, code, by }) => (
          <li key={unit}><Chip tone={phase === 'ALTERNATE' ? 'warn' : 'bad'}>{phase}</Chip> <strong>{visible(unit)}</strong>{' '}
            since <Time at={since} withDay /> by {visible(by)} {code !== null && <code>{code}</code>}</li>
        ))}
        {pace.stops.map((stop) => (
          <li key={stop.id}><Chip tone="bad">{stop.kind}, {stop.stage}</Chip> <strong>{visible(stop.unit)}</strong> by {visible(stop.by)} <Time at={stop.at} withDay />{' '}
            {stop.stage === 'suspended' && (
              <>
                <OrderButton verb="Confirm it" order={{ op: 'confirm', stop: stop.id }} again={again} danger says="The stop of another operator holds for good." />{' '}
                <OrderButton verb="Decline it" order={{ op: 'decline', stop: stop.id }} again={again} says="The stop of another operator is lifted." />
              </>
            )}
            {stop.kind === 'halt' && <OrderButton verb="Resume" order={{ op: 'resume', stop: stop.id }} again={again} says="Work goes on where it was." />}
          </li>
        ))}
      </ul>
    </>
  );
}

function Row({ agent, pace, again }: { readonly agent: Agent; readonly pace: Pace | null; readonly again: () => void }) {
  const at = pace?.agents.find((one) => one.agent === agent.name) ?? null;
  const unit = { kind: 'agent', value: agent.name };
  const isDown = agent.revoked || agent.breaker === 'open' || at?.phase === 'EMERGENCY';
  return (
    <li className={isDown ? 'bad' : ''}>
      <span><To place={`/agents/${encodeURIComponent(agent.name)}`}><strong>{agent.name}</strong></To> <span className="quiet">{agent.role.toLowerCase()}, {agent.zone}</span></span>
      <span>
        {agent.revoked ? <Chip tone="bad">revoked</Chip> : agent.connected ? <Chip tone="good">runs</Chip> : <Chip tone="warn">away</Chip>}
        {at !== null && <Chip tone={at.phase === 'PRIMARY' ? 'plain' : 'bad'}>{at.phase}, may do {at.allows}{at.draining && ', draining'}</Chip>}
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

function OrderButton({ verb, order, says, again, danger = false }: {
  readonly verb: string; readonly order: Order; readonly says: string; readonly again: () => void; readonly danger?: boolean;
}) {
  const session = useSession();
  const [asking, setAsking] = useState(false);
  if (!session.may('stop')) return null;
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
