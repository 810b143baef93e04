// SPDX-License-Identifier: Apache-2.0
import { stepsOf } from '../text/effort.ts';
import type { PersonalWork } from './personal.ts';

const localLengthMax = 64;
const domainLengthMax = 253;
/** Ways to write the sign so that programs do not see it. */
const signs = /@|[ ]?[([]at[)\]][ ]?/gi;
const spelled = /[([]at[)\]]/i;

/**
 * Finds e-mail addresses, also with `(at)` for the sign and `(dot)` for a dot. Linear: from each
 * sign it looks at most 64 characters back and 253 forward, and what was looked at is not looked at
 * again.
 */
export function findAddresses(
  text: string,
  work: PersonalWork,
  onMatch: (start: number, end: number) => void,
): void {
  let from = 0;
  const around = (sign: number, signEnd: number): void => {
    if (sign < from) return;
    const start = localStart(text, sign, from);
    const end = start < sign ? domainEnd(text, signEnd) : -1;
    if (end > 0) onMatch(start, end);
    from = Math.max(signEnd, end);
  };
  if (spelled.test(text)) {
    for (const sign of text.matchAll(signs)) {
      if (!work.take(stepsOf.address)) return;
      around(sign.index, sign.index + sign[0].length);
    }
    return;
  }
  // The expression costs several times as much as a look for the one sign.
  for (let sign = text.indexOf('@'); sign >= 0; sign = text.indexOf('@', sign + 1)) {
    if (!work.take(stepsOf.address)) return;
    around(sign, sign + 1);
  }
}

function localStart(text: string, sign: number, from: number): number {
  let start = sign;
  const least = Math.max(from, sign - localLengthMax);
  while (start > least && isLocalUnit(text.charCodeAt(start - 1))) start -= 1;
  while (start < sign && text.charCodeAt(start) === 0x2e) start += 1;
  return start;
}

const dot = /^(?:\.|[ ]?[([]dot[)\]][ ]?)/i;
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?/;

/** End of a domain of two labels at least, the last of letters; -1 when there is none. */
function domainEnd(text: string, start: number): number {
  let rest = text.slice(start, start + domainLengthMax);
  let read = 0;
  let end = -1;
  for (let labels = 1; labels <= 8; labels += 1) {
    const name = label.exec(rest)?.[0];
    if (name === undefined) break;
    read += name.length;
    if (labels > 1 && /^[A-Za-z]{2,24}$/.test(name)) end = start + read;
    rest = rest.slice(name.length);
    const between = dot.exec(rest)?.[0];
    if (between === undefined) break;
    read += between.length;
    rest = rest.slice(between.length);
  }
  return end;
}

function isLocalUnit(code: number): boolean {
  if ((code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a)) return true;
  if (code >= 0x61 && code <= 0x7a) return true;
  return code === 0x2e || code === 0x5f || code === 0x25 || code === 0x2b || code === 0x2d;
}
