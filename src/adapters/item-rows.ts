// SPDX-License-Identifier: Apache-2.0
import type { Audience } from '../knowledge/access.ts';
import type { ItemState } from '../knowledge/item.ts';
import type { Trail } from '../knowledge/item-store.ts';

type Row = { readonly [column: string]: unknown };

/** A row of the trail, of whichever database. */
export function trailOf({ position, incarnation, item, call }: Row): Trail {
  return {
    position: Number(position),
    incarnation: String(incarnation),
    item: String(item),
    call: call === null ? null : String(call),
  };
}

/** Of what is known of an item only what decides who may see it. */
export function audienceOf(facts: Omit<Audience, 'state'>, state: ItemState): Audience {
  const { label, roles, readers, mandate, expiresAt, writtenAt } = facts;
  return { label, roles, readers, mandate, expiresAt, writtenAt, state };
}
