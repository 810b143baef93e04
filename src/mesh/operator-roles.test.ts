// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { hasRight, keysWith, mayDecide, operatorRoles, type OperatorRight } from './operator-roles.ts';

const rights: readonly OperatorRight[] = ['look', 'decide', 'operate', 'stop', 'recover', 'open', 'policy'];
const publicKey = { kty: 'OKP' };

describe('roles', () => {
  test('give an auditor eyes and no hands, and a stranger nothing', () => {
    expect(rights.filter((right) => hasRight({ roles: ['auditor'] }, right))).toEqual(['look']);
    for (const nobody of [null, undefined]) expect(rights.some((right) => hasRight(nobody, right))).toBe(false);
    expect(hasRight({ roles: [] }, 'look')).toBe(false);
  });

  test('keep running things and releasing things apart', () => {
    expect(rights.filter((right) => hasRight({ roles: ['operator'] }, right))).toEqual(['look', 'operate', 'stop']);
    expect(rights.filter((right) => hasRight({ roles: ['approver'] }, right))).toEqual(['look', 'decide']);
  });

  test('are all that act where the mesh file names none', () => {
    expect(rights.every((right) => hasRight({}, right))).toBe(true);
  });

  test('decide at their level and no lower than asked', () => {
    const at = (level: 'security' | 'ciso' | null) =>
      operatorRoles.filter((role) => mayDecide({ roles: [role] }, level, null));
    expect([at(null), at('security'), at('ciso')])
      .toEqual([['approver', 'security', 'ciso'], ['security', 'ciso'], ['ciso']]);
    expect(mayDecide({ roles: ['approver'] }, null, ['security'])).toBe(false);
  });

  test('hide the key of who lacks the right from what verifies their statements', () => {
    const keys = keysWith(new Map([
      ['ann', { name: 'ann', publicKey, roles: ['auditor'] }], ['bob', { name: 'bob', publicKey }],
    ]), 'operate');
    expect([keys('ann'), keys('bob'), keys('eve')]).toEqual([null, publicKey, null]);
  });
});
