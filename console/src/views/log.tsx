// SPDX-License-Identifier: Apache-2.0
import type { LiveEntry } from '../../../src/console/live-feed.ts';
import { useView } from '../api.ts';
import { Empty, Outcome, Page, Time, visible, Waiting } from '../parts.tsx';
import { replacePlace, To } from '../router.tsx';

/** One entry of the record; its id leads to the trace of its request. */
export function EntryRow({ entry }: { readonly entry: LiveEntry }) {
  const { recordedAt, kind, outcome, code, actor, about, message, task } = entry;
  const id = message ?? task;
  return (
    <tr>
      <td><Time at={recordedAt} /></td>
      <td>{id === null ? <code>{kind}</code> : <To place={`/trace/${encodeURIComponent(id)}`}><code>{kind}</code></To>}</td>
      <td><Outcome value={outcome} /> {code !== null && <code className="small">{code}</code>}</td>
      <td>{visible(actor)}</td>
      <td className="about">{visible(about)}</td>
    </tr>
  );
}

const fields = ['outcome', 'kind', 'code', 'actor', 'task'] as const;

/** The record, searched by what its entries are. */
export function Log({ query }: { readonly query: URLSearchParams }) {
  const asked = new URLSearchParams(query);
  asked.set('limit', '200');
  const loaded = useView<{ readonly entries: readonly LiveEntry[] }>(`/api/entries?${asked}`);
  const change = (name: string, value: string): void => {
    const next = new URLSearchParams(query);
    if (value === '') next.delete(name);
    else next.set(name, value);
    replacePlace(`/log?${next}`);
  };
  return (
    <Page title="The record" lead="Entries of the flight recorder, newest first. They hold ids, codes and hashes; never a payload.">
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        {fields.map((name) => (
          <label key={name}>{name}
            {name === 'outcome'
              ? (
                <select value={query.get(name) ?? ''} onChange={(event) => change(name, event.target.value)}>
                  <option value="">any</option><option>GO</option><option>ESCALATE</option><option>NO-GO</option>
                </select>
              )
              : <input value={query.get(name) ?? ''} onChange={(event) => change(name, event.target.value)} />}
          </label>
        ))}
      </form>
      <Waiting loaded={loaded} what="the record">
        {({ entries }) => entries.length === 0
          ? <Empty>No entry matches. Names are whole: <code>sidecar:payments</code>, <code>message.refused</code>.</Empty>
          : (
            <div className="scroll" tabIndex={0} role="region" aria-label="Entries">
              <table className="rows">
                <thead><tr><th>Time</th><th>What</th><th>Verdict</th><th>Who</th><th>About</th></tr></thead>
                <tbody>{entries.map((entry) => <EntryRow key={entry.sequence} entry={entry} />)}</tbody>
              </table>
            </div>
          )}
      </Waiting>
    </Page>
  );
}
