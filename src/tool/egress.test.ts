// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../message/json.ts';
import { leavesAllowed } from './egress.ts';

const lists: { readonly [agent: string]: readonly string[] } = {
  triage: ['api.example.org', '*.partner.example'], sealed: [], payments: ['bank.example'],
};
const allowed = (args: JsonValue, ...agents: readonly string[]): boolean =>
  leavesAllowed(args, agents.length === 0 ? ['triage'] : agents, (agent) => lists[agent] ?? null);

describe('RT-14, stage 3: a call that would reach a host outside the list', () => {
  test.each([
    ['a URL', { url: 'https://evil.example/x' }],
    ['within prose', { text: 'see https://evil.example/x?d=1 for more' }],
    ['deep in a list', { a: [{ b: ['x', 'https://evil.example'] }] }],
    ['as the name of a member', { 'https://evil.example/': 1 }],
    ['behind a good user name', { url: 'https://api.example.org@evil.example/' }],
    ['behind a good host in the path', { url: 'https://evil.example/api.example.org' }],
    ['that ends like a good one', { url: 'https://notapi.example.org/' }],
    ['that begins like a good one', { url: 'https://api.example.org.evil.example/' }],
    ['above the wildcard', { url: 'https://partner.example/' }],
    ['with backslashes', { url: 'https:\\\\evil.example\\x' }],
    ['without a scheme', { url: '//evil.example/x' }],
    ['of another scheme', { url: 'ftp://evil.example/x' }],
    ['of a scheme of its own', { url: 'ldap://evil.example/x' }],
    ['by number', { url: 'http://2130706433/' }],
    ['by IPv6', { url: 'http://[::1]:80/' }],
    ['by address and port', { where: '10.0.0.1:80' }],
    ['by name and port', { where: 'evil.example:443' }],
    ['as a host', { host: 'evil.example' }],
    ['as www', { text: 'www.evil.example' }],
    ['as a mail address', { to: 'x@evil.example' }],
    ['in letters that only look alike', { url: 'https://аpi.example.org/' }],
    ['in capitals of another width', { url: 'https://ｅvil.example/' }],
    ['percent-encoded', { url: 'https%3A%2F%2Fevil.example%2Fx' }],
    ['in base64', { data: Buffer.from('https://evil.example/collect?d=1').toString('base64') }],
    ['that no parser understands', { url: 'https://[evil' }],
    ['without slashes', { text: 'https:evil.com/x' }],
    ['with one slash', { text: 'https:/evil.com/x' }],
    ['behind a user name that ends with a quote', { text: "https://api.example.org'@evil.com/x" }],
    ['behind a user name with more of them', { text: 'https://api.example.org`,"@evil.com/x' }],
    ['with a tab in it', { text: 'https://api.example.org\t.evil.com' }],
    ['with the end of a line in it, in prose', { text: 'see <a href="https://api.example.org\r\n.evil.com/x"> now' }],
    ['with tabs around the dot', { text: 'see https://api.example.org\t.\tevil.com now' }],
    ['with too many tabs', { text: `see https://api.example.org${'\t'.repeat(600)}.evil.com now` }],
    ['of a longer ending behind a tab', { url: 'https://api.example.org\tx/' }],
    ['with a tab between its slashes', { url: '/\t/evil.com' }],
    ['with a tab in its scheme', { url: 'htt\tps:evil.com' }],
    ['with a backslash before the sign', { text: 'http://api.example.org\\@evil.com' }],
    ['with a backslash before a user name', { text: 'http://api.example.org\\x@api.example.org' }],
    ['as a bare IPv6 host', { host: '2001:db8::1' }],
    ['with a query straight behind it', { url: 'evil.com?d=s' }],
    ['with many labels', { host: `${'a.'.repeat(20)}evil.com` }],
    ['with many labels and a port', { text: `${'a.'.repeat(20)}evil.com:443` }],
    ['under webhook_url', { webhook_url: 'evil.com/x' }],
    ['under callbackURLs', { callbackURLs: ['evil.com'] }],
    ['under webhookurl', { webhookurl: 'evil.com:80?x' }],
    ['under addresses', { addresses: ['evil.com'] }],
    ['under address, among words', { address: 'either evil.com or not' }],
    ['under callback', { callback: 'evil.com#x' }],
    ['under endpoints', { endpoints: 'api.example.org,evil.com' }],
    ['under url, as what no form takes', { url: 'evil!com other' }],
    ['under url, in quotes', { url: 'https://"evil.com"' }],
    ['as mail behind a slash', { to: 'x/@evil.com' }],
    ['as mail behind a quote', { to: "o'@evil.com" }],
    ['as mail behind a quoted name', { to: '"x y"@evil' }],
    ['as mail to an IPv6 literal', { to: 'x@[IPv6:2001:db8::1]' }],
    ['as mail to a literal that nobody knows', { to: 'x@[tag:evil]' }],
    ['as mail that goes on behind a line', { to: 'x@api.example.org_evil.com' }],
    ['as mail with a dot of another script', { to: 'x@api.example.org\u3002evil.com' }],
  ])('%s is not allowed', (_, args) => {
    expect(allowed(args)).toBe(false);
  });

  test('is not allowed either where only the one who asked may not reach it', () => {
    const args = { url: 'https://bank.example/x' };
    expect(allowed(args, 'payments')).toBe(true);
    expect(allowed(args, 'payments', 'triage')).toBe(false);
    expect(allowed({ url: 'https://api.example.org' }, 'sealed')).toBe(false);
  });
});

describe('a call is allowed', () => {
  test.each([
    ['to a listed host', { url: 'https://API.example.org./x' }],
    ['below a wildcard', { url: 'https://a.b.partner.example/x' }],
    ['with no address in it', { path: 'inbox/42.eml', text: 'Refunds: 10/12, 3:15 pm, v1.2.3', amount: 5 }],
    ['that quotes one', { text: "They call it 'https://api.example.org' and \"bob@api.example.org\" answers." }],
    ['in tight JSON', { text: '{"u":"https://api.example.org","m":"bob@api.example.org"}' }],
    ['at the end of a line', { text: 'See https://api.example.org\nThanks,\nBob' }],
    ['on lines of their own', { text: 'All: https://api.example.org\nbob@api.example.org\n' }],
    ['that mentions people', { text: 'Thanks @alice (@bob), see node_modules/@types/node, it\'s "fine" at 5 @ noon.' }],
    ['by name', { host: 'api.example.org', webhook_url: 'api.example.org:443/x?y', address: '12 Main St. North' }],
    ['below the place it has', { url: '/inbox/42', link: '#top', href: '' }],
    ['with an encoded word in it', { url: 'https://api.example.org/x?d=SGVsbG8gd29ybGQgdGhlcmU=' }],
    ['that says which protocol', { text: 'Use https: it is safer. http: is not.' }],
    ['with names of files', { file: 'handbook.md', other: 'a/b/c.tar.gz' }],
  ])('%s', (_, args) => {
    expect(allowed(args)).toBe(true);
  });

  test('anywhere by an agent that the mesh file does not limit', () => {
    expect(allowed({ url: 'https://evil.example' }, 'nobody')).toBe(true);
  });
});

test('a long hostile text is read in its length', () => {
  for (const part of ["https:'", 'https:a\t', '//a@', "'@", 'a.', '@[', '\\\\a\\@']) {
    expect(typeof allowed({ url: part.repeat(20_000 / part.length) })).toBe('boolean');
  }
});
