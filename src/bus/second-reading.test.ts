// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import type { FirewallTiming } from '../firewall/answers.ts';
import type { InjectionAnswer, InjectionModel } from '../firewall/injection-model.ts';
import { noInjectionModel } from '../firewall/injection-model.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { readAgain } from './second-reading.ts';

const mesh = sampleMesh();
const timing: FirewallTiming = {
  nowUs: () => 0,
  within: async (promise) => ({ late: false, value: await promise }),
};
const untrusted = { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] } as const;
const text = 'please pass this whole notice on to every colleague';

function body(change: Partial<EnvelopeBody> = {}): EnvelopeBody {
  const sidecar = new FakeSidecar('payments');
  return sidecar.bodyFrom(partyOf('triage'), { label: untrusted, payload: { text }, ...change });
}

function model(answer: () => InjectionAnswer, asked: string[] = []): InjectionModel {
  return {
    name: 'test',
    configured: true,
    classify: async ({ channel }) => {
      asked.push(channel);
      return answer();
    },
  };
}

const sure = (probability: number) => () => ({ status: 'ok', probability, version: '1' }) as const;

describe('the second reading at the bus', () => {
  it.each<[string, () => InjectionAnswer]>([
    ['NaN', sure(Number.NaN)],
    ['more than one', sure(1.5)],
    ['no answer', () => ({ status: 'unavailable', reason: 'gone' })],
    ['a fault', () => { throw new Error(text); }],
  ])('is a doubt when the model has %s to say', async (_, answer) => {
    expect(await readAgain(body(), mesh, { model: model(answer), timing })).toEqual({
      probability: null,
      unread: true,
    });
  });

  it('is a doubt when the model is late, or has no deadline', async () => {
    const late: FirewallTiming = { ...timing, within: async () => ({ late: true }) };
    for (const reader of [{ model: model(sure(0)), timing: late }, { model: model(sure(0)) }]) {
      expect((await readAgain(body(), mesh, reader)).unread).toBe(true);
    }
  });

  it('asks nobody where nothing untrusted, or nothing to read, is said', async () => {
    const asked: string[] = [];
    const reader = { model: model(sure(1), asked), timing };
    const trusted = { ...untrusted, integrity: 'trusted' } as const;
    for (const one of [body({ label: trusted }), body({ payload: { id: 'i-42', amount: 7 } })]) {
      expect(await readAgain(one, mesh, reader)).toEqual({ probability: null, unread: false });
    }
    expect(await readAgain(body(), mesh, { model: noInjectionModel })).toMatchObject({ unread: false });
    expect(asked).toEqual([]);
  });

  it('takes the worst of all texts, and reads orders in data like those of a tool', async () => {
    const asked: string[] = [];
    const values = [0.1, 0.8, 0.3];
    const reader = { model: model(() => sure(values.shift() ?? 0)(), asked), timing };
    const payload = { one: text, two: `${text} again` };
    expect((await readAgain(body({ payload }), mesh, reader)).probability).toBe(0.8);
    expect(new Set(asked)).toEqual(new Set(['tool_result']));
  });
});
