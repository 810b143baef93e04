// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import type { JsonObject, JsonValue } from '../../../src/message/json.ts';
import { useView, type Json } from '../api.ts';
import { signAndSend } from '../passkey.ts';
import { ActionFailed, AgentText, Code, Id, Page, Risk, Time, visible, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';
import { useSession } from '../session.tsx';
import { Left } from './approvals.tsx';
import { Changes, HowSure, MandatesOf, undone, type Effect, type MandateList, type Told } from './card-facts.tsx';
import { Verdicts, type TraceDocument } from './verdicts.tsx';

export type Card = {
  readonly id: string;
  readonly state: 'pending' | 'approved' | 'denied' | 'expired' | 'modified';
  readonly heldAt: number;
  readonly action: string;
  readonly risk: string;
  readonly reversibility: string;
  readonly requester: string;
  readonly executor: string;
  readonly rootOrigin: string;
  readonly task: string;
  readonly message: string;
  readonly digest: string;
  readonly parameters: { readonly [name: string]: Json } | null;
  readonly endorse: readonly { readonly pointer: string; readonly sources: readonly string[]; readonly origins: readonly string[] }[];
  readonly reasons: readonly { readonly code: string; readonly means: string | null }[];
  readonly changes: Effect | null;
  readonly told: Told | null;
  readonly approvalsNeeded: number;
  readonly approvedBy: readonly string[];
  readonly level: string | null;
  readonly expiresAt: number;
  readonly said: readonly { readonly operator: string; readonly decision: string; readonly at: number | null }[];
  readonly modifiedBy: readonly string[];
  readonly mayNot: string | null;
  readonly probe: boolean;
  /** Others that wait and are equal in all that is decided on. */
  readonly equals: readonly { readonly id: string; readonly digest: string; readonly expiresAt: number }[];
  /** Whether equals may be released together. */
  readonly together: boolean;
};

/** One held action: the facts to decide on, and the decision. */
export function HeldAction({ id }: { readonly id: string }) {
  const loaded = useView<Card>(`/api/views/approval/${encodeURIComponent(id)}`, 2_000);
  return (
    <Page title="Held action" lead={<To place="/approvals">Back to all that waits</To>}>
      <Waiting loaded={loaded} what="held action">
        {(card) => <Facts card={card} again={loaded.again} />}
      </Waiting>
    </Page>
  );
}

function Facts({ card, again }: { readonly card: Card; readonly again: () => void }) {
  const trace = useView<TraceDocument>(`/api/views/trace/${encodeURIComponent(card.message)}`);
  const mandates = useView<MandateList>(`/api/views/mandates/${encodeURIComponent(card.task)}`);
  // Nothing above a button moves any more once it is there to be pressed.
  const isWhole = [trace, mandates].every(({ value, failure }) => value !== null || failure !== null);
  return (
    <article className="card" aria-label={`${card.risk} action ${card.action}`}>
      <header className="card-head">
        <Risk value={card.risk} /> <h2>{card.action}</h2> <Left card={card} />
      </header>
      <p className="lead">
        <strong>{visible(card.requester)}</strong> wants <strong>{visible(card.executor)}</strong> to
        call <code>{card.changes?.tool ?? card.action}</code>. <strong>{undone[card.reversibility] ?? card.reversibility}</strong>
      </p>
      <Parameters card={card} />
      {card.changes !== null && <Changes effect={card.changes} reversibility={card.reversibility} />}
      <section>
        <h3>Why it waits</h3>
        <ul className="plain-list">
          {card.reasons.length === 0 && <li>The policy asks for a person.</li>}
          {card.reasons.map(({ code, means }) => <li key={code}><code>{code}</code> {means}</li>)}
        </ul>
        <p className="quiet">Set off by {visible(card.rootOrigin)}. {card.level !== null && `Escalated to ${card.level}. `}
          {card.modifiedBy.length > 0 && `Changed by ${card.modifiedBy.join(', ')}, and judged again from the start.`}</p>
      </section>
      <section>
        <h3>What the controls say</h3>
        {trace.value === null
          ? <p className="quiet">{trace.failure === null ? 'Reading the record …' : 'The record has nothing on this request yet.'}</p>
          : <Verdicts trace={trace.value} message={card.message} />}
        <HowSure told={card.told} by={visible(card.requester)} />
        <p><To place={`/trace/${encodeURIComponent(card.message)}`}>Open the whole trace</To></p>
      </section>
      <MandatesOf task={card.task} until={card.expiresAt} mandates={mandates.value} trace={trace.value} />
      {card.said.length > 0 && (
        <section>
          <h3>What people said</h3>
          <ul className="plain-list">
            {card.said.map(({ operator, decision, at }, index) => (
              <li key={`${operator}${decision}${index}`}><strong>{operator}</strong>: {decision} <span className="quiet"><Time at={at} withDay /></span></li>
            ))}
          </ul>
        </section>
      )}
      {isWhole ? <Decide card={card} again={again} /> : <p className="state" role="status">Reading what there is to know before you decide …</p>}
      <footer className="quiet">Held <Time at={card.heldAt} withDay /> · decided by <Time at={card.expiresAt} withDay />, else denied ·
        approval <Id value={card.id} /> · digest <Id value={card.digest} />: a decision holds for exactly this and for nothing else.</footer>
    </article>
  );
}

function Parameters({ card }: { readonly card: Card }) {
  const { parameters, endorse } = card;
  if (parameters === null) {
    return <p className="state">Your role does not open the values of this request.</p>;
  }
  const doubtful = new Map(endorse.map((one) => [one.pointer.split('/')[1] ?? '', one]));
  return (
    <section>
      <h3>What would be done</h3>
      <table className="facts">
        <tbody>
          {Object.entries(parameters).map(([name, value]) => {
            const doubt = doubtful.get(name);
            const rule = card.changes?.sensitive.find((one) => one.name === name);
            return (
              <tr key={name} className={doubt === undefined ? '' : 'doubt'}>
                <th scope="row">{visible(name)}</th>
                <td>
                  <AgentText text={typeof value === 'string' ? value : JSON.stringify(value)} by={visible(card.requester)} />
                  {doubt !== undefined && (
                    <p className="doubt-says">{doubt.sources.length > 0
                      ? `Came from ${doubt.sources.map(visible).join(', ')}, which is no source for it.`
                      : `No source gave this value. Its requester has read ${doubt.origins.map(visible).join(', ') || 'nothing on record'}.`}
                      {' '}Approving says that you vouch for it.</p>
                  )}
                  {rule?.atMost !== null && rule !== undefined && <span className="quiet"> at most {rule.atMost}</span>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

type Decision = 'approve' | 'deny' | 'modify' | 'escalate';
const doing: { readonly [decision in Decision]: string } = {
  approve: 'Approve', deny: 'Deny', modify: 'Modify and hand on', escalate: 'Escalate',
};

function Decide({ card, again }: { readonly card: Card; readonly again: () => void }) {
  const session = useSession();
  const [reason, setReason] = useState('');
  const [checked, setChecked] = useState(false);
  const [changed, setChanged] = useState<JsonObject | null>(null);
  const [withEquals, setWithEquals] = useState(false);
  const [busy, setBusy] = useState<Decision | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  const [done, setDone] = useState<string | null>(null);
  useEffect(() => setDone(null), [card.id]);
  const decide = async (decision: Decision): Promise<void> => {
    setBusy(decision);
    setFailure(null);
    try {
      const answer = await signAndSend('decisions', {
        approval: card.id, digest: card.digest, decision, reason: reason.trim(),
        ...(decision === 'modify' && changed !== null ? { parameters: changed } : {}),
      }, session);
      const also = withEquals && (decision === 'deny' || (decision === 'approve' && card.together)) ? card.equals : [];
      // Each is signed by itself: what is signed names one action and no other.
      for (const other of also) {
        await signAndSend('decisions', { approval: other.id, digest: other.digest, decision, reason: reason.trim() }, session);
      }
      setDone(also.length === 0 ? saidOf(decision, answer) : `${decision === 'approve' ? 'Approved' : 'Denied'} and signed, this one and ${also.length} equal to it.`);
      again();
    } catch (cause) {
      // Said below; the action still waits.
      setFailure(cause instanceof Error ? cause : new Error('unknown'));
    } finally {
      setBusy(null);
    }
  };
  if (done !== null) return <p className="state good" role="status">{done} <To place="/approvals">To what else waits</To></p>;
  if (card.state !== 'pending') {
    const to = `/trace/${encodeURIComponent(card.message)}`;
    return <p className="state">This action is {card.state}. <To place={to}>See what became of it</To></p>;
  }
  if (!session.may('decide')) {
    return <p className="state">You may look, and your role ({session.roles.join(', ')}) does not decide.</p>;
  }
  const isFinal = card.reversibility === 'irreversible' || card.endorse.length > 0;
  const ready = reason.trim().length >= 3;
  const mayRelease = card.mayNot === null;
  return (
    <section className="decide" aria-labelledby="decide">
      <h3 id="decide">Your decision</h3>
      {card.mayNot !== null && <p className="state"><Code code={card.mayNot} /></p>}
      {card.approvalsNeeded > 1 && <p>{card.approvalsNeeded} different people have to approve; {card.approvedBy.length === 0 ? 'nobody has yet' : `${card.approvedBy.join(', ')} did`}.</p>}
      <label htmlFor="reason">What did you check, and what did you find? It is signed and goes on record.</label>
      <input id="reason" value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      {isFinal && (
        <label className="check"><input type="checkbox" checked={checked} onChange={(event) => setChecked(event.target.checked)} />
          I compared the values with a source outside this card.</label>
      )}
      {card.equals.length > 0 && (
        <div className="state warn">
          <span>{card.equals.length === 1 ? 'Another request waits that is' : `${card.equals.length} other requests wait that are`} equal to this one in every value. If it should happen once, deny the rest.</span>
          <label className="check"><input type="checkbox" checked={withEquals} onChange={(event) => setWithEquals(event.target.checked)} />
            {card.together ? 'Decide all of them with this decision' : 'Deny all of them together; approving goes one by one here'}. Each takes a signature.</label>
        </div>
      )}
      <div className="actions">
        <button type="button" className="primary" disabled={!ready || !mayRelease || busy !== null || (isFinal && !checked)}
          onClick={() => void decide('approve')}>{busy === 'approve' ? 'Waiting for the passkey …' : doing.approve}</button>
        <button type="button" className="danger" disabled={!ready || busy !== null}
          onClick={() => void decide('deny')}>{busy === 'deny' ? 'Waiting for the passkey …' : doing.deny}</button>
        <button type="button" disabled={busy !== null || !mayRelease} aria-expanded={changed !== null}
          onClick={() => setChanged(changed === null ? (card.parameters as JsonObject | null) : null)}>{changed === null ? 'Modify …' : 'Keep as it is'}</button>
        {card.level !== 'ciso' && (
          <button type="button" disabled={!ready || busy !== null} onClick={() => void decide('escalate')}>
            {busy === 'escalate' ? 'Waiting for the passkey …' : `Escalate to ${card.level === null ? 'security' : 'the CISO'}`}</button>
        )}
      </div>
      {changed !== null && (
        <Change values={changed} onChange={setChanged} disabled={!ready || busy !== null} send={() => void decide('modify')} busy={busy === 'modify'} />
      )}
      {!ready && <p className="quiet">Say what you checked to decide.</p>}
      {failure !== null && <ActionFailed failure={failure} />}
    </section>
  );
}

function saidOf(decision: Decision, answer: { readonly [name: string]: Json }): string {
  const probe = answer['probe'];
  if (typeof probe === 'object' && probe !== null) {
    const caught = Reflect.get(probe, 'caught') === true;
    return caught
      ? 'This was a probe, and you saw that something was wrong with it. Nothing runs.'
      : 'This was a probe: its values had no source, and you approved it. Nothing runs. Look again next time.';
  }
  if (decision === 'approve') {
    return answer['state'] === 'approved' ? 'Approved and signed. The executor acts on it now.' : 'Approved and signed. Another person has to approve it too.';
  }
  if (decision === 'modify') return 'Signed. The changed request is judged from the start, and waits for another person.';
  return decision === 'deny' ? 'Denied and signed. Nothing runs.' : 'Escalated and signed.';
}

/** Other parameters in the place of those that were asked for; each keeps its type. */
function Change({ values, onChange, disabled, send, busy }: {
  readonly values: JsonObject; readonly onChange: (values: JsonObject) => void;
  readonly disabled: boolean; readonly send: () => void; readonly busy: boolean;
}) {
  const set = (name: string, before: JsonValue, text: string): void => {
    const value = typeof before === 'number' ? Number(text) : typeof before === 'string' ? text : before;
    onChange({ ...values, [name]: value });
  };
  return (
    <fieldset className="change">
      <legend>What should be done instead</legend>
      {Object.entries(values).map(([name, value]) => (
        <label key={name}>{visible(name)}
          <input value={typeof value === 'string' ? value : JSON.stringify(value)} type={typeof value === 'number' ? 'number' : 'text'} step="any"
            readOnly={typeof value === 'object' || typeof value === 'boolean'} onChange={(event) => set(name, value, event.target.value)} />
        </label>
      ))}
      <p className="quiet">Every control judges the changed request from the start. Then another person decides: nobody approves what they changed.</p>
      <button type="button" disabled={disabled} onClick={send}>{busy ? 'Waiting for the passkey …' : doing.modify}</button>
    </fieldset>
  );
}

