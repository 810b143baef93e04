// SPDX-License-Identifier: Apache-2.0
import type { WorkflowRun } from '../../../src/recorder/workflow-runs.ts';
import { useView } from '../api.ts';
import { Chip, Empty, Id, Outcome, Page, Read, Risk, visible, Waiting, type ReadSoFar } from '../parts.tsx';
import { To } from '../router.tsx';
import { hasWords, SearchBox } from '../search-box.tsx';

type Criterion = { readonly id: string; readonly text: string; readonly kind: string };
type Agent = {
  readonly name: string; readonly role: string; readonly zone: string;
  readonly oispec: {
    readonly id: string; readonly version: string; readonly goal: string; readonly risk: string; readonly criteria: readonly Criterion[];
    readonly tools: readonly string[]; readonly actions: readonly string[]; readonly prohibited: readonly string[]; readonly saysConstrained: boolean;
  } | null;
  readonly alignment: { readonly score: number; readonly steps: number; readonly refused: number; readonly escalated: number } | null;
};
type Intent = {
  readonly read: ReadSoFar;
  readonly agents: readonly Agent[];
  readonly workflows: readonly {
    readonly name: string; readonly goal: string; readonly version: string; readonly agents: readonly string[];
    readonly criteria: readonly (Criterion & { readonly coveredBy: readonly string[] })[];
  }[];
  readonly runs: readonly WorkflowRun[];
  readonly judges: readonly { readonly subject: string; readonly criteria: readonly { readonly id: string; readonly text: string }[] }[];
};

const agentsShown = 200;

/** What agents and workflows are for, who answers for it, and how far they keep to it. */
export function IntentView({ query }: { readonly query: URLSearchParams }) {
  const loaded = useView<Intent>('/api/views/intent', 10_000);
  return (
    <Page title="Intent" lead="What agents and workflows are declared to be for (OISpec), who answers for each criterion, and how far agents keep to it.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/intent" query={query} placeholder="agent, workflow, criterion, tool" />
      </form>
      <Waiting loaded={loaded} what="declared intent">
        {(whole) => <Found whole={whole} query={query} />}
      </Waiting>
    </Page>
  );
}

/** What of it has the words that are looked for. */
function Found({ whole, query }: { readonly whole: Intent; readonly query: URLSearchParams }) {
  const intent: Intent = {
    ...whole,
    agents: whole.agents.filter(({ name, role, oispec }) => hasWords(query, `${name} ${role} ${JSON.stringify(oispec)}`)),
    workflows: whole.workflows.filter((one) => hasWords(query, JSON.stringify(one))),
    runs: whole.runs.filter((one) => hasWords(query, JSON.stringify(one))),
  };
  return (
    <>
      <Tiles intent={whole} />
      {(intent.workflows.length > 0 || whole.workflows.length === 0) && <Workflows intent={intent} />}
      {intent.runs.length > 0 && <Runs runs={intent.runs} />}
      {intent.agents.length === 0 && whole.agents.length > 0 ? <Empty>No agent has these words.</Empty> : <Agents agents={intent.agents} />}
      <Read read={intent.read} />
    </>
  );
}

function Tiles({ intent }: { readonly intent: Intent }) {
  const { agents, workflows } = intent;
  const declared = agents.filter(({ oispec }) => oispec !== null).length;
  const criteria = workflows.flatMap((one) => one.criteria);
  const covered = criteria.filter(({ coveredBy }) => coveredBy.length > 0).length;
  const scored = agents.flatMap(({ alignment }) => alignment ?? []);
  const lowest = scored.length === 0 ? null : Math.min(...scored.map(({ score }) => score));
  return (
    <ul className="tiles">
      <li className={`tile ${declared === agents.length ? 'good' : 'warn'}`}><span className="tile-title">Agents with an OISpec</span>
        <strong>{declared} of {agents.length}</strong><span className="tile-says">the others may do what edges and mandates allow</span></li>
      <li className={`tile ${covered === criteria.length ? 'good' : 'bad'}`}><span className="tile-title">Criteria of workflows</span>
        <strong>{criteria.length === 0 ? 'none' : `${covered} of ${criteria.length}`}</strong>
        <span className="tile-says">{criteria.length === 0 ? 'the mesh file names no workflow' : 'have somebody who answers for them'}</span></li>
      <li className={`tile ${lowest === null ? '' : lowest >= 90 ? 'good' : lowest >= 60 ? 'warn' : 'bad'}`}><span className="tile-title">Least aligned</span>
        <strong>{lowest === null ? '–' : lowest.toFixed(1)}</strong><span className="tile-says">of 100; too low a score isolates (pace.alignment_min)</span></li>
    </ul>
  );
}

function Workflows({ intent }: { readonly intent: Intent }) {
  const { workflows, judges } = intent;
  return (
    <section className="panel" aria-labelledby="workflows">
      <h2 id="workflows">Workflows: who answers for what</h2>
      {workflows.length === 0
        ? <Empty><strong>No workflow is declared.</strong><span>A workflow says what agents are to reach together; a criterion of it that nobody answers for stops the start.</span></Empty>
        : workflows.map((workflow) => (
          <article key={workflow.name}>
            <h3>{workflow.name} <span className="quiet">version {workflow.version}</span></h3>
            <p>{visible(workflow.goal)} <span className="quiet">With {workflow.agents.join(', ')}.</span></p>
            <div className="scroll" tabIndex={0} role="region" aria-label={`Criteria of ${workflow.name}`}>
              <table className="rows">
                <thead><tr><th>Criterion</th><th>What is to be</th><th>Answered for by</th></tr></thead>
                <tbody>{workflow.criteria.map(({ id, text, kind, coveredBy }) => (
                  <tr key={id}><td><code>{id}</code> {kind === 'failure' && <Chip tone="warn">must not</Chip>}</td><td>{visible(text)}</td>
                    <td>{coveredBy.length === 0 ? <Chip tone="bad">nobody</Chip> : coveredBy.map((who) => <Chip key={who} tone="good">{who}</Chip>)}</td></tr>
                ))}</tbody>
              </table>
            </div>
          </article>
        ))}
      {judges.length > 0 && <p className="quiet">Judges: {judges.map(({ subject, criteria }) => `${subject} (${criteria.map(({ id }) => id).join(', ')})`).join('; ')}.</p>}
    </section>
  );
}

/** What was said of each workflow as a whole, the newest run first. */
function Runs({ runs }: { readonly runs: readonly WorkflowRun[] }) {
  return (
    <section className="panel" aria-labelledby="runs">
      <h2 id="runs">Runs, evaluated as a whole</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Runs of workflows">
        <table className="rows">
          <thead><tr><th>Workflow</th><th>Verdict</th><th>Phases</th><th>Task</th></tr></thead>
          <tbody>{runs.map((run) => (
            <tr key={`${run.workflow} ${run.task}`}>
              <td>{run.workflow} <span className="quiet">version {run.version}, {run.ended ? 'ended' : 'runs'}</span></td>
              <td><Outcome value={run.outcome} /></td>
              <td>{run.phases.map((one) => (
                <div key={`${one.phase}${one.at}`}>{visible(one.phase)} <Outcome value={one.outcome} /> <span className="quiet">{one.findings.map(visible).join(', ')}</span></div>
              ))}</td>
              <td><To place={`/trace/${encodeURIComponent(run.task)}`}><Id value={run.task} /></To></td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </section>
  );
}

function Agents({ agents }: { readonly agents: readonly Agent[] }) {
  const rows = agents.toSorted((a, b) => (a.alignment?.score ?? 101) - (b.alignment?.score ?? 101));
  return (
    <section className="panel" aria-labelledby="specs">
      <h2 id="specs">Agents</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Agents">
        <table className="rows">
          <thead><tr><th>Agent</th><th>Keeps to it</th><th>Goal and criteria</th><th>May use</th></tr></thead>
          <tbody>{rows.slice(0, agentsShown).map(({ name, oispec, alignment }) => (
            <tr key={name}>
              <td><To place={`/agents/${encodeURIComponent(name)}`}>{name}</To></td>
              <td>{alignment === null ? <span className="quiet">nothing evaluated</span> : (
                <><Chip tone={alignment.score >= 90 ? 'good' : alignment.score >= 60 ? 'warn' : 'bad'}>{alignment.score.toFixed(1)}</Chip>
                  <span className="quiet"> {alignment.steps} steps, {alignment.refused} refused, {alignment.escalated} escalated</span></>
              )}</td>
              <td>{oispec === null ? <Chip tone="warn">no OISpec</Chip> : (
                <><Risk value={oispec.risk} /> {visible(oispec.goal)} <span className="quiet">({oispec.id}, version {oispec.version})</span>
                  <details><summary>{oispec.criteria.length} criteria</summary>
                    <ul className="plain-list">{oispec.criteria.map((one) => <li key={one.id}><code>{one.id}</code> {visible(one.text)} {one.kind === 'failure' && <Chip tone="warn">must not</Chip>}</li>)}</ul>
                  </details></>
              )}</td>
              <td>{oispec === null ? <span className="quiet">–</span> : (
                <>{[...oispec.tools, ...oispec.actions].join(', ') || 'nothing'}
                  {oispec.prohibited.length > 0 && <span className="quiet"> never: {oispec.prohibited.join(', ')}</span>}</>
              )}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
      {rows.length > agentsShown && <p className="quiet">and {rows.length - agentsShown} more, which keep to it better</p>}
    </section>
  );
}
