// SPDX-License-Identifier: Apache-2.0
import { useState, type FormEvent } from 'react';
import { useView } from '../api.ts';
import { Chip, Empty, Id, lasting, Outcome, Page, Risk, Time, visible, Waiting } from '../parts.tsx';
import { go, To } from '../router.tsx';
import { useSlowLive } from '../stream.tsx';
import { CausalGraph } from './causal-graph.tsx';
import { PayloadsOf } from './payloads.tsx';
import { VerdictTable, type TraceDocument } from './verdicts.tsx';

/** One request from first cause to last effect: what happened, who said what, and why. */
export function Trace({ id }: { readonly id: string | null }) {
  return id === null ? <Newest /> : <One id={id} />;
}

function Newest() {
  const { entries } = useSlowLive(1_000);
  const [text, setText] = useState('');
  const seen = new Set<string>();
  const tasks = entries.filter(({ task, kind }) => {
    if (task === null || seen.has(task) || kind === 'session.opened') return false;
    seen.add(task);
    return true;
  });
  const find = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') go(`/trace/${encodeURIComponent(text.trim())}`);
  };
  return (
    <Page title="Traces" lead="Every request can be rebuilt from the record: who asked, which control said what, who decided, what ran.">
      <form className="filters" role="search" onSubmit={find}>
        <label>Id of a task, message or approval, or its first 8 characters
          <input value={text} onChange={(event) => setText(event.target.value)} /></label>
        <button type="submit">Open</button>
      </form>
      {tasks.length === 0 ? <Empty>No request has passed since this page was opened. <To place="/log">Search the record</To></Empty> : (
        <div className="panel"><table className="rows">
          <thead><tr><th>Last step</th><th>Task</th><th>What</th><th>Verdict</th></tr></thead>
          <tbody>
            {tasks.slice(0, 60).map(({ sequence, recordedAt, task, kind, outcome, code }) => (
              <tr key={sequence}>
                <td><Time at={recordedAt} /></td>
                <td>{task !== null && <To place={`/trace/${encodeURIComponent(task)}`}><Id value={task} /></To>}</td>
                <td><code>{kind}</code></td>
                <td><Outcome value={outcome} /> {code !== null && <code className="small">{code}</code>}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      )}
    </Page>
  );
}

function One({ id }: { readonly id: string }) {
  const loaded = useView<TraceDocument>(`/api/views/trace/${encodeURIComponent(id)}`, 5_000);
  return (
    <Page title="Decision trace" lead={<To place="/trace">All traces</To>}>
      <Waiting loaded={loaded} what="trace">{(trace) => <Document trace={trace} />}</Waiting>
    </Page>
  );
}

/** Where in the request the finding that decided it lies, and the step that found it. */
function Decisive({ trace: { maso } }: { readonly trace: TraceDocument }) {
  const found = maso.steps.flatMap(({ sequence, verdicts }) => verdicts.flatMap(({ findings }) =>
    findings.filter(({ code, path }) => code === maso.code && path !== null).map(({ path }) => ({ sequence, path }))));
  const last = found.at(-1);
  if (last === undefined) return null;
  const paths = [...new Set(found.filter(({ sequence }) => sequence === last.sequence).map(({ path }) => path ?? ''))];
  return <p>It is about {paths.map((path) => <code key={path}>{visible(path)} </code>)}<a href={`#step-${last.sequence}`}>See the step that found it</a></p>;
}

/** Whom a step was to or from, and with what, as the record has it. */
function aboutOf(detail: TraceDocument['maso']['steps'][number]['detail']): string {
  const text = (name: string): string | null => (typeof detail[name] === 'string' ? visible(String(detail[name])) : null);
  const [to, from] = [text('to'), text('from')];
  const what = ['schema', 'action', 'tool', 'operation'].flatMap((name) => text(name) ?? []).join(' ');
  return [what, to === null ? '' : `→ ${to}`, from === null ? '' : `← ${from}`].filter((part) => part !== '').join(' ');
}

const quiet: ReadonlySet<string> = new Set(['message.admitted', 'session.opened', 'session.ended', 'tool.intent']);

function Document({ trace }: { readonly trace: TraceDocument }) {
  const [all, setAll] = useState(false);
  const { maso, resolution, subject } = trace;
  const { task } = maso;
  const steps = all ? maso.steps : maso.steps.filter(({ kind, outcome }) => !quiet.has(kind) || outcome === 'NO-GO');
  const first = Math.min(...maso.steps.map((step) => step.recorded_at));
  const ended = String(resolution.outcome);
  return (
    <>
      <section className={`panel verdict ${ended === 'DONE' ? 'good' : ended === 'OPEN' || ended === 'HELD' ? 'warn' : 'bad'}`}>
        <h2>{ended}{subject.description !== null && <> · {subject.description}</>}</h2>
        {subject.risk_classification !== null && <Risk value={subject.risk_classification} />}
        {maso.code !== null && <p><code>{maso.code}</code> {maso.means} <strong>{maso.mend}</strong></p>}
        <Decisive trace={trace} />
        <p className="quiet">
          Began <Time at={first} withDay />, took {lasting(maso.took_ms)}. {maso.people.length > 0 && `Decided by ${maso.people.join(', ')}. `}
          Controls took {lasting(maso.cost.controls_us / 1000)}, {maso.cost.model_calls} calls of a judge.
        </p>
        <p className="quiet">{Object.entries(maso.isolation).map(([who, isolation]) => (
          <Chip key={who} tone={isolation === 'none' ? 'warn' : 'plain'}>{visible(who)}: isolation {isolation}</Chip>
        ))}</p>
      </section>
      <section className="panel" aria-labelledby="causes">
        <h2 id="causes">Who caused what</h2>
        <div className="scroll" tabIndex={0} role="region" aria-label="Who caused what"><CausalGraph trace={trace} /></div>
      </section>
      {task !== null && <PayloadsOf task={task} />}
      <section className="panel" aria-labelledby="steps">
        <div className="panel-head">
          <h2 id="steps">Step by step</h2>
          <label className="check"><input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> also the quiet steps</label>
        </div>
        <ol className="steps">
          {steps.map((step) => (
            <li key={step.sequence} id={`step-${step.sequence}`} className={step.outcome === 'NO-GO' ? 'bad' : step.outcome === 'ESCALATE' ? 'warn' : ''}>
              <div className="step-head">
                <span className="quiet number" title={new Date(step.recorded_at).toISOString()}>+{((step.recorded_at - first) / 1000).toFixed(3)} s</span>
                <strong>{visible(step.actor)}</strong> <code>{step.kind}</code> <span className="quiet">{aboutOf(step.detail)}</span> <Outcome value={step.outcome} />
                {step.code !== null && <code className="small">{step.code}</code>}
              </div>
              {step.means !== null && <p>{step.means} <span className="quiet">{step.mend}</span></p>}
              {step.verdicts.length > 0 && (
                <details open={step.outcome !== 'GO' && step.kind === 'request.reviewed'}>
                  <summary>{step.verdicts.length} verdicts</summary>
                  <div className="scroll" tabIndex={0} role="region" aria-label="Verdicts"><VerdictTable verdicts={step.verdicts} /></div>
                </details>
              )}
              <details><summary>Details on record</summary><pre>{visible(JSON.stringify(step.detail, null, 2)).replaceAll('⟨U+000A⟩', '\n')}</pre></details>
            </li>
          ))}
        </ol>
        {maso.cut_off && <p className="state">The task has more entries than a trace holds.</p>}
      </section>
    </>
  );
}
