// SPDX-License-Identifier: Apache-2.0
import { useView } from '../api.ts';
import { Empty, lasting, Page, Time, Waiting } from '../parts.tsx';

type Costs = {
  readonly hops: number; readonly entries: number; readonly firstAt: number; readonly lastAt: number; readonly judged: number;
  readonly controls: readonly { readonly control: string; readonly verdicts: number; readonly tookUs: number }[];
  readonly controlsUs: number;
  readonly judgeOnEveryHop: { readonly lowMs: number; readonly highMs: number; readonly lowUsd: number; readonly highUsd: number };
};

const usd = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });

/** What the controls cost, beside what a judge on every hop would. */
export function Costs() {
  const loaded = useView<Costs>('/api/views/costs', 10_000);
  return (
    <Page title="Costs" lead="What reviewing costs in time and model calls, by the record, beside a judge on every hop.">
      <Waiting loaded={loaded} what="costs">
        {(costs) => costs.hops === 0 ? <Empty>No message has passed yet.</Empty> : (
          <>
            <ul className="tiles">
              <li className="tile good"><span className="tile-title">Ours, all hops together</span><strong>{lasting(costs.controlsUs / 1000)}</strong>
                <span className="tile-says">{costs.hops} hops, {costs.judged} judged</span></li>
              <li className="tile"><span className="tile-title">A judge on every hop</span><strong>{lasting(costs.judgeOnEveryHop.lowMs)} to {lasting(costs.judgeOnEveryHop.highMs)}</strong>
                <span className="tile-says">{usd.format(costs.judgeOnEveryHop.lowUsd)} to {usd.format(costs.judgeOnEveryHop.highUsd)}, by the framework&apos;s figures</span></li>
            </ul>
            <section className="panel">
              <h2>By control</h2>
              <table className="rows">
                <thead><tr><th>Control</th><th>Verdicts</th><th>Time</th><th>Each</th></tr></thead>
                <tbody>{costs.controls.map(({ control, verdicts, tookUs }) => (
                  <tr key={control}><td>{control}</td><td className="number">{verdicts}</td><td className="number">{lasting(tookUs / 1000)}</td>
                    <td className="number">{(tookUs / 1000 / verdicts).toFixed(2)} ms</td></tr>
                ))}</tbody>
              </table>
              <p className="quiet">Over the newest {costs.entries.toLocaleString()} entries, from <Time at={costs.firstAt} withDay /> to <Time at={costs.lastAt} withDay />. Controls run side by side, so their times add up to more than a message waits. Money of judges stands in the trace of each request they ruled on.</p>
            </section>
          </>
        )}
      </Waiting>
    </Page>
  );
}
