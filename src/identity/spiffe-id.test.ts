// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agentSpiffeId, formatSpiffeId, nodeSpiffeId, parseSpiffeId } from './spiffe-id.ts';

describe('SPIFFE ids', () => {
  it.each([
    '',
    'spiffe://',
    'spiffe://td',
    'spiffe://td/',
    'spiffe:///agent/a/i',
    'SPIFFE://td/agent/a/i',
    'spiffe://TD/agent/a/i',
    'spiffe://td:443/agent/a/i',
    'spiffe://user@td/agent/a/i',
    'spiffe://td/agent/a',
    'spiffe://td/agent/a/',
    'spiffe://td/agent/a/i/',
    'spiffe://td/agent/a/i/x',
    'spiffe://td/agent//i',
    'spiffe://td/agent/../i',
    'spiffe://td/agent/a/.',
    'spiffe://td/agent/a/i?x',
    'spiffe://td/agent/a/i#x',
    'spiffe://td/agent/a%2Fb/i',
    'spiffe://td/agent/ä/i',
    'spiffe://td/agent/a/i\n',
    ' spiffe://td/agent/a/i',
    'spiffe://td/Agent/a/i',
    'spiffe://td/node/n/x',
    'spiffe://td/node/',
    'spiffe://td/node',
    'spiffe://td/operator/a',
    'https://td/agent/a/i',
    `spiffe://${'a'.repeat(256)}/node/n`,
    `spiffe://td/node/${'n'.repeat(2048)}`,
  ])('refuses %j', (text) => {
    expect(parseSpiffeId(text)).toBeNull();
  });

  it('refuses to format parts that would read as another identity', () => {
    const attempts = [
      () => nodeSpiffeId('td/agent', 'x'),
      () => agentSpiffeId('td', 'a/b', ''),
      () => agentSpiffeId('td', '..', 'i'),
      () => agentSpiffeId('td/agent/x', 'a', 'i'),
      () => agentSpiffeId('TD', 'a', 'i'),
    ];
    for (const attempt of attempts) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'IDENTITY_SPIFFE_ID_INVALID' }));
    }
  });

  it('reads what it writes', () => {
    const segment = fc.stringMatching(/^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,40}$/);
    const domain = fc.stringMatching(/^[a-z0-9._-]{1,40}$/);
    fc.assert(
      fc.property(domain, segment, segment, (trustDomain, name, instance) => {
        const agent = { kind: 'agent', trustDomain, name, instance } as const;
        const node = { kind: 'node', trustDomain, name } as const;
        expect(parseSpiffeId(formatSpiffeId(agent))).toEqual(agent);
        expect(parseSpiffeId(formatSpiffeId(node))).toEqual(node);
      }),
    );
  });

  it('writes no text other than the one it reads', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tail) => {
        const text = `spiffe://td/agent/a/${tail}`;
        const id = parseSpiffeId(text);
        return id === null || formatSpiffeId(id) === text;
      }),
    );
  });
});
