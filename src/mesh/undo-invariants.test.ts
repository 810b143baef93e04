// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';

/** The sample with a transfer that can be made good, and an action that does it. */
function codesOf(undo: string, change: { readonly takeBack?: string; readonly pay?: string } = {}): readonly string[] {
  const text = sampleText
    .replace('      reversibility: irreversible\n', `      reversibility: ${change.pay ?? 'compensable'}\n`)
    .replace('      caps: { amount: { per_hour: 8000 } }\n', `      caps: { amount: { per_hour: 8000 } }
      undo: ${undo}
    take_back:
      ${change.takeBack ?? 'risk: HIGH'}
      reversibility: irreversible
      tool: bank.transfer
      parameters:
        type: object
        additionalProperties: false
        required: [invoice]
        properties: { invoice: { type: string, pattern: "^[0-9]{1,12}$" }, reference: { type: string, format: uuid } }
      output: schemas/receipt.json
      sensitive: { invoice: { from: [prompt] } }
`);
  const loaded = loadFiles({ ...sampleFiles, [sampleFile]: text });
  return loaded.diagnostics.map(({ code }) => code).filter((code) => code.startsWith('MESH_UNDO') || code === 'MESH_ACTION_UNREACHABLE');
}

const good = '{ action: take_back, parameters: { invoice: request.invoice, reference: result.reference } }';

describe('what undoes an action', () => {
  test.each([
    ['is unknown', '{ action: give_back }', {}],
    ['is the action itself', '{ action: pay_invoice, parameters: { invoice: request.invoice, payee: request.payee, amount: request.amount } }', {}],
    ['only reads', '{ action: check_payment, parameters: { invoice: request.invoice } }', {}],
    ['needs two people', good, { takeBack: 'risk: CRITICAL' }],
    ['needs a person', good, { takeBack: 'risk: HIGH\n      approval: required' }],
    ['undoes what is irreversible', good, { pay: 'irreversible' }],
    ['is not given what it needs', '{ action: take_back, parameters: { reference: result.reference } }', {}],
    ['takes what the request does not have', '{ action: take_back, parameters: { invoice: request.number } }', {}],
    ['takes what the result does not have', '{ action: take_back, parameters: { invoice: result.invoice } }', {}],
    ['is given what it does not take', '{ action: take_back, parameters: { invoice: request.invoice, amount: request.amount } }', {}],
  ])('is refused where it %s', (_name, undo, change) => {
    expect(codesOf(undo, change)).toContain('MESH_UNDO_INVALID');
  });

  test('is taken otherwise, and needs nobody who may request it', () => {
    expect(codesOf(good)).toEqual([]);
  });
});

test('a standby without the edges of the agent that it stands in for is told of', () => {
  const reader = '    triage: { role: RETRIEVER, zone: outside, oispec: oispec/triage.yaml, tools: [mail] }\n';
  const text = sampleText
    .replace(reader, `${reader}    stand_in: { role: RETRIEVER, zone: outside }\n`)
    .replace('  mode: enforce', '  workflows: { mail: { agents: [triage], pace: { standbys: { triage: stand_in } } } }\n  mode: enforce');
  const codes = (given: string): readonly string[] =>
    loadFiles({ ...sampleFiles, [sampleFile]: given }).diagnostics.map(({ code }) => code);
  expect(codes(text)).toContain('MESH_PACE_STANDBY_UNREACHED');
  const edge = '  edges:\n    - { from: desk, to: stand_in, schemas: [invoice/1] }\n';
  expect(codes(text.replace('  edges:\n', edge))).not.toContain('MESH_PACE_STANDBY_UNREACHED');
});
