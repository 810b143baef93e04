// SPDX-License-Identifier: Apache-2.0
import type { DecisionTrace, TraceVerdict } from '../../../src/recorder/decision-trace.ts';
import { Outcome, visible } from '../parts.tsx';

export type TraceDocument = DecisionTrace;

/** What each control said of a request where it was reviewed last, dissent and silence included. */
export function Verdicts({ trace, message }: { readonly trace: TraceDocument; readonly message: string }) {
  const reviewed = trace.maso.steps.findLast((step) => step.kind === 'request.reviewed' && step.message === message)
    ?? trace.maso.steps.findLast((step) => step.verdicts.length > 0);
  const verdicts = reviewed?.verdicts ?? [];
  const outcomes = new Set(verdicts.map(({ outcome }) => outcome));
  const silent = ['model-as-judge', 'semantic-firewall', 'scanner'].filter((name) => !verdicts.some(({ control }) => control === name));
  return (
    <>
      {outcomes.size > 1 && <p className="state warn">The controls disagree. The most restrictive one counts.</p>}
      <VerdictTable verdicts={verdicts} />
      {silent.length > 0 && <p className="quiet">Not heard here: {silent.join(', ')}.</p>}
    </>
  );
}

export function VerdictTable({ verdicts }: { readonly verdicts: readonly TraceVerdict[] }) {
  if (verdicts.length === 0) return <p className="quiet">No control has spoken.</p>;
  return (
    <table className="rows">
      <thead><tr><th>Control</th><th>Verdict</th><th>What it found</th><th>Took</th></tr></thead>
      <tbody>
        {verdicts.map(({ control, outcome, findings, took_us: tookUs, version }, index) => (
          <tr key={`${control}${index}`}>
            <td title={version}>{control}</td>
            <td><Outcome value={outcome} /></td>
            <td>
              {findings.length === 0 ? <span className="quiet">nothing</span> : findings.map(({ code, rule, path, means }, place) => (
                <div key={`${code}${place}`}><code>{code}</code>{path !== null && <> at <code>{visible(path)}</code></>}
                  <span className="quiet"> {means ?? ''} ({visible(rule)})</span></div>
              ))}
            </td>
            <td className="number">{(tookUs / 1000).toFixed(1)} ms</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
