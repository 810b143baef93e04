// SPDX-License-Identifier: Apache-2.0
import type { Line, Station, StationState } from '../../../src/console/station.ts';
import { useView } from '../api.ts';
import { Chip, Empty, Page, visible, Waiting } from '../parts.tsx';
import { replacePlace, To } from '../router.tsx';
import { hasWords, placeWith, SearchBox } from '../search-box.tsx';

const states: { readonly [state in StationState]: readonly [tone: string, says: string, sign: string] } = {
  on: ['good', 'on', '●'],
  partly: ['warn', 'partly there', '◐'],
  off: ['plain', 'not configured', '○'],
  deselected: ['plain', 'deselected', '⊘'],
  failing: ['bad', 'failing', '✕'],
  absent: ['plain', 'not in this build', '◌'],
};

const evidencePlaces: { readonly [evidence: string]: string } = {
  log: '/log', mesh: '/mesh', agents: '/agents', approvals: '/approvals', recorder: '/recorder', costs: '/costs', pace: '/stops', trace: '/trace', anomaly: '/anomaly', intent: '/intent',
};

/** What a control is found by. */
export function wordsOf({ id, title, says, evidence }: Station, line: Line): string {
  return `${id} ${title} ${says} ${evidence ?? ''} ${line.id} ${line.name}`;
}

/** The framework's domains as lines and its controls as stations. */
export function Controls({ query }: { readonly query: URLSearchParams }) {
  const loaded = useView<{ readonly lines: readonly Line[]; readonly lookedBack: number }>('/api/views/controls', 10_000);
  const only = query.get('state') ?? 'all';
  const setOnly = (state: string): void => replacePlace(placeWith('/controls', query, 'state', state === 'all' ? '' : state));
  return (
    <Page title="Controls" lead="The framework's domains as lines, its controls as stations. Each says whether it acts, and where the evidence is.">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <SearchBox path="/controls" query={query} placeholder="EC-2.9, approval, scanner" />
      </form>
      <Waiting loaded={loaded} what="the map of controls">
        {({ lines, lookedBack }) => {
          const matches = (station: Station, line: Line): boolean => hasWords(query, wordsOf(station, line));
          const all = lines.flatMap((line) => line.stations.filter((station) => matches(station, line)));
          return (
            <>
              <div className="filters" role="group" aria-label="Show only">
                <button type="button" aria-pressed={only === 'all'} onClick={() => setOnly('all')}>all {all.length}</button>
                {(Object.keys(states) as StationState[]).map((state) => (
                  <button key={state} type="button" aria-pressed={only === state} onClick={() => setOnly(state)}>
                    <span aria-hidden="true">{states[state][2]}</span> {states[state][1]} {all.filter((one) => one.state === state).length}
                  </button>
                ))}
              </div>
              {all.length === 0 && <Empty>No control has these words.</Empty>}
              {lines.map((line) => {
                const stations = line.stations.filter((station) => (only === 'all' || station.state === only) && matches(station, line));
                return stations.length === 0 ? null : (
                  <section key={line.id} className="line" aria-labelledby={`line-${line.id}`}>
                    <h2 id={`line-${line.id}`}><span className="line-id">{line.id}</span> {line.name}</h2>
                    <ol>{stations.map((station) => <Stop key={station.id} station={station} />)}</ol>
                  </section>
                );
              })}
              <p className="quiet">Counts are over the newest {lookedBack} entries of the record. States follow from the mesh file and from what this build does; what is for people and contracts is shown as not in this build.</p>
            </>
          );
        }}
      </Waiting>
    </Page>
  );
}

function Stop({ station }: { readonly station: Station }) {
  const [tone, says, sign] = states[station.state];
  const place = station.evidence === null ? null : evidencePlaces[station.evidence];
  return (
    <li className={`station ${station.state}`}>
      <span className="station-sign" aria-hidden="true">{sign}</span>
      <div>
        <p><code>{station.id}</code> <strong>{station.title}</strong> <Chip tone={tone}>{says}</Chip> <span className="quiet">from tier {station.tier}</span></p>
        <p className="quiet">{visible(station.says)} {place !== undefined && place !== null && (
          <To place={place}>{station.seen === null ? 'Evidence' : `Evidence: seen ${station.seen} times`}</To>
        )}</p>
      </div>
    </li>
  );
}
