// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Kms } from '../identity/credential.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { Random } from '../message/clock.ts';
import { isJsonObject } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import { dataKeyBytes, openBytes, sealBytes } from './sealed-bytes.ts';

/** Whom and what a sealed text is for; bound to its data key and to its ciphertext. */
export type ExchangeBinding = {
  readonly domain: string;
  readonly roles: readonly string[];
  readonly source: string;
  readonly target: string;
};

export type OpenedExchange =
  | { readonly ok: true; readonly text: string; readonly roles: readonly string[] }
  | { readonly ok: false };

const format = 'exchange/1';
const textBytesMax = 16 * 1024 * 1024;
const jsonLimits = { ...defaultJsonLimits, bytesMax: 2 * textBytesMax, depthMax: 2 };

/**
 * Policy-based encrypted retrieval for programs with a transport of their own: AES-256-GCM under a
 * data key of its own, which the `Kms` wraps. Rejects as the `Kms` does.
 */
export async function sealExchange(
  text: string,
  binding: ExchangeBinding,
  kms: Kms,
  random: Random,
): Promise<string> {
  const key = random.bytes(dataKeyBytes);
  const context = contextOf(binding);
  const wrapped = Buffer.from(await kms.wrap(key, context)).toString('base64url');
  const sealed = sealBytes(Buffer.from(text, 'utf8'), key, context, random);
  key.fill(0);
  return canonicalize({ sealed: format, roles: [...binding.roles], key: wrapped, ...sealed });
}

/** Who the roles are that it was sealed for; null unless it is sealed. Nothing of it is believed yet. */
export function rolesOfSealed(sealed: string): readonly string[] | null {
  return readExchange(sealed)?.roles ?? null;
}

/** Not ok when it was changed, or is of another domain, source or target. Rejects as the `Kms` does. */
export async function openExchange(
  sealed: string,
  ends: Omit<ExchangeBinding, 'roles'>,
  kms: Kms,
): Promise<OpenedExchange> {
  const read = readExchange(sealed);
  if (read === null) return { ok: false };
  const { key, roles } = read;
  const context = contextOf({ ...ends, roles });
  const bytes = await kms.unwrap(Buffer.from(key, 'base64url'), context);
  const text = openBytes(read, bytes, context, textBytesMax);
  bytes.fill(0);
  return text === null ? { ok: false } : { ok: true, text: text.toString('utf8'), roles };
}

function readExchange(sealed: string) {
  const json = parseStrictJson(sealed, jsonLimits);
  if (!json.ok || !isJsonObject(json.value) || json.value['sealed'] !== format) return null;
  const { roles, key, nonce, ciphertext } = json.value;
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) return null;
  if (typeof key !== 'string' || typeof nonce !== 'string' || typeof ciphertext !== 'string') return null;
  return { roles, key, nonce, ciphertext };
}

function contextOf({ domain, roles, source, target }: ExchangeBinding): string {
  return `exchange/1 ${canonicalize({ domain, roles: [...roles], source, target })}`;
}
