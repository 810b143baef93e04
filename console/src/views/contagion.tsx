// SPDX-License-Identifier: Apache-2.0
import { useView } from '../api.ts';
import { Chip, Empty, Id, Page, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { hasWords, SearchBox } from '../search-box.tsx';

type Lineage = {
  readonly lineage: string; readonly patientZero: string; readonly origins: readonly string[]; readonly firstAt: number;
  readonly generations: number; readonly reached: number; readonly spreaders: readonly string[]; readonly convicted: boolean;
  readonly path: readonly { readonly agent: string; readonly from: string | null; readonly message: string; readonly generation: number; readonly at: number }[];
};

/** Untrusted texts that travel from agent to agent: where each began, which way it went, how far. */
export function Contagion({ id, query }: { readonly id: string | null; readonly query: URLSearchParams }) {
  const loaded = useView<{ readonly lineages: readonly Lineage[] }>('/api/views/contagion', 5_000);
  return (
    <Page title="Contagion" lead="Texts from outside that agents pass on. The text itself is never kept, only where it went.">
      {id === null
        ? <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}><SearchBox path="/contagion" query={query} placeholder="agent, origin, id" /></form>
        : <p><To place="/contagion">All texts that travel</To></p>}
      <Waiting loaded={loaded} what="texts that travel">
        {({ lineages: all }) => {
          const lineages = all.filter((one) => (id === null ? hasWords(query, textOf(one)) : one.lineage === id));
          if (all.length > 0 && lineages.length === 0) return <Empty>No text that travels matches.</Empty>;
          return lineages.length === 0
            ? <Empty><strong>No untrusted text travels.</strong> <span>As soon as one agent passes on what it read outside, its way is drawn here.</span></Empty>
            : lineages.map((one) => (
              <section key={one.lineage} className={`panel verdict ${one.convicted ? 'bad' : ''}`} aria-label={`Text from ${one.patientZero}`}>
                <div className="panel-head">
                  <h2>Began at {visible(one.patientZero)}</h2>
                  <Chip tone={one.convicted ? 'bad' : 'plain'}>{one.convicted ? 'spreads: stopped' : 'followed'}</Chip>
                </div>
                <p>Read from {one.origins.map(visible).join(', ') || 'nobody knows where'}, <Time at={one.firstAt} withDay />. It reached {one.reached} agents over {one.generations} generations.
                  {one.spreaders.length > 0 && ` Passed on by ${one.spreaders.map(visible).join(', ')}.`} <span className="quiet"><To place={`/contagion/${encodeURIComponent(one.lineage)}`}>only this one</To> <Id value={one.lineage} /></span></p>
                <ol className="steps">
                  {one.path.map((step) => (
                    <li key={`${step.agent}${step.message}`}>
                      <span className="quiet number">generation {step.generation}</span> {step.from === null ? '' : `${visible(step.from)} → `}<strong>{visible(step.agent)}</strong>{' '}
                      <Time at={step.at} /> <To place={`/trace/${encodeURIComponent(step.message)}`}>trace</To>
                    </li>
                  ))}
                </ol>
              </section>
            ));
        }}
      </Waiting>
    </Page>
  );
}

function textOf({ lineage, patientZero, origins, spreaders, path }: Lineage): string {
  return [lineage, patientZero, ...origins, ...spreaders, ...path.map(({ agent }) => agent)].join(' ');
}
