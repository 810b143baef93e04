// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { useView, type Json } from '../api.ts';
import { Chip, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { useSession } from '../session.tsx';

type Order = { readonly at: number; readonly operator: string; readonly reason: string };
type Payloads = {
  readonly mayOpen: boolean;
  readonly custodians: { readonly names: readonly string[]; readonly threshold: number; readonly keep: readonly string[] } | null;
  readonly messages: readonly { readonly message: string; readonly epoch: number }[];
  readonly erased: boolean;
  readonly asked: readonly (Order & { readonly epoch: number })[];
  readonly opened: readonly (Order & { readonly custodians: readonly string[] })[];
};
type Opened = { readonly message: string; readonly from: string; readonly to: string; readonly schema: string; readonly state: string; readonly payload: Json };

/** What was said, for those who may open it: kept sealed, asked for on record, opened by custodians. */
export function PayloadsOf({ task }: { readonly task: string }) {
  const loaded = useView<Payloads>(`/api/views/payloads/${encodeURIComponent(task)}`);
  return (
    <section className="panel" aria-labelledby="payloads">
      <h2 id="payloads">What was said</h2>
      <Waiting loaded={loaded} what="what is kept">{(payloads) => <Kept payloads={payloads} />}</Waiting>
    </section>
  );
}

function Kept({ payloads }: { readonly payloads: Payloads }) {
  const { custodians, messages, erased, asked, opened, mayOpen } = payloads;
  if (messages.length === 0) {
    return (
      <p className="quiet">{custodians === null
        ? 'No payload is kept: the mesh file names no custodians. The record holds digests, codes and names, and nobody can read from it what was said.'
        : `Nothing of this request is kept. Kept is what belongs to actions of class ${custodians.keep.join(' and ')}.`}</p>
    );
  }
  const epochs = [...new Set(messages.map(({ epoch }) => epoch))];
  return (
    <>
      <p>The payloads of {messages.length} messages are in the record, sealed for {custodians?.names.join(', ') ?? 'custodians'}; {custodians?.threshold ?? 'some'} of them
        have to agree. {erased && <Chip tone="bad">keys erased</Chip>}</p>
      {[...asked.map((one) => ({ ...one, says: `asked for epoch ${one.epoch}` })), ...opened.map((one) => ({ ...one, says: `opened it with ${one.custodians.join(', ')}` }))]
        .toSorted((a, b) => a.at - b.at)
        .map((one, index) => <p key={index}><Chip tone="warn">on record</Chip> {visible(one.operator)} {one.says}: {visible(one.reason)} <Time at={one.at} withDay /></p>)}
      {mayOpen ? <Open epochs={epochs} messages={messages} /> : <p className="state">Your role does not open payloads. Security and the CISO may ask the custodians for them.</p>}
    </>
  );
}

/** The order goes on record from a terminal; what it opened is read in this browser and sent nowhere. */
function Open({ epochs, messages }: { readonly epochs: readonly number[]; readonly messages: Payloads['messages'] }) {
  const { operator } = useSession();
  const [shown, setShown] = useState<readonly Opened[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const read = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    setFailure(null);
    try {
      const own = new Set(messages.map(({ message }) => message));
      const lines = (await file.text()).split('\n').filter((line) => line !== '');
      const all = lines.map((line) => JSON.parse(line) as Opened);
      setShown(all.filter(({ message }) => own.has(message)));
    } catch {
      setShown(null);
      setFailure('This is no file that maso recorder open wrote.');
    }
  };
  return (
    <>
      <p>To open it, in a terminal; custodians see who asks and why, and so does the record:</p>
      <pre>{epochs.map((epoch) => `maso recorder open ${epoch} --as ${operator} --key ${operator}.jwk --reason "…"`).join('\n')}{'\n'}
        {epochs.map((epoch) => `maso recorder open ${epoch} --as ${operator} --key ${operator}.jwk --reason "…" --share opening-${epoch}.*.share`).join('\n')}</pre>
      <label>Then show what it wrote, <code>opening-{epochs[0]}.payloads.jsonl</code>, here. The file stays in this browser.
        <input type="file" accept=".jsonl" onChange={(event) => void read(event.target.files?.[0])} /></label>
      {failure !== null && <p className="state bad" role="alert">{failure}</p>}
      {shown !== null && (shown.length === 0 ? <p className="state">The file holds nothing of this request.</p> : (
        <ul className="plain-list">{shown.map((one) => (
          <li key={one.message}><strong>{visible(one.from)} → {visible(one.to)}</strong> <code>{visible(one.schema)}</code>{' '}
            <To place={`/trace/${encodeURIComponent(one.message)}`}>step</To> <Chip tone={one.state === 'opened' ? 'good' : 'bad'}>{one.state}</Chip>
            {one.state === 'opened' && <details><summary>Written by {visible(one.from)}: read with care</summary><pre>{visible(JSON.stringify(one.payload, null, 2)).replaceAll('⟨U+000A⟩', '\n')}</pre></details>}</li>
        ))}</ul>
      ))}
    </>
  );
}
