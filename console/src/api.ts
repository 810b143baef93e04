// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Row = { readonly [name: string]: Json };

/** What the node refused, by its code. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number) {
    super(code);
    this.name = 'Refusal';
    this.code = code;
    this.status = status;
  }
}

export const signedOutEvent = 'maso-signed-out';

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const body: unknown = await response.json().catch(() => ({}));
  if (response.ok) return body as Answer;
  const code: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'code') : null;
  const refusal = new Refusal(typeof code === 'string' ? code : 'CONSOLE_UNREACHABLE', response.status);
  if (refusal.status === 401) window.dispatchEvent(new Event(signedOutEvent));
  throw refusal;
}

export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(path, { credentials: 'same-origin', ...(signal ? { signal } : {}) });
  return answerOf<Answer>(response);
}

export async function post<Answer>(path: string, body: unknown = {}): Promise<Answer> {
  const response = await fetch(path, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', 'x-maso': 'console' },
    body: JSON.stringify(body),
  });
  return answerOf<Answer>(response);
}

export type Loaded<Value> = {
  readonly value: Value | null;
  readonly failure: Refusal | Error | null;
  readonly again: () => void;
};

/** Loads a view and loads it again now and then; what was shown stays while it does. */
export function useView<Value>(path: string | null, everyMs = 0): Loaded<Value> {
  const [state, setState] = useState<{ path: string | null; value: Value | null; failure: Error | null }>({
    path, value: null, failure: null,
  });
  const [turn, setTurn] = useState(0);
  const shown = useRef(path);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    shown.current = path;
    get<Value>(path, stop.signal).then(
      (value) => setState({ path, value, failure: null }),
      (failure: unknown) => {
        if (stop.signal.aborted) return;
        const error = failure instanceof Error ? failure : new Error('unknown');
        setState((before) => ({ path, value: before.path === path ? before.value : null, failure: error }));
      },
    );
    return () => stop.abort();
  }, [path, turn]);
  useEffect(() => {
    if (everyMs === 0) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((count) => count + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const again = useCallback(() => setTurn((count) => count + 1), []);
  const isCurrent = state.path === path;
  return { value: isCurrent ? state.value : null, failure: isCurrent ? state.failure : null, again };
}
