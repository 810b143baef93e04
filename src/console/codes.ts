// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const consoleCodes = {
  CONSOLE_SESSION_MISSING: {
    means: 'Nobody is signed in with this browser, or the session has ended.',
    mend: 'Sign in with a passkey, or with the link of maso operator passkey.',
    agentSees: 'REFUSED',
  },
  CONSOLE_ORIGIN_REFUSED: {
    means: 'The request did not come from the console\'s own page.',
    mend: 'Open the console under the address that maso up prints; a foreign page may be at work.',
    agentSees: 'REFUSED',
  },
  CONSOLE_LINK_REFUSED: {
    means: 'The one-time link was used, has ended, or was never given out.',
    mend: 'Make another: maso operator passkey --as NAME.',
    agentSees: 'REFUSED',
  },
  CONSOLE_PASSKEY_REFUSED: {
    means: 'The passkey did not prove that it belongs to an operator of this mesh.',
    mend: 'Use a registered passkey, or register one: maso operator passkey --as NAME.',
    agentSees: 'REFUSED',
  },
  CONSOLE_PASSKEY_WAITS: {
    means: 'The passkey is registered; its operator has not endorsed it yet.',
    mend: 'Confirm it in the terminal where maso operator passkey waits.',
    agentSees: 'REFUSED',
  },
  CONSOLE_RIGHT_MISSING: {
    means: 'The roles of this operator do not include this.',
    mend: 'Ask somebody whose roles do; they stand in the mesh file under operators.',
    agentSees: 'REFUSED',
  },
  CONSOLE_FOREIGN_STATEMENT: {
    means: 'The statement was signed by somebody else than who is signed in.',
    mend: 'Sign in as the one who signed it.',
    agentSees: 'REFUSED',
  },
  CONSOLE_REQUEST_MALFORMED: {
    means: 'The request to the console is not of the shape that it has.',
    mend: 'Reload the page; the console may have been updated.',
    agentSees: 'INVALID',
  },
  CONSOLE_UNKNOWN: {
    means: 'Nothing of this mesh has this name.',
    mend: 'Look for it in the list; it may have ended.',
    agentSees: 'REFUSED',
  },
  CONSOLE_TRIED_TOO_OFTEN: {
    means: 'Signing in failed too often in a short time.',
    mend: 'Wait a minute.',
    agentSees: 'RATE_LIMITED',
  },
} as const satisfies CodeTable;

export type ConsoleCode = keyof typeof consoleCodes;
