// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';
import { Refusal, useView, type Loaded } from './api.ts';

type CodeEntry = { readonly means: string; readonly mend: string };
let codes: Promise<{ readonly [code: string]: CodeEntry }> | null = null;

/** Meaning and mend of a code, from the node's own tables. */
export function useCode(code: string | null): CodeEntry | null {
  const [entry, setEntry] = useState<CodeEntry | null>(null);
  useEffect(() => {
    if (code === null) return;
    codes ??= fetch('/api/views/codes').then(async (response) => {
      if (!response.ok) throw new Error('no codes');
      return (await response.json()).codes;
    });
    codes.then((all) => setEntry(all[code] ?? null), () => {
      codes = null;
      setEntry(null);
    });
  }, [code]);
  return entry;
}

export function Outcome({ value }: { readonly value: string | null }) {
  if (value === null) return null;
  const kind = value === 'GO' ? 'go' : value === 'NO-GO' ? 'nogo' : 'escalate';
  const sign = value === 'GO' ? '✓' : value === 'NO-GO' ? '✕' : '!';
  return <span className={`outcome ${kind}`}><span aria-hidden="true">{sign}</span> {value}</span>;
}

export function Risk({ value }: { readonly value: string }) {
  return <span className={`risk ${value.toLowerCase()}`}>{value}</span>;
}

export function Chip({ tone = 'plain', children }: { readonly tone?: string; readonly children: ReactNode }) {
  return <span className={`chip ${tone}`}>{children}</span>;
}

type Zone = 'own' | 'UTC';
const zoneKept = 'maso-zone';
const zoneChanged = 'maso-zone-changed';

function formatsIn(zone: Zone) {
  const timeZone = zone === 'UTC' ? { timeZone: 'UTC' } : {};
  return {
    clock: new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', ...timeZone }),
    day: new Intl.DateTimeFormat(undefined, {
      year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short', ...timeZone,
    }),
  };
}

const formats = { own: formatsIn('own'), UTC: formatsIn('UTC') };
let zoneNow: Zone = window.localStorage.getItem(zoneKept) === 'UTC' ? 'UTC' : 'own';

function useZone(): Zone {
  return useSyncExternalStore((changed) => {
    window.addEventListener(zoneChanged, changed);
    return () => window.removeEventListener(zoneChanged, changed);
  }, () => zoneNow);
}

/** Times of every view in the viewer's zone, or in UTC. */
export function ZoneButton() {
  const zone = useZone();
  const change = (): void => {
    zoneNow = zone === 'UTC' ? 'own' : 'UTC';
    window.localStorage.setItem(zoneKept, zoneNow);
    window.dispatchEvent(new Event(zoneChanged));
  };
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <button type="button" className="plain zone" onClick={change} title={zone === 'UTC' ? `Times are in UTC; press for ${own}` : `Times are in your zone, ${own}; press for UTC`}>
      <span aria-hidden="true">◷</span><span className="unseen">Times: </span> {zone === 'UTC' ? 'UTC' : 'local'}
    </button>
  );
}

/** A time in the viewer's zone or in UTC, as they chose; pointing at it, or its description, gives UTC. */
export function Time({ at, withDay = false }: { readonly at: number | null | undefined; readonly withDay?: boolean }) {
  const zone = useZone();
  if (at === null || at === undefined || !(at > 0)) return <span className="quiet">never</span>;
  const iso = new Date(at).toISOString();
  const { clock, day } = formats[zone];
  return <time dateTime={iso} title={`${iso} (UTC)`}>{(withDay ? day : clock).format(at)}</time>;
}

export function lasting(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function Id({ value }: { readonly value: string }) {
  return <code className="id" title={value}>{value.length > 14 ? `${value.slice(0, 10)}…` : value}</code>;
}

const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Characters that would hide or turn text are shown by their number. */
export function visible(text: string): string {
  return text.replaceAll(hidden, (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

const shortMax = 48;

/**
 * Text that an agent wrote. It is shown as it is, letter by letter, never as a link, a picture or a
 * style; what is long or reads like sentences is folded, so that it does not talk to who decides.
 */
export function AgentText({ text, by }: { readonly text: string; readonly by: string }) {
  const shown = visible(text);
  const isShort = shown.length <= shortMax && !/\s\S+\s/.test(shown);
  if (isShort) return <code className="agent-text">{shown}</code>;
  return (
    <details className="agent-text-folded">
      <summary>{text.length} characters written by {by}: read with care</summary>
      <blockquote><code>{shown}</code></blockquote>
    </details>
  );
}

/** What a view shows while it has nothing to show. */
export function Waiting<Value>({ loaded, what, children }: {
  readonly loaded: Loaded<Value>;
  readonly what: string;
  readonly children: (value: Value) => ReactNode;
}) {
  const { value, failure, again } = loaded;
  if (value === null && failure === null) {
    return <div className="state" role="status"><span className="spinner" aria-hidden="true" /> Loading {what} …</div>;
  }
  return (
    <>
      {failure !== null && <Failed failure={failure} what={what} again={again} />}
      {value !== null && children(value)}
    </>
  );
}

export function Failed({ failure, what, again }: {
  readonly failure: Error; readonly what: string; readonly again?: (() => void) | undefined;
}) {
  const code = failure instanceof Refusal ? failure.code : null;
  const entry = useCode(code);
  const isGone = failure instanceof Refusal && failure.status === 404;
  return (
    <div className="state bad" role="alert">
      <strong>{isGone ? `There is no such ${what}.` : `Could not load ${what}.`}</strong>
      <span>{code === null ? 'The node does not answer.' : `${code}. ${entry?.means ?? ''} ${entry?.mend ?? ''}`}</span>
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="state empty">{children}</div>;
}

export function Code({ code }: { readonly code: string }) {
  const entry = useCode(code);
  return (
    <span className="code-entry">
      <code>{code}</code>
      {entry !== null && <span className="quiet"> {entry.means}</span>}
    </span>
  );
}

export function Page({ title, lead, actions, children }: {
  readonly title: string; readonly lead?: ReactNode; readonly actions?: ReactNode; readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · maso`;
  }, [title]);
  return (
    <section className="page" aria-labelledby="page-title">
      <header className="page-head">
        <div>
          <h1 id="page-title" ref={heading} tabIndex={-1}>{title}</h1>
          {lead !== undefined && <p className="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Asks before something that cannot be taken back, with a reason that goes on record. */
export function Confirm({ title, says, verb, danger = false, ready = true, onClose, onConfirm }: {
  readonly title: string;
  /** What it does; may hold fields of its own. */
  readonly says: ReactNode;
  /** Whether those fields are filled. */
  readonly ready?: boolean;
  readonly verb: string;
  readonly danger?: boolean;
  readonly onClose: () => void;
  readonly onConfirm: (reason: string) => Promise<void>;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const act = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await onConfirm(reason);
      onClose();
    } catch (cause) {
      // Shown beside the button; nothing has changed.
      setFailure(cause instanceof Error ? cause : new Error('unknown'));
    } finally {
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby={`${field}-title`}>
      <form onSubmit={(event) => {
        event.preventDefault();
        void act();
      }}>
        <h2 id={`${field}-title`}>{title}</h2>
        <div>{says}</div>
        <label htmlFor={field}>Why? It goes on record.</label>
        <input id={field} value={reason} maxLength={500} required minLength={3}
          onChange={(event) => setReason(event.target.value)} />
        {failure !== null && <ActionFailed failure={failure} />}
        <div className="actions">
          <button type="button" className="plain" onClick={() => dialog.current?.close()}>Cancel</button>
          <button type="submit" className={danger ? 'danger' : 'primary'} disabled={busy || !ready || reason.trim().length < 3}>
            {busy ? 'Waiting for the passkey …' : verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Why an action did not come about; nothing has changed. */
export function ActionFailed({ failure }: { readonly failure: Error }) {
  const code = failure instanceof Refusal ? failure.code : null;
  const entry = useCode(code);
  const said = code !== null
    ? `${code}. ${entry?.means ?? ''} ${entry?.mend ?? ''}`
    : failure.name === 'NotAllowedError'
      ? 'The passkey was not used. Nothing has changed.'
      : `It did not come about: ${failure.message}`;
  return <p className="state bad" role="alert">{said}</p>;
}

export type ReadSoFar = { readonly from: number; readonly next: number; readonly size: number };

/** Over which entries of the record a view sums, and that it still reads where it does. */
export function Read({ read: { from, next, size } }: { readonly read: ReadSoFar }) {
  return (
    <p className="quiet" role="status">
      {next < size ? `Reading the record: ${(next - from).toLocaleString()} of ${(size - from).toLocaleString()} entries so far.`
        : `Over ${(next - from).toLocaleString()} entries of the record${from > 0 ? `, the newest of ${size.toLocaleString()}` : ', all that there are'}.`}
    </p>
  );
}

export function useOverview(everyMs = 5_000) {
  return useView<Overview>('/api/views/overview', everyMs);
}

export type Some = { readonly count: number; readonly names: readonly string[] };

export type Overview = {
  readonly name: string;
  readonly mode: string;
  readonly autonomyTier: number;
  readonly development: boolean;
  readonly policy: { readonly version: number; readonly digest: string };
  readonly pending: number;
  /** Changes of workflows that wait. */
  readonly changes: number;
  readonly agents: number;
  readonly connected: number;
  readonly away: Some;
  readonly stopped: Some;
  readonly isolationNone: number;
  readonly recorder: {
    readonly state: string; readonly code: string | null; readonly entries: number;
    readonly cosignedAgeMs: number | null; readonly witnesses: number;
  };
  readonly deselected: readonly { readonly id: string; readonly reason: string; readonly by: string }[];
};
