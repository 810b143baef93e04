// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../message/json.ts';
import { addressesIn, type AddressUse } from '../text/addresses.ts';

/** Hosts that an agent may reach, `*.example.org` for all below one; null where nothing limits it. */
export type EgressOf = (agent: string) => readonly string[] | null;

const valuesMax = 20_000;

/** Last words of the names of members that hold a host or a URL, and nothing else. */
const hostWords: ReadonlySet<string> = new Set([
  'host', 'hostname', 'server', 'endpoint', 'url', 'uri', 'webhook', 'proxy', 'href', 'fqdn', 'website',
]);
/** Of members that may hold one, or words for people. */
const placeWords: ReadonlySet<string> = new Set([
  'domain', 'callback', 'origin', 'remote', 'link', 'address', 'addr', 'ip', 'site', 'upstream', 'gateway',
]);
/** Written without a gap too, as in `webhookurl`. */
const hostEnding = /(?:url|uri|webhook|endpoint|hostname|href)s?$/u;

/**
 * Whether arguments name a place outside that one of these agents may not reach: the executor that calls
 * the tool, and whoever asked for it. Whatever is encoded, split over the ways to read it, or not to be
 * told counts as named. G2, RT-14.
 */
export function leavesAllowed(
  args: JsonValue,
  agents: readonly string[],
  egressOf: EgressOf,
): boolean {
  const lists = [...new Set(agents)].flatMap((agent) => {
    const list = egressOf(agent);
    return list === null ? [] : [list];
  });
  if (lists.length === 0) return true;
  const pending: (readonly [member: string, value: JsonValue])[] = [['', args]];
  for (let seen = 0; pending.length > 0; seen += 1) {
    if (seen >= valuesMax) return false;
    const [member, value] = pending.pop() ?? ['', null];
    if (typeof value === 'string' && !isAllowed(value, member, lists)) return false;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) pending.push(...value.map((item) => [member, item] as const));
    // A name of a member can carry out what its value may not.
    else for (const [name, held] of Object.entries(value)) pending.push(['', name], [name, held]);
  }
  return true;
}

function isAllowed(text: string, member: string, lists: readonly (readonly string[])[]): boolean {
  const { hosts, unclear } = addressesIn(text, useOf(member));
  if (unclear) return false;
  return [...hosts].every((host) => lists.every((list) => list.some((one) => covers(one, host))));
}

function useOf(member: string): AddressUse {
  const spaced = member.normalize('NFKC').replace(/([a-z0-9])([A-Z])/gu, '$1 $2').toLowerCase();
  const word = spaced.split(/[^a-z]+/u).findLast((part) => part !== '') ?? '';
  const forms = [word, word.replace(/s$/u, ''), word.replace(/es$/u, ''), word.replace(/ies$/u, 'y')];
  if (hostEnding.test(word) || forms.some((form) => hostWords.has(form))) return 'host';
  return forms.some((form) => placeWords.has(form)) ? 'place' : 'prose';
}

/** `*.example.org` covers what stands below it, and not itself. */
function covers(allowed: string, host: string): boolean {
  return allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) && host.length > allowed.length - 1
    : host === allowed;
}
