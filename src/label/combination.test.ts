// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../message/json.ts';
import { combinedFloor, memberForm, type Combination } from './combination.ts';

const combination = (
  name: string, classification: Combination['classification'], ...groups: readonly string[][]
): Combination => ({ name, classification, groups: groups.map((group) => new Set(group.map(memberForm))) });

const rules = [
  combination('whereabouts', 'confidential', ['pseudonym', 'customer_id'], ['locations', 'visits']),
  combination('record', 'restricted', ['pseudonym'], ['locations'], ['diagnosis']),
];

describe('what harmless fields come to together', () => {
  it.each<[string, JsonValue, string | null]>([
    ['an identifier alone', { pseudonym: 'a7' }, null],
    ['a behaviour alone', { visits: [1, 2] }, null],
    ['both', { pseudonym: 'a7', visits: [1, 2] }, 'confidential'],
    ['both, apart and deep', { rows: [{ who: { customerId: 'a7' } }, { 'Visits': { monday: 1 } }] }, 'confidential'],
    ['both, one without a value', { pseudonym: 'a7', visits: [] }, null],
    ['both, one null', { pseudonym: null, visits: [1] }, null],
    ['all three', { pseudonym: 'a7', locations: ['x'], diagnosis: 'y' }, 'restricted'],
    ['a text that names them', 'pseudonym and visits', null],
    ['nothing', null, null],
  ])('%s', (_, payload, expected) => {
    expect(combinedFloor(payload, rules)).toBe(expected);
    expect(combinedFloor(payload, rules.toReversed())).toBe(expected);
    expect(combinedFloor(payload, [])).toBeNull();
  });

  it('spells names as their readers would', () => {
    for (const name of ['customer_id', 'customerId', 'Customer-ID', 'customer id', 'CUSTOMERID']) {
      expect(memberForm(name)).toBe('customerid');
    }
  });
});
