// SPDX-License-Identifier: Apache-2.0
import { readText } from './read-text.ts';

/** Hosts that a text may reach. */
export type Addresses = {
  /** As a URL parser writes them: lower case, without port, international names in ASCII. */
  readonly hosts: ReadonlySet<string>;
  /** Something in it looks like an address and names no host that can be told, or too much was hidden. */
  readonly unclear: boolean;
};

const addressesMax = 256;
/** `scheme:` and slashes of either kind, or two slashes alone, up to what ends an address in prose. */
const urlForm = /(?:[a-z][a-z0-9+.-]{0,31}:)?[\\/]{2}[^\s"'<>`]{1,2048}/giu;
const mailForm = /[^\s"'<>@:/\\,;()[\]]{1,128}@((?:\[[0-9a-f:.]{2,64}\])|[\p{L}\p{N}.-]{1,253})/giu;
const bareForm = /^(?:www\.[^\s/:]{1,253}|\[[0-9a-f:.]{2,64}\]|\d{1,3}(?:\.\d{1,3}){3}|[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,10}:\d{1,5})(?:[/:].*)?$/iu;
/** A host in these forms is one whatever stands around it. */
const hostForm = /^[\p{L}\p{N}_-]{1,63}(?:\.[\p{L}\p{N}_-]{1,63}){0,10}\.?(?::\d{1,5})?(?:\/.*)?$/iu;

/**
 * Every host that a text names as a place to reach: in URLs, also without a scheme, in mail addresses, and,
 * with `isHost`, as the text itself. Each way to read the text counts, so that an encoding hides none.
 * Linear in the text.
 */
export function addressesIn(text: string, isHost = false): Addresses {
  const hosts = new Set<string>();
  const { views, exhausted } = readText(text);
  let unclear = exhausted;
  const add = (host: string | null): void => {
    if (host === null || hosts.size >= addressesMax) unclear = true;
    else hosts.add(host);
  };
  for (const { text: view } of views) {
    for (const [url] of view.matchAll(urlForm)) add(hostOf(url));
    for (const [, host = ''] of view.matchAll(mailForm)) add(hostOf(`//${host}`));
    const whole = view.trim();
    if (bareForm.test(whole) || (isHost && hostForm.test(whole))) add(hostOf(`//${whole}`));
  }
  return { hosts, unclear };
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
