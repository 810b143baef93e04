// SPDX-License-Identifier: Apache-2.0
import type { ExchangePolicy } from './exchange.ts';

/** Seed 003: the four keys from which somebody could map the mesh. */
const revealingKeys: ReadonlySet<string> = new Set([
  'sender_ip',
  'routing_path',
  'internal_id',
  'timestamp',
]);

/**
 * The metadata of an exchange as its recipient, or an audit sink, may see it. Without a policy it is
 * masked. Keys are compared without case and separators, so that `Sender-IP` is no way around.
 */
export function maskMetadata(
  policy: Pick<ExchangePolicy, 'metadataMasking'> | undefined,
  metadata: { readonly [key: string]: string },
): { readonly [key: string]: string } {
  if (policy?.metadataMasking === false) return metadata;
  return Object.fromEntries(
    Object.entries(metadata).filter(([key]) => !revealingKeys.has(snakeCase(key))),
  );
}

/**
 * The origins of a label as the recipient's agent may see them: in a masked domain their kinds alone
 * (`agent`, `tool`, `prompt`), since the names would tell it who stands further up.
 */
export function maskOrigins(
  policy: Pick<ExchangePolicy, 'metadataMasking'> | undefined,
  origins: readonly string[],
): readonly string[] {
  if (policy?.metadataMasking === false) return origins;
  return [...new Set(origins.map((origin) => origin.split(':', 1)[0] ?? origin))];
}

function snakeCase(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
}
