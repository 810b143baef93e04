// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useCallback, useEffect, useRef, useState, type FormEvent } from 'react';
import { get, post, signedOutEvent } from './api.ts';
import { Time, useOverview, ZoneButton } from './parts.tsx';
import { go, To, usePlace } from './router.tsx';
import { openSession, SessionProvider, type OpenSession, type SessionAnswer } from './session.tsx';
import { LiveProvider, useLive } from './stream.tsx';
import { Agents } from './views/agents.tsx';
import { Anomaly } from './views/anomaly.tsx';
import { Approvals } from './views/approvals.tsx';
import { Contagion } from './views/contagion.tsx';
import { Controls } from './views/controls.tsx';
import { Costs } from './views/costs.tsx';
import { FindEverything } from './views/find.tsx';
import { Home } from './views/home.tsx';
import { IntentView } from './views/intent.tsx';
import { Log } from './views/log.tsx';
import { RecorderView } from './views/recorder.tsx';
import { SignIn } from './views/sign-in.tsx';
import { Stops } from './views/stops.tsx';
import { Trace } from './views/trace.tsx';
import { Workflows } from './views/workflows.tsx';

const Mesh = lazy(() => import('./views/mesh.tsx').then(({ Mesh: view }) => ({ default: view })));

const places = [
  ['/', 'Now', '◉'],
  ['/approvals', 'Approvals', '✓'],
  ['/mesh', 'Mesh', '⬡'],
  ['/trace', 'Traces', '⇢'],
  ['/agents', 'Agents', '◎'],
  ['/stops', 'PACE and stops', '■'],
  ['/anomaly', 'Anomaly', '∿'],
  ['/contagion', 'Contagion', '≋'],
  ['/intent', 'Intent', '◇'],
  ['/controls', 'Controls', '▦'],
  ['/recorder', 'Recorder', '▤'],
  ['/costs', 'Costs', '∑'],
] as const;

export function App() {
  const [answer, setAnswer] = useState<SessionAnswer | null>(null);
  const [isAway, setAway] = useState(false);
  const asked = useRef(0);
  const ask = useCallback(() => {
    // Of several answers under way the newest question's counts: one from before somebody signed in
    // would sign them out of the page again.
    asked.current += 1;
    const turn = asked.current;
    get<SessionAnswer>('/api/session').then((given) => {
      if (turn !== asked.current) return;
      setAnswer(given);
      setAway(false);
    }, () => setAway(true));
  }, []);
  useEffect(() => {
    ask();
    window.addEventListener(signedOutEvent, ask);
    return () => window.removeEventListener(signedOutEvent, ask);
  }, [ask]);
  useEffect(() => {
    if (!isAway && answer?.state !== 'waiting') return undefined;
    const timer = setInterval(ask, 2_000);
    return () => clearInterval(timer);
  }, [ask, isAway, answer]);
  if (answer === null) {
    return <p className="booting" role="status">{isAway ? 'The node does not answer. Trying again …' : 'Loading the console …'}</p>;
  }
  const session = openSession(answer);
  if (session === null) return <SignIn answer={answer} changed={ask} />;
  return <SessionProvider value={session}><Shell session={session} changed={ask} /></SessionProvider>;
}

function Shell({ session, changed }: { readonly session: OpenSession; readonly changed: () => void }) {
  const place = usePlace();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [place]);
  const leave = (): void => {
    post('/api/session/end').then(changed, changed);
  };
  return (
    <LiveProvider>
      <a className="skip" href="#main">Skip to the content</a>
      <div className="shell">
        <nav className={isOpen ? 'nav open' : 'nav'} aria-label="Parts of the console">
          <To place="/" className="brand"><img src="/mark.svg" alt="" width="26" height="26" /> maso</To>
          <Places place={place} />
        </nav>
        <div className="frame">
          <header className="bar">
            <button type="button" className="plain menu" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              <span aria-hidden="true">☰</span><span className="unseen">Menu</span>
            </button>
            <Find />
            <StreamState />
            <ZoneButton />
            <ThemeButton />
            <span className="who"><strong>{session.operator}</strong><small>{session.roles.join(', ')}</small></span>
            <button type="button" className="plain" onClick={leave}>Sign out</button>
          </header>
          <LostBanner />
          <main id="main" tabIndex={-1}>
            <Suspense fallback={<div className="state" role="status">Loading …</div>}>
              <View place={place} />
            </Suspense>
          </main>
        </div>
      </div>
    </LiveProvider>
  );
}

function Places({ place }: { readonly place: string }) {
  const { value } = useOverview();
  const [path = '/'] = place.split('?');
  return (
    <ul>
      {places.map(([to, name, sign]) => {
        const isHere = to === '/' ? path === '/' : path.startsWith(to);
        const count = to === '/approvals' ? (value?.pending ?? 0) + (value?.changes ?? 0) : 0;
        return (
          <li key={to}>
            <To place={to} aria-current={isHere ? 'page' : undefined}>
              <span className="sign" aria-hidden="true">{sign}</span> {name}
              {count > 0 && <span className="count">{count}<span className="unseen"> waiting</span></span>}
            </To>
          </li>
        );
      })}
    </ul>
  );
}

function View({ place }: { readonly place: string }) {
  const [path = '/', search = ''] = place.split('?');
  const [, part = '', id = ''] = path.split('/');
  const query = new URLSearchParams(search);
  const named = id === '' ? null : decodeURIComponent(id);
  switch (part) {
    case '': return <Home />;
    case 'approvals': return <Approvals id={named} query={query} />;
    case 'mesh': return <Mesh query={query} />;
    case 'trace': return <Trace id={named} />;
    case 'agents': return <Agents id={named} query={query} />;
    case 'stops': return <Stops query={query} />;
    case 'contagion': return <Contagion id={named} query={query} />;
    case 'controls': return <Controls query={query} />;
    case 'recorder': return <RecorderView />;
    case 'costs': return <Costs id={named} />;
    case 'anomaly': return <Anomaly id={named} query={query} />;
    case 'intent': return <IntentView query={query} />;
    case 'find': return <FindEverything query={query} />;
    case 'workflows': return <Workflows id={named} />;
    case 'log': return <Log query={query} />;
    case 'sign-in': return <Home />;
    default:
      return (
        <section className="page">
          <h1>There is nothing here</h1>
          <p><To place="/">To what happens now</To></p>
        </section>
      );
  }
}

/** Any id leads to its trace; words are looked for everywhere. */
function Find() {
  const [text, setText] = useState('');
  const find = (event: FormEvent): void => {
    event.preventDefault();
    const wanted = text.trim();
    if (wanted === '') return;
    const isId = /^[0-9A-HJKMNP-TV-Z]{8,26}$/.test(wanted) && /[0-9]/.test(wanted) || /^[a-z-]+\.[0-9A-Z]{26}/.test(wanted);
    go(isId ? `/trace/${encodeURIComponent(wanted)}` : `/find?search=${encodeURIComponent(wanted)}`);
    setText('');
  };
  return (
    <form className="find" role="search" onSubmit={find}>
      <label className="unseen" htmlFor="find">Find an id, an action or an agent</label>
      <input id="find" type="search" placeholder="Find an id, an action, an agent" value={text}
        onChange={(event) => setText(event.target.value)} />
    </form>
  );
}

function LostBanner() {
  const { state } = useLive();
  return state === 'lost'
    ? <div className="banner" role="status">The node does not answer. What you see may be old; reconnecting …</div> : null;
}

function StreamState() {
  const { state, size, entries } = useLive();
  const said = state === 'open' ? 'live' : state === 'lost' ? 'reconnecting' : 'connecting';
  return (
    <span className={`stream ${state}`} role="status" title={`${size} entries in the record`}>
      <span className="dot" aria-hidden="true" /> {said}
      {entries[0] !== undefined && <small><Time at={entries[0].recordedAt} /></small>}
    </span>
  );
}

type Theme = 'auto' | 'light' | 'dark';
const nextTheme = { auto: 'light', light: 'dark', dark: 'auto' } as const;

function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = window.localStorage.getItem('maso-theme');
    return kept === 'light' || kept === 'dark' ? kept : 'auto';
  });
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    window.localStorage.setItem('maso-theme', theme);
  }, [theme]);
  return (
    <button type="button" className="plain" onClick={() => setTheme(nextTheme[theme])}>
      <span aria-hidden="true">◐</span><span className="unseen">Colours: </span> {theme}
    </button>
  );
}
