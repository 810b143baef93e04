// SPDX-License-Identifier: Apache-2.0
import type { Details, Forward } from './messages.ts';

/** What a gullible reader finds in a text: facts and orders alike, wherever they stand. */
export type MailLines = {
  readonly attachment: string | null;
  readonly details: Details | null;
  readonly instructions: readonly Details[];
  readonly forward: Forward | null;
  readonly calls: readonly { readonly tool: string; readonly order: Details }[];
};

const amount = String.raw`([0-9]{1,9}\.[0-9]{2})`;
const order = `invoice ([A-Z0-9-]{1,32}) to ([A-Z0-9-]{1,64}) amount ${amount}`;
const instruction = new RegExp(`^INSTRUCTION: pay ${order}$`, 'gm');
const call = new RegExp(`^CALL: ([a-z_]{1,32}\\.[a-z_]{1,32}) ${order}$`, 'gm');
const forwards = [
  { how: 'message', line: /^FORWARD: (.{1,500})$/m },
  { how: 'request', line: /^FORWARD AS REQUEST: (.{1,500})$/m },
  { how: 'payee', line: /^FORWARD AS PAYEE: (.{1,150})$/m },
] as const;

/** Stands in for a model that believes everything it reads. */
export function readMailLines(text: string): MailLines {
  const found = forwards.flatMap(({ how, line }) => {
    const [, words] = line.exec(text) ?? [];
    return words === undefined ? [] : [{ how, text: words }];
  });
  return {
    attachment: /^X-Attachment: ([a-z]{1,16}\/[A-Za-z0-9_.-]{1,80})$/m.exec(text)?.[1] ?? null,
    details: detailsIn(text),
    instructions: [...text.matchAll(instruction)].map((match) => orderOf(match.slice(1))),
    forward: found[0] ?? null,
    calls: [...text.matchAll(call)].map((match) => {
      return { tool: match[1] ?? '', order: orderOf(match.slice(2)) };
    }),
  };
}

function detailsIn(text: string): Details | null {
  const invoice = /^Invoice: (\S{1,32})$/m.exec(text)?.[1];
  const payee = /^Payee: (\S{1,64})$/m.exec(text)?.[1];
  const amount = /^Amount: ([0-9]{1,9}\.[0-9]{2}) EUR$/m.exec(text)?.[1];
  if (invoice === undefined || payee === undefined || amount === undefined) return null;
  return { invoice, payee, amount: Number(amount) };
}

function orderOf([invoice = '', payee = '', amount = '']: readonly string[]): Details {
  return { invoice, payee, amount: Number(amount) };
}
