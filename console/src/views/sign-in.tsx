// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'react';
import { post } from '../api.ts';
import { ActionFailed } from '../parts.tsx';
import { register, signIn } from '../passkey.ts';
import type { SessionAnswer } from '../session.tsx';

/** The one way in: a passkey, or once a link that registers one. */
export function SignIn({ answer, changed }: { readonly answer: SessionAnswer; readonly changed: () => void }) {
  const [failure, setFailure] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const spent = useRef(false);
  useEffect(() => {
    document.title = 'Sign in · maso';
    const link = new URLSearchParams(window.location.hash.slice(1)).get('link');
    if (link === null || spent.current) return;
    spent.current = true;
    // Out of the address bar before anything else can read it there.
    window.history.replaceState(null, '', '/sign-in');
    post('/api/session/link', { token: link }).then(changed, setFailure);
  }, [changed]);
  const act = (work: () => Promise<unknown>) => async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await work();
      if (window.location.pathname === '/sign-in') window.history.replaceState(null, '', '/');
      changed();
    } catch (cause) {
      // Said below; nobody is signed in.
      setFailure(cause instanceof Error ? cause : new Error('unknown'));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <img src="/mark.svg" alt="" width="56" height="56" />
      <h1>maso</h1>
      {answer.state === 'registering' && (
        <>
          <p>Welcome, <strong>{answer.operator}</strong>. Register a passkey for this machine. From now on it signs you in,
            and it signs each of your decisions.</p>
          <button type="button" className="primary" disabled={busy} onClick={act(register)}>
            {busy ? 'Waiting for the passkey …' : 'Register a passkey'}
          </button>
        </>
      )}
      {answer.state === 'waiting' && (
        <p role="status"><span className="spinner" aria-hidden="true" /> The passkey of <strong>{answer.operator}</strong> is
          registered. The terminal where <code>maso operator passkey</code> waits endorses it now.</p>
      )}
      {answer.state === 'none' && (
        <>
          <p>Held actions, the live mesh and its record, for the people who answer for it.</p>
          <button type="button" className="primary" disabled={busy} onClick={act(signIn)}>
            {busy ? 'Waiting for the passkey …' : 'Sign in with a passkey'}
          </button>
          <p className="quiet">First time here? Open the one-time link that <code>maso up</code> printed, or make one
            with <code>maso operator passkey --as NAME</code>.</p>
        </>
      )}
      {failure !== null && <ActionFailed failure={failure} />}
    </main>
  );
}
