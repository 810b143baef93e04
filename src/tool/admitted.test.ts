// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { AdmissionFields, AdmittedRequest } from './admitted.ts';
import { createAdmission } from './admitted.ts';

const fields: AdmissionFields = {
  id: 'request-1',
  executor: 'payments',
  requester: 'triage',
  action: 'pay_invoice',
  tool: 'bank',
  operation: 'transfer',
  arguments: { payee: 'ACME', nested: { amount: 1 } },
  beginBeforeMs: 9e15,
  standing: () => null,
  idempotencyKey: 'k1',
  risk: 'HIGH',
  write: true,
  outputSchema: null,
  timeoutMs: 1000,
  task: null,
  privileged: true,
};

describe('an admission', () => {
  test('refuses what it did not make: literals, casts, clones, subclasses and heirs', () => {
    const admission = createAdmission();
    const real = admission.admit(fields);
    const Stolen = real.constructor as unknown as new (...given: unknown[]) => AdmittedRequest;
    const fakes: unknown[] = [
      null,
      undefined,
      1,
      {},
      { fields, argumentsDigest: real.argumentsDigest },
      { ...real },
      Object.create(real) as unknown,
      Object.create(Object.getPrototypeOf(real) as object) as unknown,
      new Proxy(real, {}),
    ];
    for (const fake of fakes) {
      expect(admission.isAdmitted(fake)).toBe(false);
      expect(admission.spend(fake)).toBe(false);
    }
    expect(() => new Stolen(Symbol('admission'), fields)).toThrow(
      expect.objectContaining({ code: 'TOOL_NOT_ADMITTED' }) as Error,
    );
  });

  test('refuses a request of another admission', () => {
    const request = createAdmission().admit(fields);
    expect(createAdmission().spend(request)).toBe(false);
  });

  test('spends a request once', () => {
    const admission = createAdmission();
    const request = admission.admit(fields);
    expect(admission.isAdmitted(request)).toBe(true);
    expect(admission.spend(request)).toBe(true);
    expect(admission.isAdmitted(request)).toBe(false);
    expect(admission.spend(request)).toBe(false);
  });

  test('cannot be changed after it was checked', () => {
    const given = { payee: 'ACME', nested: { amount: 1 } };
    const request = createAdmission().admit({ ...fields, arguments: given });
    given.payee = 'EVIL';
    given.nested.amount = 9;
    expect(request.fields.arguments).toEqual({ payee: 'ACME', nested: { amount: 1 } });
    expect(Object.isFrozen(request.fields.arguments)).toBe(true);
    expect(Object.isFrozen(request.fields.arguments['nested'])).toBe(true);
    expect(() => Object.assign(request.fields, { tool: 'other' })).toThrow(TypeError);
  });

  test.each([
    ['a beginning that is no time', { beginBeforeMs: Number.NaN }],
    ['an empty key', { idempotencyKey: '' }],
    ['a long key', { idempotencyKey: 'k'.repeat(65) }],
    ['NaN as timeout', { timeoutMs: Number.NaN }],
    ['no timeout', { timeoutMs: 0 }],
    ['an endless timeout', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['a HIGH action that is not privileged', { privileged: false }],
    ['an unknown risk', { risk: 'NONE' as 'LOW' }],
    ['no tool', { tool: '' }],
    ['arguments that are not JSON', { arguments: { when: new Date() as unknown as string } }],
    ['a list as arguments', { arguments: [] as unknown as AdmissionFields['arguments'] }],
  ])('refuses %s', (_name, change) => {
    expect(() => createAdmission().admit({ ...fields, ...change })).toThrow(
      expect.objectContaining({ code: 'TOOL_ADMISSION_INVALID' }) as Error,
    );
  });

  test('refuses arguments that contain themselves', () => {
    const cyclic: { [member: string]: unknown } = {};
    cyclic['self'] = cyclic;
    expect(() =>
      createAdmission().admit({ ...fields, arguments: cyclic as AdmissionFields['arguments'] }),
    ).toThrow(expect.objectContaining({ code: 'TOOL_ADMISSION_INVALID' }) as Error);
  });
});
