// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { ExporterError } from '../exporter/exporter-error.ts';
import { readOwnerOnly } from './credential-file.ts';

const tokenPattern = /^[\x21-\x7e]{1,8192}$/;
const pemPattern = /-----BEGIN CERTIFICATE-----/;

/** The bearer token in a file of mode 0600. Rejects with EXPORT_CREDENTIAL_UNREADABLE. */
export async function readToken(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const token = (await ownerOnly(path)).toString('utf8').trim();
  if (tokenPattern.test(token)) return token;
  throw unreadable('The credential file does not hold one token.');
}

/** A private key in a file of mode 0600. Rejects with EXPORT_CREDENTIAL_UNREADABLE. */
export function readKey(path: string | null): Promise<Buffer | null> {
  return path === null ? Promise.resolve(null) : ownerOnly(path);
}

/** PEM certificates, which are no secret. Rejects with EXPORT_CREDENTIAL_UNREADABLE. */
export async function readCertificates(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unreadable('A certificate file cannot be read.', cause);
  });
  if (pemPattern.test(text)) return text;
  throw unreadable('A certificate file holds no certificate.');
}

async function ownerOnly(path: string): Promise<Buffer> {
  const file = await readOwnerOnly(path).catch((cause: unknown) => {
    throw unreadable('A file of the exporter cannot be read.', cause);
  });
  if (file.state === 'read') return file.bytes;
  throw unreadable(`A file of the exporter is ${file.state}.`);
}

function unreadable(message: string, cause?: unknown): ExporterError {
  return new ExporterError('EXPORT_CREDENTIAL_UNREADABLE', message, { cause });
}
