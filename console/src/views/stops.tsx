// SPDX-License-Identifier: Apache-2.0
import { useView } from '../api.ts';
import { Chip, Empty, Page, useOverview, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { useSession } from '../session.tsx';
import { StopAgent } from './agents.tsx';

type Agent = { readonly name: string; readonly role: string; readonly zone: string; readonly connected: boolean; readonly revoked: boolean; readonly breaker: string };

/** Who runs, who is stopped, and how to stop. */
export function Stops() {
  const overview = useOverview();
  const mesh = useView<{ readonly agents: readonly Agent[] }>('/api/views/mesh', 3_000);
  const session = useSession();
  return (
    <Page title="PACE and stops" lead="A stopped agent's next action fails: within a second where it is connected, within its lease where it is not.">
      <section className="panel">
        <h2>Phase</h2>
        <Waiting loaded={overview} what="the phase">
          {({ autonomyTier, mode }) => (
            <p><Chip tone="good">PRIMARY</Chip> The phase does not move by itself in this build: indicators are on record and move nothing.
              Autonomy tier {autonomyTier}, mode {mode}.</p>
          )}
        </Waiting>
      </section>
      <section className="panel" aria-labelledby="agents">
        <h2 id="agents">Stop one agent</h2>
        {!session.may('operate') && <p className="state">You may look; your role ({session.roles.join(', ')}) stops nothing.</p>}
        <Waiting loaded={mesh} what="agents">
          {({ agents }) => agents.length === 0 ? <Empty>The mesh file has no agents.</Empty> : (
            <ul className="stops">
              {agents.slice(0, 300).map((agent) => (
                <li key={agent.name} className={agent.revoked || agent.breaker === 'open' ? 'bad' : ''}>
                  <span><To place={`/agents/${encodeURIComponent(agent.name)}`}><strong>{agent.name}</strong></To> <span className="quiet">{agent.role.toLowerCase()}, {agent.zone}</span></span>
                  <span>
                    {agent.revoked ? <Chip tone="bad">revoked</Chip> : agent.connected ? <Chip tone="good">runs</Chip> : <Chip tone="warn">away</Chip>}
                    {agent.breaker !== 'closed' && <Chip tone="bad">breaker {agent.breaker}</Chip>}
                  </span>
                  <StopAgent agent={agent} again={mesh.again} />
                </li>
              ))}
            </ul>
          )}
        </Waiting>
      </section>
    </Page>
  );
}
