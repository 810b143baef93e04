// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Kms } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { Clock, Random } from '../message/clock.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import type { AwsCredentials } from './aws-sigv4.ts';
import { readOwnerOnly } from './credential-file.ts';
import { awsKms } from './kms-aws.ts';
import { openKeyFileKms } from './kms-encrypted-file.ts';
import { successiveKms } from './kms-successive.ts';
import { vaultTransitKms } from './kms-vault-transit.ts';

const text = z.string().min(1).max(2048);
const provider = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('key-file') }),
  z.strictObject({
    provider: z.literal('vault-transit'),
    address: text,
    key: text,
    mount: text.default('transit'),
    namespace: text.optional(),
    token_file: text,
  }),
  z.strictObject({
    provider: z.literal('aws-kms'),
    region: text,
    key: text,
    endpoint: text.optional(),
    credentials_file: text,
  }),
]);
const credentialsShape = z.strictObject({
  accessKeyId: text,
  secretAccessKey: text,
  sessionToken: text.optional(),
});

type Provider = z.infer<typeof provider>;

/**
 * The `Kms` of a node: the key file, or what `file` names (JSON, see docs/guides/data-domains.md),
 * with the ones that it names as earlier. Rejects with KMS_KEY_INVALID when the file is not of its
 * form. Tokens and credentials are read from files of mode 0600 each time they are needed.
 */
export async function openKms(
  file: string | null,
  keyFile: string,
  random: Random,
  clock: Clock,
): Promise<Kms> {
  if (file === null) return openKeyFileKms(keyFile, random);
  const { earlier, current } = await readKmsFile(file);
  const folder = dirname(resolve(file));
  const openOne = (one: Provider): Promise<Kms> | Kms => openProvider(one, folder, keyFile, random, clock);
  const first = await openOne(current);
  const others: Kms[] = [];
  for (const one of earlier) others.push(await openOne(one));
  return successiveKms(first, others);
}

async function readKmsFile(
  file: string,
): Promise<{ readonly current: Provider; readonly earlier: readonly Provider[] }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (failure) {
    throw invalid('The file of the KMS cannot be read.', failure);
  }
  const json = parseStrictJson(bytes);
  const value = json.ok && typeof json.value === 'object' && json.value !== null ? { ...json.value } : {};
  const { earlier = [], ...rest } = value as { readonly earlier?: unknown };
  const parsed = z.strictObject({ current: provider, earlier: z.array(provider).max(4) })
    .safeParse({ current: rest, earlier });
  if (!parsed.success) throw invalid('The file of the KMS is not of its form.', null);
  return parsed.data;
}

function openProvider(
  one: Provider,
  folder: string,
  keyFile: string,
  random: Random,
  clock: Clock,
): Promise<Kms> | Kms {
  switch (one.provider) {
    case 'key-file':
      return openKeyFileKms(keyFile, random);
    case 'vault-transit': {
      const { address, key, mount, namespace = null, token_file: tokenFile } = one;
      const token = async (): Promise<string> =>
        (await readSecret(resolve(folder, tokenFile))).toString('utf8').trim();
      return vaultTransitKms({ address, key, mount, namespace, token });
    }
    case 'aws-kms': {
      const { region, key, endpoint = null, credentials_file: file } = one;
      const credentials = (): Promise<AwsCredentials> => readCredentials(resolve(folder, file));
      return awsKms({ region, keyId: key, endpoint, credentials, clock });
    }
    default:
      return one satisfies never;
  }
}

async function readCredentials(file: string): Promise<AwsCredentials> {
  const json = parseStrictJson(await readSecret(file));
  const parsed = credentialsShape.safeParse(json.ok ? json.value : null);
  if (!parsed.success) throw invalid('The credentials of the KMS are not of their form.', null);
  return { ...parsed.data, sessionToken: parsed.data.sessionToken ?? null };
}

async function readSecret(file: string): Promise<Buffer> {
  const read = await readOwnerOnly(file).catch((failure: unknown) => {
    throw invalid('A credential of the KMS cannot be read.', failure);
  });
  if (read.state === 'exposed') {
    throw new IdentityError('KMS_KEY_EXPOSED', 'Others may read a credential of the KMS.');
  }
  if (read.state === 'absent') throw invalid('A credential of the KMS is absent.', null);
  return read.bytes;
}

function invalid(message: string, cause: unknown): IdentityError {
  return new IdentityError('KMS_KEY_INVALID', message, { cause });
}
