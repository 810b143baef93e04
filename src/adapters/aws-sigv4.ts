// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';

export type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken: string | null;
};

export type AwsRequest = {
  readonly method: 'GET' | 'POST';
  readonly host: string;
  /** Of one segment or none, already in its canonical form; there is no query. */
  readonly path: string;
  /** Names in lower case; `host` and `x-amz-date` are added here. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
};

/**
 * Headers of a request that is signed with AWS Signature Version 4, for one region and service. Every
 * header that is given is signed. AWS General Reference, "Signing AWS API requests".
 */
export function signedHeaders(
  request: AwsRequest,
  scope: { readonly region: string; readonly service: string },
  credentials: AwsCredentials,
  nowMs: number,
): { readonly [name: string]: string } {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  const token = credentials.sessionToken;
  const headers: { readonly [name: string]: string } = {
    ...request.headers,
    host: request.host,
    'x-amz-date': time,
    ...(token === null ? {} : { 'x-amz-security-token': token }),
  };
  const names = Object.keys(headers).sort();
  const signed = names.join(';');
  const canonical = [
    request.method,
    request.path,
    '',
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    sha256(request.body),
  ].join('\n');
  const scoped = `${date}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scoped}\n${sha256(canonical)}`;
  const key = [date, scope.region, scope.service, 'aws4_request'].reduce<Buffer>(
    (one, part) => hmac(one, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`, 'utf8'),
  );
  const signature = hmac(key, toSign).toString('hex');
  return {
    ...headers,
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scoped}, ` +
      `SignedHeaders=${signed}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
