// SPDX-License-Identifier: Apache-2.0
import type { DataAction, DataClass, DataPolicy } from '../mesh/scanner-settings.ts';
import type { Classification } from '../message/envelope.ts';
import type { PersonalClass } from './identity-numbers.ts';

const keyOf: { readonly [dataClass in PersonalClass]: DataClass } = {
  contact: 'contact',
  financial: 'financial',
  'national-id': 'national_id',
  health: 'health',
};

/** What the policy does with data of a class in a message of a classification. */
export function actionFor(
  dataClass: PersonalClass,
  classification: Classification,
  policy: DataPolicy,
): DataAction {
  return policy[keyOf[dataClass]][classification];
}

/** True when anything at all is rewritten at this classification. */
export function rewritesAny(classification: Classification, policy: DataPolicy): boolean {
  return Object.values(policy).some((actions) => {
    const action = actions[classification];
    return action === 'redact' || action === 'tokenise';
  });
}
