// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

/** A server's key and certificate as PEM, with the file of the authority that signed it. */
export type ServerIdentity = {
  readonly key: string;
  readonly cert: string;
  readonly caFile: string;
};

/** A server certificate for these names or addresses, from an authority made for it. */
export async function serverIdentity(
  options: { readonly names?: readonly string[]; readonly expired?: boolean } = {},
): Promise<ServerIdentity> {
  const { names = ['127.0.0.1', 'localhost'], expired = false } = options;
  const authority = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=authority of a test',
    keys: authority,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 10 * dayMs),
    notAfter: new Date(Date.now() + dayMs),
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const cert = await x509.X509CertificateGenerator.create({
    subject: 'CN=server of a test',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 5 * dayMs),
    notAfter: new Date(Date.now() + (expired ? -dayMs : dayMs)),
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[0-9.]+$/.test(value) ? 'ip' : 'dns', value })),
      ),
    ],
  });
  const caFile = join(mkdtempSync(join(tmpdir(), 'maso-ca-')), 'ca.pem');
  writeFileSync(caFile, ca.toString('pem'));
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, cert: cert.toString('pem'), caFile };
}
