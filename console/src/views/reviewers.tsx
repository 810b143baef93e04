// SPDX-License-Identifier: Apache-2.0
import type { Signal, SignalId } from '../../../src/oversight/fatigue.ts';
import { useView } from '../api.ts';
import { Chip, lasting, Waiting } from '../parts.tsx';

type People = {
  readonly operators: readonly { readonly name: string; readonly roles: readonly string[] }[];
  readonly signals: readonly Signal[];
  readonly probesPerDay: number;
};

const words: { readonly [id in SignalId]: readonly [name: string, says: string] } = {
  'time-to-decide': ['Time to decide', 'Half decide faster than this. Under 3 s is red, under 30 s or over 5 min amber.'],
  'probes-missed': ['Probes let through', 'Cases with a value that no source gave. Over 30 % is red, over 15 % amber.'],
  'approval-ratio': ['Approved', 'Of all decisions. Over 98 % is red.'],
  'challenge-rate': ['Challenged', 'Denied, modified or escalated. None at all is red, under 5 % amber.'],
  'reasons-repeated': ['Same reason again', 'Word for word, by one person. Over half is red.'],
  disagreement: ['Reviewers disagree', 'On questions that two people decided, one card or equal ones. Over 40 % is red, over 15 % amber: they should agree on 85 %.'],
  load: ['Most by one person', 'Share of decisions of the busiest. Over 60 % is amber.'],
  undecided: ['Nobody decided', 'Held actions that ran out. Any is amber.'],
};

/** Whether the people who decide still look. */
export function Reviewers() {
  const loaded = useView<People>('/api/views/people', 15_000);
  return (
    <details className="panel">
      <summary><h2>Are the reviewers still looking?</h2></summary>
      <Waiting loaded={loaded} what="the reviewers">
        {({ signals, operators, probesPerDay }) => (
          <>
            <p className="quiet">Over seven days. {probesPerDay === 0 ? 'No probes are planted; oversight.probes_per_day in the mesh file turns them on.' : `About ${probesPerDay} probes a day are planted.`}</p>
            <div className="scroll" tabIndex={0} role="region" aria-label="Signals of fatigue">
              <table className="rows">
                <thead><tr><th>Signal</th><th>Level</th><th>Value</th><th>Over</th><th>What it means</th></tr></thead>
                <tbody>
                  {signals.map(({ id, level, value, count, operator }) => (
                    <tr key={id}>
                      <td>{words[id][0]}</td>
                      <td><Chip tone={level === 'red' ? 'bad' : level === 'amber' ? 'warn' : level === 'green' ? 'good' : 'plain'}>{level === 'none' ? 'too few' : level}</Chip></td>
                      <td className="number">{value === null ? '–' : id === 'time-to-decide' ? lasting(value) : `${Math.round(value * 100)} %`}{operator !== null && ` (${operator})`}</td>
                      <td className="number">{count}</td>
                      <td className="quiet">{words[id][1]}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <p>{operators.map(({ name, roles }) => <Chip key={name}>{name}: {roles.join(', ')}</Chip>)}</p>
          </>
        )}
      </Waiting>
    </details>
  );
}
