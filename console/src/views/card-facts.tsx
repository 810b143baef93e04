// SPDX-License-Identifier: Apache-2.0
import type { Json } from '../api.ts';
import { AgentText, Chip, Id, Time, visible } from '../parts.tsx';
import { To } from '../router.tsx';
import type { TraceDocument } from './verdicts.tsx';

export type Effect = {
  readonly tool: string; readonly write: boolean; readonly impact: { readonly [impact: string]: Json };
  readonly sensitive: readonly { readonly name: string; readonly from: readonly string[]; readonly atMost: number | null }[];
};
/** `unknown`: how many there are; their words only for those whose role decides. */
export type Told = { readonly confidence: number | null; readonly unknowns: readonly string[]; readonly unknown: number };
type Mandate = {
  readonly id: string; readonly path: readonly string[]; readonly rights: readonly string[]; readonly expiresAt: number;
  readonly revoked: boolean; readonly sponsor: string; readonly depth: number;
};

export type MandateList = { readonly mandates: readonly Mandate[] };

export const undone: { readonly [reversibility: string]: string } = {
  reversible: 'It can be undone.',
  compensable: 'It can be made good, not undone.',
  irreversible: 'It cannot be undone.',
};

/** What the world is like afterwards, by the action's manifest. */
export function Changes({ effect, reversibility }: { readonly effect: Effect; readonly reversibility: string }) {
  const impacts = Object.entries(effect.impact);
  return (
    <section>
      <h3>What would change</h3>
      <table className="facts"><tbody>
        <tr><th scope="row">Done by</th><td><code>{effect.tool}</code>, which {effect.write ? 'changes something outside the mesh' : 'only reads'}</td></tr>
        {impacts.map(([impact, amount]) => (
          <tr key={impact}><th scope="row">{visible(impact)}</th><td className="number">{amount === null ? <span className="quiet">not shown to your role</span> : visible(String(amount))}</td></tr>
        ))}
        <tr><th scope="row">Afterwards</th><td><strong>{undone[reversibility] ?? reversibility}</strong></td></tr>
      </tbody></table>
    </section>
  );
}

/** How sure whoever asks may be: stamped by its sidecar from what it was told, and never its own word. */
export function HowSure({ told, by }: { readonly told: Told | null; readonly by: string }) {
  if (told === null) return <p className="quiet">Nothing on the way here said how sure it is, or what it does not know.</p>;
  return (
    <>
      <p>Confidence on the way here: <strong>{told.confidence === null ? 'none was given' : `${Math.round(told.confidence * 100)} %`}</strong>.{' '}
        {told.unknown === 0 ? 'Nobody said that anything is unknown.' : `${told.unknown} ${told.unknown === 1 ? 'thing was' : 'things were'} said to be unknown${told.unknowns.length === 0 ? '; your role does not open them.' : ':'}`}</p>
      {told.unknowns.length > 0 && <ul className="plain-list">{told.unknowns.map((text) => <li key={text}><AgentText text={text} by={`agents before ${by}`} /></li>)}</ul>}
    </>
  );
}

/** What the request stands on: each mandate with who passed it on, what it lets do and until when. */
export function MandatesOf({ task, until, mandates, trace }: {
  readonly task: string; readonly until: number; readonly mandates: MandateList | null; readonly trace: TraceDocument | null;
}) {
  const used = new Set(trace?.maso.mandates.map(({ id }) => id) ?? []);
  const shown = (mandates?.mandates ?? []).filter(({ id }) => used.size === 0 || used.has(id)).slice(0, 8);
  return (
    <section>
      <h3>The mandate it stands on</h3>
      {shown.length === 0
        ? <p className="quiet">None is registered for its task: the edge in the mesh file alone lets it ask.</p>
        : (
          <ul className="plain-list">{shown.map((mandate) => (
            <li key={mandate.id}>{mandate.path.map((who) => visible(who.replace('agent:', ''))).join(' → ')}{' '}
              <span className="quiet">for {visible(mandate.sponsor)}: {mandate.rights.map(visible).join('; ') || 'no right'}, until <Time at={mandate.expiresAt} />, <Id value={mandate.id} /></span>{' '}
              {mandate.revoked && <Chip tone="bad">revoked</Chip>}
              {mandate.expiresAt < until && <p className="doubt-says">It ends before the deadline: an approval that comes later is refused.</p>}</li>
          ))}</ul>
        )}
      <p><To place={`/costs/${encodeURIComponent(task)}`}>What the task cost so far</To></p>
    </section>
  );
}
