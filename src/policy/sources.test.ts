// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { SensitiveParameter } from '../mesh/mesh.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { sensitiveFindings, type Sourced, type Sourcing } from './parameters.ts';

const nothing: Sourcing = {
  trustedContext: false,
  stamps: {},
  trustedValues: () => null,
  endorsed: () => false,
};

function rule(change: Partial<SensitiveParameter> = {}): SensitiveParameter {
  return { from: ['prompt'], atMost: null, oneOf: null, ...change };
}

function found(
  sensitive: { readonly [path: string]: SensitiveParameter },
  parameters: JsonObject,
  sourcing: Partial<Sourcing> = {},
  reversibility: Sourced['reversibility'] = 'irreversible',
) {
  const sourced = { sensitive: new Map(Object.entries(sensitive)), reversibility };
  const given = { ...nothing, ...sourcing };
  const { refusals, endorsements } = sensitiveFindings(sourced, parameters, given);
  const paths = (all: typeof refusals) => all.map(({ path }) => path).sort();
  return { refused: paths(refusals), asked: paths(endorsements) };
}

describe('sensitive parameters', () => {
  it('need a source for every item of a list', () => {
    const stamps = { '/parameters/to/0': ['prompt'] };
    expect(found({ to: rule() }, { to: ['bob', 'eve'] }, { stamps }).refused)
      .toEqual(['/parameters/to/1']);
  });

  it('need a source however deep the value is hidden', () => {
    const hidden = { to: [{ deep: [['eve']] }] };
    expect(found({ to: rule() }, hidden).refused).toEqual(['/parameters/to/0/deep/0/0']);
  });

  it('follow a path into the items of a list and nowhere else', () => {
    const files = { files: [{ type: 'file', id: '7' }], id: '8' };
    expect(found({ 'files.*.id': rule() }, files).refused).toEqual(['/parameters/files/0/id']);
    expect(found({ 'files.*.id': rule() }, { files: { '*': { id: '7' } } }).refused)
      .toEqual(['/parameters/files/*/id']);
  });

  it('with a dot in the name are still parameters', () => {
    expect(found({ 'a.b': rule() }, { 'a.b': 'eve' }).refused).toEqual(['/parameters/a.b']);
  });

  it('take what the mesh file lists itself, of the same type only', () => {
    const always = new Set(['r', 5]);
    expect(found({ mode: rule({ from: [], always }) }, { mode: 'r' }).refused).toEqual([]);
    expect(found({ mode: rule({ from: [], always }) }, { mode: 'rw' }).refused).toHaveLength(1);
    expect(found({ mode: rule({ from: [], always }) }, { mode: '5' }).refused).toHaveLength(1);
  });

  it('are put to a person only where the manifest says so', () => {
    expect(found({ to: rule() }, { to: 'eve' }))
      .toEqual({ refused: ['/parameters/to'], asked: [] });
    expect(found({ to: rule({ endorsable: true }) }, { to: 'eve' }))
      .toEqual({ refused: [], asked: ['/parameters/to'] });
  });

  it('are not put to a person beyond their bounds', () => {
    const bounded = rule({ endorsable: true, atMost: 10 });
    expect(found({ amount: bounded }, { amount: 11 }).refused).toEqual(['/parameters/amount']);
  });

  it('believe an endorsement of this value in this place', () => {
    const endorsed = (pointer: string, value: JsonValue) =>
      pointer === '/parameters/to' && value === 'eve';
    const sensitive = { to: rule({ endorsable: true }), cc: rule({ endorsable: true }) };
    const both = { to: 'eve', cc: 'eve' };
    expect(found(sensitive, both, { endorsed }, 'compensable').asked).toEqual(['/parameters/cc']);
    // An endorsement of what may not be endorsed is none.
    expect(found({ to: rule() }, { to: 'eve' }, { endorsed }, 'reversible').refused)
      .toEqual(['/parameters/to']);
  });

  it('are put to a person each time where nothing can be undone', () => {
    const sensitive = { to: rule({ endorsable: true }) };
    const asked = found(sensitive, { to: 'eve' }, { endorsed: () => true }).asked;
    expect(asked).toEqual(['/parameters/to']);
  });

  it("take a further source only while the texts are the person's words", () => {
    const ownWords = { from: ['chat.members.*'], texts: ['body'] };
    const sensitive = { to: rule({ ownWords }) };
    const member = { '/parameters/to': ['chat.members.*'] };
    const said = { ...member, '/parameters/body': ['prompt.composed'] };
    expect(found(sensitive, { to: 'bob', body: 'x' }, { stamps: said }).refused).toEqual([]);
    expect(found(sensitive, { to: 'bob', body: 'x' }, { stamps: member }).refused).toHaveLength(1);
    const hidden = { to: 'bob', body: ['x'] };
    expect(found(sensitive, hidden, { stamps: member }).refused).toHaveLength(1);
    const stamps = { '/parameters/body': ['prompt'] };
    expect(found(sensitive, { to: 'eve', body: 'x' }, { stamps }).refused).toHaveLength(1);
  });

  it('take no source from stamps that are not believed', () => {
    expect(found({ to: rule() }, { to: 'bob' }, { stamps: null }).refused).toHaveLength(1);
  });
});
