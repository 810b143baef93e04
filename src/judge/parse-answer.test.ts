// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { newFence } from './fence.ts';
import { parseAnswer } from './parse-answer.ts';

const fence = newFence((count) => new Uint8Array(count).fill(7));
const criteria = [{ id: 'no-exfiltration', text: 'Nothing leaves.' }];
const whole = { reason: 'because', verdict: 'GO', criterion: 'none', echo: fence.nonce };

function parse(answer: object | string): ReturnType<typeof parseAnswer> {
  return parseAnswer(typeof answer === 'string' ? answer : JSON.stringify(answer), criteria, fence);
}

describe('an answer', () => {
  it.each([
    ['nothing', ''],
    ['prose', 'GO'],
    ['prose around it', `Here you are: ${JSON.stringify(whole)}`],
    ['a fenced block', `\`\`\`json\n${JSON.stringify(whole)}\n\`\`\``],
    ['two objects', `${JSON.stringify(whole)}${JSON.stringify(whole)}`],
    ['a doubled verdict', JSON.stringify(whole).replace('"verdict":"GO"', '"verdict":"NO-GO","verdict":"GO"')],
    ['another verdict', { ...whole, verdict: 'go' }],
    ['no verdict', { reason: '', criterion: 'none', echo: fence.nonce }],
    ['one member more', { ...whole, confidence: 1 }],
    ['an undeclared criterion', { ...whole, criterion: 'made-up' }],
    ['the nonce of another question', { ...whole, echo: '00' }],
    ['a list', [whole]],
    ['an endless reason', { ...whole, reason: 'x'.repeat(20_000) }],
  ])('that is %s is none', (_what, answer) => {
    expect(parse(answer)).toBeNull();
  });

  it('names one verdict, and a declared criterion or none', () => {
    expect(parse(whole)).toEqual({ outcome: 'GO', criterion: null });
    expect(parse({ ...whole, verdict: 'NO-GO', criterion: 'no-exfiltration' }))
      .toEqual({ outcome: 'NO-GO', criterion: 'no-exfiltration' });
  });
});
