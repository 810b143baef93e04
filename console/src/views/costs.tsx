// SPDX-License-Identifier: Apache-2.0
import type { MeshCost } from '../../../src/recorder/mesh-costs.ts';
import type { NaiveCost, TaskLedger } from '../../../src/recorder/task-ledger.ts';
import { useView } from '../api.ts';
import { Empty, Id, lasting, Outcome, Page, Read, Time, visible, Waiting, type ReadSoFar } from '../parts.tsx';
import { To } from '../router.tsx';

type Costs = MeshCost & { readonly read: ReadSoFar };

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', minimumFractionDigits: 2, maximumFractionDigits: 4 });
const usd = (micros: number): string => money.format(micros / 1e6);
const ms = (us: number): string => lasting(us / 1000);

/** The ledger: what the controls cost, beside what a judge on every hop would. */
export function Costs({ id }: { readonly id: string | null }) {
  return id === null ? <All /> : <OneTask id={id} />;
}

function All() {
  const loaded = useView<Costs>('/api/views/costs', 10_000);
  return (
    <Page title="Costs" lead="What reviewing costs in time, model calls and money, by the record, beside a judge on every hop.">
      <Waiting loaded={loaded} what="costs">
        {(costs) => costs.hops === 0 ? <Empty>No message has passed yet.</Empty> : (
          <>
            <ul className="tiles">
              <li className="tile good"><span className="tile-title">Ours, {costs.hops.toLocaleString()} hops together</span><strong>{ms(costs.controlsUs)}</strong>
                <span className="tile-says">{costs.judge.calls} calls of a judge, {costs.judge.tokens.toLocaleString()} tokens, {usd(costs.judge.micros)}</span></li>
              <li className="tile good"><span className="tile-title">Ours, each hop</span><strong>{(costs.controlsUs / 1000 / costs.hops).toFixed(1)} ms</strong>
                <span className="tile-says">{(100 * costs.judge.calls / costs.hops).toFixed(1)} % of hops judged</span></li>
              <li className="tile"><span className="tile-title">A judge on every hop</span><strong>{range(costs.naive, lasting, 'Ms')}</strong>
                <span className="tile-says">{range(costs.naive, usd, 'Micros')}; {basisOf(costs.naive)}</span></li>
              <li className="tile"><span className="tile-title">People</span><strong>{costs.people.held} asked</strong>
                <span className="tile-says">{costs.people.decided} decisions; {costs.tools.calls} tool calls</span></li>
            </ul>
            <ControlTable rows={costs.controls} />
            <section className="panel" aria-labelledby="tasks">
              <h2 id="tasks">Tasks that moved last</h2>
              <ul className="plain-list">{costs.tasks.map((task) => (
                <li key={task}><To place={`/costs/${encodeURIComponent(task)}`}>Ledger of <Id value={task} /></To> <To place={`/trace/${encodeURIComponent(task)}`}>trace</To></li>
              ))}</ul>
            </section>
            <p className="quiet">From <Time at={costs.firstAt} withDay /> to <Time at={costs.lastAt} withDay />. Controls run side by side, so their times add up to more than a message waits.</p>
            <Read read={costs.read} />
          </>
        )}
      </Waiting>
    </Page>
  );
}

function OneTask({ id }: { readonly id: string }) {
  const loaded = useView<TaskLedger>(`/api/views/costs/${encodeURIComponent(id)}`, 10_000);
  return (
    <Page title="Ledger of a task" lead={<To place="/costs">Costs of the mesh</To>}>
      <Waiting loaded={loaded} what="task">
        {(task) => (
          <>
            <ul className="tiles">
              <li className="tile good"><span className="tile-title">Ours, {task.hops.length} hops</span><strong>{ms(task.hopsUs)}</strong>
                <span className="tile-says">{task.judge.calls} calls of a judge, {task.judge.callsOnPath} waited for, {usd(task.judge.micros)}</span></li>
              <li className="tile"><span className="tile-title">A judge on every hop</span><strong>{range(task.naive, lasting, 'Ms')}</strong>
                <span className="tile-says">{range(task.naive, usd, 'Micros')}; {basisOf(task.naive)}</span></li>
              <li className="tile"><span className="tile-title">Agents&apos; own models</span><strong>{task.models.calls} calls</strong>
                <span className="tile-says">{task.models.tokens.toLocaleString()} tokens, {usd(task.models.micros)}</span></li>
              <li className="tile"><span className="tile-title">From first to last entry</span><strong>{lasting(task.elapsedMs)}</strong>
                <span className="tile-says">{task.tools.calls} tool calls, {task.people.held} held, {task.people.decided} decisions</span></li>
            </ul>
            <section className="panel" aria-labelledby="hops">
              <div className="panel-head"><h2 id="hops">Hops</h2><To place={`/trace/${encodeURIComponent(id)}`}>Its trace</To></div>
              <div className="scroll" tabIndex={0} role="region" aria-label="Hops">
                <table className="rows"><thead><tr><th>Time</th><th>Way</th><th>What</th><th>Took</th><th>Verdict</th></tr></thead>
                  <tbody>{task.hops.map((hop) => (
                    <tr key={hop.message}><td><Time at={hop.at} /></td><td>{visible(hop.from ?? '?')} → {visible(hop.to ?? '?')}</td>
                      <td><code>{visible(hop.schema ?? '')}</code></td><td className="number">{(hop.tookUs / 1000).toFixed(1)} ms</td><td><Outcome value={hop.outcome} /></td></tr>
                  ))}</tbody></table>
              </div>
            </section>
            <ControlTable rows={task.controls} />
          </>
        )}
      </Waiting>
    </Page>
  );
}

function ControlTable({ rows }: { readonly rows: MeshCost['controls'] }) {
  return (
    <section className="panel" aria-labelledby="controls">
      <h2 id="controls">By control</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Costs by control">
        <table className="rows keep">
          <thead><tr><th>Control</th><th>Runs</th><th>GO</th><th>ESCALATE</th><th>NO-GO</th><th>Time</th><th>Each</th><th>Tokens</th><th>Money</th></tr></thead>
          <tbody>{rows.map((row) => (
            <tr key={row.control}><td>{row.control}</td><td className="number">{row.runs}</td><td className="number">{row.go}</td><td className="number">{row.escalate}</td>
              <td className="number">{row.noGo}</td><td className="number">{ms(row.tookUs)}</td><td className="number">{(row.tookUs / 1000 / row.runs).toFixed(2)} ms</td>
              <td className="number">{row.tokens.toLocaleString()}</td><td className="number">{usd(row.micros)}</td></tr>
          ))}</tbody>
        </table>
      </div>
    </section>
  );
}

function range(naive: NaiveCost, text: (value: number) => string, unit: 'Ms' | 'Micros'): string {
  const [low, high] = [text(naive[`low${unit}`]), text(naive[`high${unit}`])];
  return low === high ? low : `${low} to ${high}`;
}

function basisOf({ basis }: NaiveCost): string {
  return basis === 'measured' ? 'by what the calls of this judge took' : 'by the framework\'s figures';
}
