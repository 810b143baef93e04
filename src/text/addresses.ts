// SPDX-License-Identifier: Apache-2.0
import { readText } from './read-text.ts';

/** Hosts that a text may reach. */
export type Addresses = {
  /** As a URL parser writes them: lower case, without port, international names in ASCII. */
  readonly hosts: ReadonlySet<string>;
  /** Something in it looks like an address and names no host that can be told, or too much was hidden. */
  readonly unclear: boolean;
};

/**
 * What the place of a text says of it: `prose` is read for addresses only; of `place` the text itself may
 * be one; as `host` it is nothing else, so that what cannot be read as one is unclear.
 */
export type AddressUse = 'prose' | 'place' | 'host';

const addressesMax = 256;
const gluedMax = 512;
/** Where a host may begin: after slashes of either kind, and after these schemes also without any. */
const urlStart = /(?:https?|wss?|ftp):[\\/\t\r\n]*|(?:[a-z][a-z0-9+.-]{0,31}:)?[\\/][\t\r\n]*[\\/][\\/\t\r\n]*/giu;
const authorityEnd = /[\s<>/\\?#]/gu;
/** A backslash ends the host for some parsers and not for others. */
const looseEnd = /[\s<>/?#]/gu;
const gluedForm = new RegExp(`[^ \\v\\f\\u00a0<>/\\\\?#"'\`]{1,${gluedMax}}`, 'yu');
const quote = /["'`]/u;
const mailHost = /@(\[[^\]\s]{0,80}\]?|[\p{L}\p{M}\p{N}_.\-\u3002\uff0e\uff61]+)/giu;
const afterMention = /["'<>@:/\\,;()[\]`]/u;
const bareForm = /^(?:www\.[^\s/:]{1,253}|\[[0-9a-f:.]{2,64}\]|\d{1,3}(?:\.\d{1,3}){3}|[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,127}:\d{1,5})(?:[/:?#].*)?$/iu;
/** A host in these forms is one where the member says that it may be. */
const hostForm = /^[\p{L}\p{N}_-]{1,63}(?:\.[\p{L}\p{N}_-]{1,63}){0,127}\.?(?::\d{1,5})?(?:[/?#].*)?$/iu;
const dottedForm = /^[\p{L}\p{N}_-]{1,63}(?:\.[\p{L}\p{N}_-]{1,63}){1,127}\.?(?::\d{1,5})?(?:[/?#].*)?$/iu;
/** A reference below the place that the tool has already. */
const rootedForm = /^(?:\/(?![\\/])|[?#])/u;
const ipv6Form = /^[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*$/iu;

/**
 * Every host that a text names as a place to reach: in URLs, also without a scheme, in mail addresses, and,
 * by its use, as the text itself. Each way to read the text counts, so that an encoding hides none; where
 * parsers differ on the host it is unclear. Linear in the text.
 */
export function addressesIn(text: string, use: AddressUse = 'prose'): Addresses {
  const { views, exhausted } = readText(text);
  const found = new Found(exhausted);
  for (const [index, { text: view }] of views.entries()) {
    // What is decoded out of a part of the text need not be a host itself.
    const asUse = index > 0 && use === 'host' ? 'place' : use;
    readView(view, asUse, found);
    const whole = view.trim();
    // Parsers of URLs take these characters out wherever they stand.
    if (/[\t\r\n]/u.test(whole) && (use !== 'prose' || !whole.includes(' '))) {
      readView(whole.replace(/[\t\r\n]/gu, ''), asUse, found);
    }
  }
  return found;
}

class Found implements Addresses {
  readonly hosts = new Set<string>();
  unclear: boolean;

  constructor(unclear: boolean) {
    this.unclear = unclear;
  }

  add(host: string | null): void {
    if (host === null || this.hosts.size >= addressesMax) this.unclear = true;
    else this.hosts.add(host);
  }
}

function readView(view: string, use: AddressUse, found: Found): void {
  readUrls(view, found);
  for (const { 1: host = '', index } of view.matchAll(mailHost)) {
    const before = view.slice(Math.max(0, index - 2), index);
    if (isMail(before, host)) found.add(hostOf(`//${host.replace(/^\[ipv6:/iu, '[')}`));
  }
  const whole = view.trim();
  if (bareForm.test(whole)) found.add(hostOf(`//${whole}`));
  else if (use !== 'prose' && whole !== '') readAsHost(whole, use, found);
}

/** Where nothing stands before the sign it mentions somebody, and so it may after a mark. */
function isMail(before: string, host: string): boolean {
  const last = before.slice(-1);
  if (last === '' || /\s/u.test(last)) return false;
  if (!afterMention.test(last)) return true;
  const isClosed = quote.test(last) && /^[\p{L}\p{N}]/u.test(before) && before.length === 2;
  return isClosed || host.startsWith('[') || /[.\u3002\uff0e\uff61][\p{L}\p{N}]/u.test(host);
}

function readUrls(view: string, found: Found): void {
  const authority = new Ends(view, authorityEnd);
  const loose = new Ends(view, looseEnd);
  let read = -1;
  urlStart.lastIndex = 0;
  for (let start = urlStart.exec(view); start !== null; start = urlStart.exec(view)) {
    const from = urlStart.lastIndex;
    const { end, lastAt } = authority.after(from);
    const shown = view.slice(from, end);
    const cut = shown.search(quote);
    const plain = cut < 0 ? shown : shown.slice(0, cut);
    if (plain !== '') found.add(hostOf(`${schemeOf(start[0])}//${plain}`));
    // Behind a quote it goes on where it turns out to be a user name.
    if (cut >= 0 && lastAt >= from + cut && lastAt !== read) {
      read = lastAt;
      const [host = ''] = view.slice(lastAt + 1, end).split(quote, 1);
      if (host !== '') found.add(hostOf(`//${host}`));
    }
    if (view[end] === '\\' && loose.after(from).lastAt > end) found.unclear = true;
    if (cut < 0) readGlued(view, from, end, found);
    urlStart.lastIndex = cut < 0 ? Math.max(from, end) : from + cut;
  }
  urlStart.lastIndex = 0;
}

/** A host that goes on behind a tab or the end of a line, for a parser that takes them out. */
function readGlued(view: string, from: number, end: number, found: Found): void {
  if (!/[\t\r\n]/u.test(view.charAt(end))) return;
  gluedForm.lastIndex = end;
  const [more = ''] = gluedForm.exec(view) ?? [];
  if (more.length >= gluedMax) found.unclear = true;
  const rest = more.replace(/\s/gu, '');
  const isQuoted = /["'`=(]\s*(?:[a-z]+:)?[\\/]*$/iu.test(view.slice(Math.max(0, from - 16), from));
  if (rest === '' || !(isQuoted || /^[.@]|[.@]./u.test(rest))) return;
  const host = hostOf(`//${view.slice(from, end)}${rest}`);
  if (host !== null) found.add(host);
}

type Segment = { readonly end: number; readonly lastAt: number };

/** The next of these characters, and the last `@` before it; each part of a text is looked at once. */
class Ends {
  readonly #text: string;
  readonly #form: RegExp;
  #known: Segment = { end: -1, lastAt: -1 };

  constructor(text: string, form: RegExp) {
    this.#text = text;
    this.#form = form;
  }

  after(from: number): Segment {
    if (from <= this.#known.end) return this.#known;
    this.#form.lastIndex = from;
    const end = this.#form.exec(this.#text)?.index ?? this.#text.length;
    const lastAt = this.#text.slice(from, end).lastIndexOf('@');
    this.#known = { end, lastAt: lastAt < 0 ? -1 : from + lastAt };
    return this.#known;
  }
}

function readAsHost(whole: string, use: AddressUse, found: Found): void {
  if (/^(?:(?:https?|wss?|ftp):|(?:[a-z][a-z0-9+.-]{0,31}:)?[\\/]{2})/iu.test(whole)) {
    found.add(hostOf(whole));
    return;
  }
  if (rootedForm.test(whole)) return;
  if (hostForm.test(whole)) found.add(hostOf(`//${whole}`));
  else if (ipv6Form.test(whole)) found.add(hostOf(`//[${whole}]`));
  else if (use === 'host') found.add(/[\s,;|]/u.test(whole) ? null : hostOf(`//${whole}`));
  else {
    for (const part of whole.split(/[\s,;|]+/u)) if (dottedForm.test(part)) found.add(hostOf(`//${part}`));
  }
}

function schemeOf(start: string): string {
  return /^[a-z][a-z0-9+.-]*:/iu.exec(start)?.[0] ?? '';
}

/** What a program would connect to; null where no parser makes a host of it. */
function hostOf(url: string): string | null {
  const slashed = url.replaceAll('\\', '/');
  const special = /^(?:https?|wss?|ftp):/i.test(slashed) ? slashed : slashed.replace(/^[a-z][a-z0-9+.-]*:/i, 'https:');
  const whole = special.startsWith('//') ? `https:${special}` : special;
  if (!URL.canParse(whole)) return null;
  const host = new URL(whole).hostname.replace(/\.$/, '').toLowerCase();
  return host === '' ? null : host;
}
