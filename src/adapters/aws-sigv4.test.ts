// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { signedHeaders, type AwsRequest } from './aws-sigv4.ts';

// The published test suite of Signature Version 4: its credentials, its time, its answers.
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};
const scope = { region: 'us-east-1', service: 'service' };
const at = Date.parse('2015-08-30T12:36:00Z');
const plain: AwsRequest = {
  method: 'GET', host: 'example.amazonaws.com', path: '/', headers: {}, body: '',
};

it.each<[string, Partial<AwsRequest>, string]>([
  ['get-vanilla', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', { method: 'POST' }, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
])('signs %s as the test suite says', (_, change, signature) => {
  const headers = signedHeaders({ ...plain, ...change }, scope, credentials, at);
  expect(headers['authorization']).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      `SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

it('signs the session token, the target and the body', () => {
  const base = { ...plain, headers: { 'x-amz-target': 'TrentService.Encrypt' } };
  const of = (request: AwsRequest, sessionToken: string | null): string =>
    signedHeaders(request, scope, { ...credentials, sessionToken }, at)['authorization'] ?? '';
  const all = [
    of(base, null), of(base, 'a'), of(base, 'b'), of({ ...base, body: '{}' }, null),
    of({ ...base, headers: { 'x-amz-target': 'TrentService.Decrypt' } }, null),
  ];
  expect(new Set(all.map((one) => one.split('Signature=')[1])).size).toBe(all.length);
});
