// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Label } from '../message/envelope.ts';
import type { AgentContext } from './context.ts';
import { absorb, freshContext } from './context.ts';
import { cleanLabel, dominates } from './label.ts';

const mail: Label = { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] };
const inputs = fc.array(
  fc.record({ id: fc.string({ maxLength: 30 }), label: fc.constantFrom(cleanLabel, mail) }),
  { maxLength: 12 },
);

function absorbAll(all: readonly { readonly id: string; readonly label: Label }[]): AgentContext {
  let context = freshContext;
  for (const input of all) context = absorb(context, input);
  return context;
}

describe('context', () => {
  it('never lowers its label', () => {
    fc.assert(
      fc.property(inputs, (all) => {
        let before = freshContext;
        for (const input of all) {
          const after = absorb(before, input);
          expect(dominates(after.label, before.label)).toBe(true);
          expect(dominates(after.label, input.label)).toBe(true);
          expect(after.count).toBe(before.count + 1);
          before = after;
        }
      }),
    );
  });

  it('has another digest when an input is left out, changed or moved', () => {
    const first = { id: 'a', label: mail };
    const second = { id: 'b', label: cleanLabel };
    const digests = [
      absorbAll([first, second]),
      absorbAll([second, first]),
      absorbAll([first]),
      absorbAll([second]),
      absorbAll([first, { ...second, id: 'c' }]),
      absorbAll([first, { ...second, label: mail }]),
      freshContext,
    ].map((context) => context.digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('is a hash chain that others can recompute', () => {
    const link =
      `["${freshContext.digest}","a",` +
      '{"classification":"internal","integrity":"untrusted","origins":["tool:mail"]}]';
    const expected = createHash('sha256').update(link).digest('base64url');
    expect(absorb(freshContext, { id: 'a', label: mail }).digest).toBe(expected);
  });
});
