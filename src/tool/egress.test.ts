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
    ['with names of files', { file: 'handbook.md', other: 'a/b/c.tar.gz' }],
  ])('%s', (_, args) => {
    expect(allowed(args)).toBe(true);
  });

  test('anywhere by an agent that the mesh file does not limit', () => {
    expect(allowed({ url: 'https://evil.example' }, 'nobody')).toBe(true);
  });
});
