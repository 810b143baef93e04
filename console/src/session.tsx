// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext } from 'react';

export type Right = 'look' | 'decide' | 'operate' | 'stop' | 'recover' | 'open' | 'policy';

export type SessionAnswer = {
  readonly state: 'none' | 'registering' | 'waiting' | 'open';
  readonly operator?: string;
  readonly roles?: readonly string[];
  readonly rights?: readonly Right[];
  readonly credential?: string | null;
  readonly endorsement?: string | null;
  readonly site?: string;
  readonly serverNowMs: number;
};

export type OpenSession = {
  readonly operator: string;
  readonly roles: readonly string[];
  readonly may: (right: Right) => boolean;
  readonly credential: string;
  readonly endorsement: string;
  readonly site: string;
  /** On the node's clock, which deadlines are counted on. */
  readonly nowMs: () => number;
};

/** A session to act with; null while nobody is signed in. */
export function openSession(answer: SessionAnswer): OpenSession | null {
  const { state, operator, roles = [], rights = [], credential, endorsement, site, serverNowMs } = answer;
  if (state !== 'open' || !operator || !credential || !endorsement || !site) return null;
  const aheadMs = serverNowMs - Date.now();
  return {
    operator, roles, credential, endorsement, site,
    may: (right) => rights.includes(right),
    nowMs: () => Math.round(Date.now() + aheadMs),
  };
}

const SessionContext = createContext<OpenSession | null>(null);
export const SessionProvider = SessionContext.Provider;

export function useSession(): OpenSession {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('Nobody is signed in.');
  return session;
}
