// SPDX-License-Identifier: Apache-2.0
import type { Signal, SignalId } from '../../../src/oversight/fatigue.ts';
import { useView } from '../api.ts';
import { Chip, lasting, Time, visible, Waiting } from '../parts.tsx';

type People = {
  readonly operators: readonly { readonly name: string; readonly roles: readonly string[] }[];
  readonly signals: readonly Signal[];
  readonly probesPerDay: number;
  readonly standing: readonly {
    readonly id: string; readonly action: string; readonly requester: string; readonly until: number; readonly by: string; readonly reason: string;
    readonly where: readonly { readonly name: string; readonly within: string }[];
  }[];
};

const words: { readonly [id in SignalId]: readonly [name: string, says: string] } = {
  'time-to-decide': ['Time to decide', 'Half decide faster than this. Under 3 s is red, under 30 s or over 5 min amber.'],
  'probes-missed': ['Probes let through', 'Cases with a value that no source gave. Over 30 % is red; over 15 %, or 10 % of HIGH or 5 % of CRITICAL ones, amber.'],
  'approval-ratio': ['Approved', 'Of all decisions. Over 98 % is red.'],
  'challenge-rate': ['Challenged', 'Denied, modified or escalated. None at all is red, under 5 % amber.'],
  'reasons-repeated': ['Same reason again', 'Word for word, by one person. Over half is red.'],
  disagreement: ['Reviewers disagree', 'On questions that two people decided, one card or equal ones. Over 40 % is red, over 15 % amber: they should agree on 85 %.'],
  load: ['Most by one person', 'Share of decisions of the busiest. Over 60 % is amber.'],
  undecided: ['Nobody decided', 'Held actions that ran out. Any is amber.'],
  shift: ['Longest shift', 'One person deciding without a pause of half an hour. Over 4 h is amber.'],
  'ratio-drift': ['Approved, against before', 'How far the share is from that of the time before. Over 10 points is amber.'],
};

/** Whether the people who decide still look, and what was approved ahead. */
export function Reviewers() {
  const loaded = useView<People>('/api/views/people', 15_000);
  return (
    <>
      <details className="panel">
        <summary><h2>Are the reviewers still looking?</h2></summary>
        <Waiting loaded={loaded} what="the reviewers">
          {({ signals, operators, probesPerDay }) => (
            <>
              <p className="quiet">Over seven days. Feedback is at once: whoever answers a probe is told, and each trace shows what became of a decision. {probesPerDay === 0 ? 'No probes are planted; oversight.probes_per_day in the mesh file turns them on.' : `About ${probesPerDay} probes a day are planted.`}</p>
              <div className="scroll" tabIndex={0} role="region" aria-label="Signals of fatigue">
                <table className="rows">
                  <thead><tr><th>Signal</th><th>Level</th><th>Value</th><th>Over</th><th>What it means</th></tr></thead>
                  <tbody>
                    {signals.map(({ id, level, value, count, operator }) => (
                      <tr key={id}>
                        <td>{words[id][0]}</td>
                        <td><Chip tone={level === 'red' ? 'bad' : level === 'amber' ? 'warn' : level === 'green' ? 'good' : 'plain'}>{level === 'none' ? 'too few' : level}</Chip></td>
                        <td className="number">{value === null ? '–' : id === 'time-to-decide' || id === 'shift' ? lasting(value) : `${Math.round(value * 100)} %`}{operator !== null && ` (${operator})`}</td>
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
      <Standing people={loaded.value} />
    </>
  );
}

/** Approvals given ahead: narrow, signed with the mesh file, and ending. */
function Standing({ people }: { readonly people: People | null }) {
  if (people === null || people.standing.length === 0) return null;
  return (
    <details className="panel">
      <summary><h2>Approved ahead: {people.standing.length}</h2></summary>
      <p className="quiet">Standing approvals of the mesh file. What a control escalates, and what is CRITICAL, is asked all the same.</p>
      <ul className="plain-list">{people.standing.map(({ id, action, requester, until, by, reason, where }) => (
        <li key={id}><strong>{action}</strong> for {requester}, {where.map(({ name, within }) => `${name} ${within}`).join(', ')}{' '}
          <span className="quiet">by {by} until <Time at={until} withDay />: {visible(reason)}</span></li>
      ))}</ul>
    </details>
  );
}
