// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import type { Operator } from './mesh.ts';

/** What a person is to the mesh. A person may have more than one role. */
export const operatorRoles = ['operator', 'approver', 'security', 'ciso', 'auditor'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

/** What may be done. Looking is everybody's, and the auditor's only right; `open` is payloads. */
export type OperatorRight = 'look' | 'decide' | 'operate' | 'stop' | 'recover' | 'open' | 'policy';

const rights: { readonly [role in OperatorRole]: readonly OperatorRight[] } = {
  operator: ['look', 'operate', 'stop'],
  approver: ['look', 'decide'],
  security: ['look', 'decide', 'operate', 'stop', 'recover', 'open', 'policy'],
  ciso: ['look', 'decide', 'operate', 'stop', 'recover', 'open', 'policy'],
  auditor: ['look'],
};

/** An operator whom the mesh file gives no roles has all that act. */
const allActing: readonly OperatorRole[] = ['operator', 'approver', 'security', 'ciso'];

export function rolesOf(operator: Pick<Operator, 'roles'>): readonly OperatorRole[] {
  return operator.roles ?? allActing;
}

/** Doubt is no right: an unknown operator may not even look. */
export function hasRight(
  operator: Pick<Operator, 'roles'> | null | undefined,
  right: OperatorRight,
): boolean {
  return operator !== null && operator !== undefined &&
    rolesOf(operator).some((role) => rights[role].includes(right));
}

/**
 * The keys of operators who have a right, for what verifies their statements: whoever lacks it is
 * nobody there.
 */
export function keysWith(
  operators: ReadonlyMap<string, Operator>,
  right: OperatorRight,
): (name: string) => JsonObject | null {
  return (name) => {
    const operator = operators.get(name);
    return operator !== undefined && hasRight(operator, right) ? operator.publicKey : null;
  };
}

/** Who decides once a held action was escalated to a level; without one, every role that decides. */
export type EscalationLevel = 'security' | 'ciso';

/** The roles that may decide at a level, and of those the ones that the action's manifest names. */
export function mayDecide(
  operator: Pick<Operator, 'roles'> | null | undefined,
  level: EscalationLevel | null,
  approvers: readonly OperatorRole[] | null | undefined,
): boolean {
  if (!hasRight(operator, 'decide')) return false;
  const roles = rolesOf(operator ?? {});
  const isAbove = roles.includes('ciso') || (level !== 'ciso' && roles.includes('security'));
  if (level !== null) return isAbove;
  return approvers === null || approvers === undefined || approvers.length === 0 ||
    roles.some((role) => approvers.includes(role));
}
