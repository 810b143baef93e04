// SPDX-License-Identifier: Apache-2.0
/**
 * Writes `test/vectors/signed-*.json`. The keys in `signed-keys.json` are made once and kept, and
 * Ed25519 is deterministic, so a second run writes the same vectors, but for those that are signed
 * with ECDSA or RSA. Test-only keys: nothing may ever trust them.
 *
 *     node scripts/generate-signed-vectors.ts
 */
import { Buffer } from 'node:buffer';
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { envelopeHeader, itemDigest } from '../src/identity/envelope-header.ts';
import { authorityHash } from '../src/identity/certificate.ts';
import { algorithmOf, hashOf, lowered, signatureInput } from '../src/identity/key-algorithm.ts';
import type { SignatureAlgorithm } from '../src/identity/key-algorithm.ts';
import { canonicalize } from '../src/message/canonical-json.ts';
import type { EnvelopeBody } from '../src/message/envelope.ts';
import {
  certificates,
  folder,
  jwkOf,
  keys,
  nowMs,
  triageId,
  trustDomain,
} from './signed-vector-certificates.ts';

const body: EnvelopeBody = {
  v: 1,
  id: '01K74F0Z00ABCDEFGHJKMNPQRS',
  type: 'data',
  schema: 'invoice/1',
  from: 'triage',
  instance: triageId,
  to: 'payments',
  domain: 'billing',
  task: '01K74F0Z00ZZZZZZZZZZZZZZZZ',
  hop: 1,
  causes: { digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU', count: 0 },
  inReplyTo: null,
  label: { classification: 'internal', integrity: 'untrusted', origins: ['tool:mail'] },
  sources: {},
  provenance: { source: 'tool', isolation: 'uid' },
  epistemic: null,
  metadata: {},
  issuedAt: nowMs,
  expiresAt: nowMs + 60_000,
  nonce: 'AAECAwQFBgcICQoLDA0ODw',
  mandate: null,
  principals: [],
  goalHash: null,
  payload: { invoice: '42', payee: 'ACME GmbH', amount: 98.7, note: 'Grüße, 谢谢, \u{1F980}' },
};

function thumb(name: string): string {
  return authorityHash(certificates[name] ?? '') ?? '';
}

const algorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['p256', 'ES256'], ['p384', 'ES384'], ['rsa2048', 'PS256'],
]);

function header(name: string): string {
  return envelopeHeader(thumb(name), algorithms.get(name));
}

function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}

/** Signs whatever it is given: what an attacker with a stolen agent key can do. */
function jws(headerText: string, payload: string | Uint8Array, key = 'triage'): string {
  const input = `${encode(headerText)}.${encode(payload)}`;
  const privateKey = createPrivateKey({ key: { ...jwkOf(key) }, format: 'jwk' });
  return `${input}.${encode(signatureOf(Buffer.from(input), privateKey))}`;
}

function signatureOf(input: Buffer, key: KeyObject): Buffer {
  const algorithm = algorithmOf(key);
  if (algorithm === 'EdDSA') return sign(null, input, key);
  // What the mesh takes from nobody is signed all the same: somebody might send it.
  if (algorithm === null) return sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });
  return lowered(sign(hashOf(algorithm), input, signatureInput(key, algorithm)), algorithm);
}

const text = canonicalize(body);
const good = jws(header('triage'), text);
const [head = '', load = '', tail = ''] = good.split('.');
const publicPem = createPublicKey(createPrivateKey({ key: { ...jwkOf('triage') }, format: 'jwk' }))
  .export({ format: 'pem', type: 'spki' })
  .toString();

function hs256(headerText: string): string {
  const input = `${encode(headerText)}.${encode(text)}`;
  // A 64-byte value, so that only the header can give it away.
  const mac = createHmac('sha512', publicPem).update(input).digest('base64url');
  return `${input}.${mac}`;
}

function flip(part: string, at: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const position = at < 0 ? part.length + at : at;
  const changed = alphabet.charAt(alphabet.indexOf(part.charAt(position)) ^ 0b100000);
  return part.slice(0, position) + changed + part.slice(position + 1);
}

/** The last character of a 64-byte value has four stray bits; a lax decoder drops them. */
function strayBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) | 1);
}

/** Signed under the good header with one change. */
function twisted(from: string, to: string, key = 'triage'): string {
  return jws(header('triage').replace(from, to), text, key);
}

/** Signed under the good header with more members in front. */
function withMembers(members: string, key = 'triage'): string {
  return twisted('{', `{${members},`, key);
}

function withBody(change: Partial<EnvelopeBody>): string {
  return canonicalize({ ...body, ...change });
}

/** What a sealed message carries beside its body, and the header that names it. */
const item = encode(Buffer.alloc(300, 7));
const itemHeader = envelopeHeader(thumb('triage'), 'EdDSA', itemDigest(item));
const withItem = jws(itemHeader, text);

type Failing = {
  readonly name: string;
  readonly code: string;
  readonly envelope: string;
  readonly certificate?: string;
};

const malformed: readonly Failing[] = [
  ['an empty text', ''],
  ['two dots only', '..'],
  ['two parts', `${head}.${load}`],
  ['four parts', `${good}.${tail}`],
  [
    'a JSON-serialised JWS',
    JSON.stringify({ protected: head, payload: load, signature: tail }),
  ],
  ['padding after the signature', `${good}==`],
  ['padding inside the header', `${head}=.${load}.${tail}`],
  ['padding inside the payload', `${head}.${load}=.${tail}`],
  ['stray trailing bits in the signature', `${head}.${load}.${strayBits(tail)}`],
  ['the standard base64 alphabet', `${head}.${load}+/.${tail}`],
  ['white space in the payload', `${head}.${load.slice(0, 40)}\n${load.slice(40)}.${tail}`],
  ['white space after the end', `${good}\n`],
  ['a trailing byte', `${good}A`],
  ['a leading byte order mark', `\uFEFF${good}`],
  ['a truncated signature', good.slice(0, -1)],
  ['an empty signature, algorithm none', `${encode('{"alg":"none"}')}.${load}.`],
  ['an empty header', `.${load}.${tail}`],
  ['an item in place of the signature', `${head}.${load}.~${item}`],
  ['an item before the rest', `${item}~${withItem}`],
].map(([name = '', envelope = '']) => ({ name, envelope, code: 'IDENTITY_ENVELOPE_MALFORMED' }));

const refusedHeaders: readonly Failing[] = [
  ['algorithm none with a signature', twisted('EdDSA', 'none')],
  ['algorithm none, same length', twisted('EdDSA', 'none ')],
  ['algorithm HS256 keyed with the public key', hs256(header('triage').replace('EdDSA', 'HS256'))],
  ['algorithm ES256 over an Ed25519 key', twisted('EdDSA', 'ES256')],
  ['algorithm RS256', twisted('EdDSA', 'RS256')],
  ['algorithm Ed25519 instead of EdDSA', twisted('EdDSA', 'Ed25519')],
  ['algorithm in lower case', twisted('EdDSA', 'eddsa')],
  ['a critical extension', withMembers('"crit":["exp"],"exp":1')],
  ['an unencoded payload, RFC 7797', withMembers('"b64":false,"crit":["b64"]')],
  [
    'an embedded key',
    withMembers(`"jwk":{"crv":"Ed25519","kty":"OKP","x":"${jwkOf('impostor').x}"}`, 'impostor'),
  ],
  ['a key address', withMembers('"jku":"https://attacker.example/keys"')],
  ['an embedded chain', withMembers(`"x5c":["${encode('certificate')}"]`)],
  ['a chain address', withMembers('"x5u":"https://attacker.example/chain"')],
  ['a key id', withMembers('"kid":"../../dev/null"')],
  ['a second algorithm before the first', withMembers('"alg":"none"')],
  ['a second thumbprint', twisted('}', `,"x5t#S256":"${thumb('payments')}"}`)],
  ['no thumbprint', jws('{"alg":"EdDSA","typ":"maso-envelope+jws"}', text)],
  ['a thumbprint that is too short', jws(envelopeHeader(thumb('triage').slice(0, -1)), text)],
  ['a thumbprint of illegal characters', jws(envelopeHeader('"'.repeat(43)), text)],
  ['another type', twisted('maso-envelope+jws', 'maso-decision+jws')],
  ['no type', jws(`{"alg":"EdDSA","x5t#S256":"${thumb('triage')}"}`, text)],
  [
    'members in another order',
    jws(`{"typ":"maso-envelope+jws","alg":"EdDSA","x5t#S256":"${thumb('triage')}"}`, text),
  ],
  ['white space in the header', twisted('":"', '": "')],
  ['an escaped member name', twisted('"alg"', '"\\u0061lg"')],
  ['an item of two digests', jws(itemHeader.replace(',"typ"', `,"item":"${itemDigest('')}","typ"`), text)],
  ['an item whose digest is too short', jws(envelopeHeader(thumb('triage'), 'EdDSA', itemDigest(item).slice(1)), text)],
  ['an item whose digest is of illegal characters', jws(envelopeHeader(thumb('triage'), 'EdDSA', '"'.repeat(43)), text)],
  ['a flipped bit in the header', `${flip(head, 10)}.${load}.${tail}`],
  ['a truncated header', `${head.slice(0, -4)}.${load}.${tail}`],
].map(([name = '', envelope = '']) => ({ name, envelope, code: 'IDENTITY_HEADER_REFUSED' }));

/** An envelope of a P-256 key, and the other signature that ECDSA leaves for it. */
const p256 = jws(header('p256'), text, 'p256');
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function twinOf(envelope: string): string {
  const at = envelope.lastIndexOf('.') + 1;
  const signature = Buffer.from(envelope.slice(at), 'base64url');
  const s = p256Order - BigInt(`0x${signature.subarray(32).toString('hex')}`);
  const twin = Buffer.from(s.toString(16).padStart(64, '0'), 'hex');
  return envelope.slice(0, at) + encode(Buffer.concat([signature.subarray(0, 32), twin]));
}

/** What only the key of a certificate decides: its one algorithm, and one signature. */
const confused: readonly Failing[] = [
  ['algorithm EdDSA over a P-256 key', 'IDENTITY_HEADER_REFUSED', 'p256',
    jws(envelopeHeader(thumb('p256')), text, 'p256')],
  ['algorithm ES384 over a P-256 key', 'IDENTITY_HEADER_REFUSED', 'p256',
    jws(envelopeHeader(thumb('p256'), 'ES384'), text, 'p256')],
  ['algorithm ES256 over an RSA key', 'IDENTITY_HEADER_REFUSED', 'rsa2048',
    jws(envelopeHeader(thumb('rsa2048'), 'ES256'), text, 'rsa2048')],
  ['algorithm RS256 over an RSA key', 'IDENTITY_HEADER_REFUSED', 'rsa2048',
    jws(header('rsa2048').replace('PS256', 'RS256'), text, 'rsa2048')],
  ['a P-256 certificate with the signature of an Ed25519 key', 'IDENTITY_SIGNATURE_INVALID', 'p256',
    jws(header('p256'), text, 'triage')],
  ['an RSA certificate with the signature of a P-256 key', 'IDENTITY_SIGNATURE_INVALID', 'rsa2048',
    jws(header('rsa2048'), text, 'p256')],
  ['the other signature of a P-256 key', 'IDENTITY_SIGNATURE_INVALID', 'p256', twinOf(p256)],
].map(([name = '', code = '', certificate = '', envelope = '']) => ({ name, code, certificate, envelope }));

const [, , otherTail = ''] = jws(header('triage'), withBody({ hop: 2 })).split('.');

const forged: readonly Failing[] = [
  {
    name: 'an unknown thumbprint',
    code: 'IDENTITY_SIGNER_UNKNOWN',
    envelope: jws(header('payments'), text),
  },
  ...[
    ['a flipped bit in the payload', `${head}.${flip(load, 40)}.${tail}`],
    ['a flipped bit in the signature', `${head}.${load}.${flip(tail, 0)}`],
    ['a flipped bit in the scalar of the signature', `${head}.${load}.${flip(tail, -2)}`],
    ['a truncated payload', `${head}.${encode(text.slice(0, -4))}.${tail}`],
    ['a payload of another envelope', `${head}.${encode(withBody({ hop: 2 }))}.${tail}`],
    ['a signature of another envelope', `${head}.${load}.${otherTail}`],
    ['a signature by another key', jws(header('triage'), text, 'impostor')],
    ['a signature of zeros', `${head}.${load}.${encode(new Uint8Array(64))}`],
    ['an empty payload', `${head}..${tail}`],
    ['an item that was not signed', `${good}~${item}`],
    ['an empty item that was not signed', `${good}~`],
    ['an item that is missing', withItem],
    ['an empty item in place of the signed one', `${withItem}~`],
    ['a flipped bit in the item', `${withItem}~${flip(item, 5)}`],
    ['another spelling of the item', `${withItem}~${item}=`],
    ['two items', `${withItem}~${item}~${item}`],
  ].map(([name = '', envelope = '']) => ({ name, envelope, code: 'IDENTITY_SIGNATURE_INVALID' })),
  {
    name: 'a certificate for the same name with another key',
    code: 'IDENTITY_SIGNATURE_INVALID',
    certificate: 'triageSwappedKey',
    envelope: jws(header('triageSwappedKey'), text),
  },
];

function resigned(name: string, code: string, payload: string | Uint8Array): Failing {
  return { name, code, envelope: jws(header('triage'), payload) };
}

const { from: _from, ...withoutSender } = body;
const { type: _type, ...withoutType } = body;

const badBodies: readonly Failing[] = [
  resigned('white space, signed', 'IDENTITY_NOT_CANONICAL', text.replace('":', '": ')),
  resigned(
    'members out of order, signed',
    'IDENTITY_NOT_CANONICAL',
    text.replace(/^\{("causes":\{.*?\}),("domain":"billing"),/, '{$2,$1,'),
  ),
  resigned(
    'an escape where none is needed, signed',
    'IDENTITY_NOT_CANONICAL',
    text.replace('ACME', '\\u0041CME'),
  ),
  resigned(
    'a number in another form, signed',
    'IDENTITY_NOT_CANONICAL',
    text.replace('98.7', '98.70'),
  ),
  resigned(
    'a duplicate member, signed',
    'MESSAGE_DUPLICATE_KEY',
    text.replace('"hop":1', '"hop":0,"hop":1'),
  ),
  resigned('a trailing byte in the payload, signed', 'MESSAGE_JSON_SYNTAX', `${text}x`),
  resigned('a second value in the payload, signed', 'MESSAGE_JSON_SYNTAX', `${text}{}`),
  resigned('a truncated payload, signed', 'MESSAGE_JSON_SYNTAX', text.slice(0, -1)),
  resigned('an empty payload, signed', 'MESSAGE_JSON_SYNTAX', ''),
  resigned('a byte order mark in the payload, signed', 'MESSAGE_BOM', `\uFEFF${text}`),
  resigned(
    'invalid UTF-8, signed',
    'MESSAGE_NOT_UTF8',
    Buffer.concat([Buffer.from(text), Buffer.from([0xff])]),
  ),
  resigned('a list for a body, signed', 'MESSAGE_TYPE_MISSING', '[]'),
  resigned('a body without a type, signed', 'MESSAGE_TYPE_MISSING', canonicalize(withoutType)),
  resigned(
    'a body without a sender, signed',
    'MESSAGE_MEMBER_MISSING',
    canonicalize(withoutSender),
  ),
  resigned(
    'an unknown member, signed',
    'MESSAGE_MEMBER_UNKNOWN',
    canonicalize({ ...body, zzz: 1 }),
  ),
  resigned('another sender, signed', 'IDENTITY_SENDER_MISMATCH', withBody({ from: 'payments' })),
  resigned(
    'another instance, signed',
    'IDENTITY_SENDER_MISMATCH',
    withBody({ instance: `${triageId}1` }),
  ),
  resigned('the instance of another agent, signed', 'IDENTITY_SENDER_MISMATCH', withBody({
    from: 'payments',
    instance: `spiffe://${trustDomain}/agent/payments/i-1`,
  })),
  {
    name: 'an old instance signed with the certificate of the new one',
    code: 'IDENTITY_SENDER_MISMATCH',
    certificate: 'triageOtherInstance',
    envelope: jws(header('triageOtherInstance'), text),
  },
  {
    name: 'a node that speaks as an agent of its name',
    code: 'IDENTITY_SENDER_MISMATCH',
    certificate: 'node',
    envelope: jws(header('node'), text, 'node'),
  },
];

const badCertificates: readonly Failing[] = (
  [
    ['expired', 'IDENTITY_CERTIFICATE_EXPIRED'],
    ['notYetValid', 'IDENTITY_CERTIFICATE_NOT_YET_VALID'],
    ['foreignDomain', 'IDENTITY_TRUST_DOMAIN_FOREIGN'],
    ['impostorSigned', 'IDENTITY_CERTIFICATE_UNTRUSTED'],
    ['selfSigned', 'IDENTITY_CERTIFICATE_UNTRUSTED'],
    ['impostorRoot', 'IDENTITY_CERTIFICATE_UNTRUSTED'],
    ['root', 'IDENTITY_CERTIFICATE_USAGE'],
    ['authorityLeaf', 'IDENTITY_CERTIFICATE_USAGE'],
    ['signingAuthorityLeaf', 'IDENTITY_CERTIFICATE_USAGE'],
    ['clientOnly', 'IDENTITY_CERTIFICATE_USAGE'],
    ['noUsage', 'IDENTITY_CERTIFICATE_USAGE'],
    ['p521', 'IDENTITY_CERTIFICATE_USAGE'],
    ['rsa1024', 'IDENTITY_CERTIFICATE_USAGE'],
    ['smallOrder', 'IDENTITY_CERTIFICATE_USAGE'],
    ['twoNames', 'IDENTITY_SPIFFE_ID_INVALID'],
    ['twoNameExtensions', 'IDENTITY_CERTIFICATE_UNTRUSTED'],
    ['noName', 'IDENTITY_SPIFFE_ID_INVALID'],
    ['dnsName', 'IDENTITY_SPIFFE_ID_INVALID'],
    ['uriAndDnsName', 'IDENTITY_SPIFFE_ID_INVALID'],
    ['notSpiffe', 'IDENTITY_SPIFFE_ID_INVALID'],
    ['otherPath', 'IDENTITY_SPIFFE_ID_INVALID'],
  ] as const
).map(([certificate, code]) => ({
  name: `a certificate that is bad: ${certificate}`,
  code,
  certificate,
  envelope: jws(header(certificate), text),
}));

const validBodies: readonly (readonly [string, EnvelopeBody])[] = [
  ['data with text beyond ASCII', body],
  ['an empty payload', { ...body, payload: {} }],
  ['a null payload', { ...body, payload: null }],
  ['a claim with epistemic fields', {
    ...body,
    type: 'claim',
    epistemic: { confidence: 0.5, assumptions: ['a'], unknowns: [] },
  }],
  ['numbers at the edge of what is exact', {
    ...body,
    payload: [9007199254740991, -9007199254740991, 5e-324, 1.7976931348623157e308, 0.1, 1e21],
  }],
  ['strings that need escapes', { ...body, payload: '\u0000\u001f"\\/\u2028\u007f' }],
];

function write(name: string, content: unknown): void {
  writeFileSync(new URL(name, folder), `${JSON.stringify(content, null, 1)}\n`);
}

function validOf(name: string, certificate: string, canonical: string) {
  const envelope = jws(header(certificate), canonical, certificate);
  return { name, certificate, envelope, canonical };
}

write('signed-keys.json', {
  note: 'Test-only keys and certificates, published on purpose. Nothing may ever trust them.',
  source: 'scripts/generate-signed-vectors.ts',
  nowMs,
  trustDomain,
  limits: { bytesMax: 65_536, depthMax: 16 },
  keys,
  certificates,
});
write('signed-valid.json', {
  note: 'Envelopes that must verify at nowMs of signed-keys.json, with any JOSE library.',
  source: 'scripts/generate-signed-vectors.ts',
  vectors: [
    ...validBodies.map(([name, one]) => validOf(name, 'triage', canonicalize(one))),
    { ...validOf('an item beside the body', 'triage', text), envelope: `${withItem}~${item}` },
    ...[...algorithms].map(([key, algorithm]) => validOf(`algorithm ${algorithm}`, key, text)),
  ],
});
write('signed-must-fail.json', {
  note: 'Envelopes that must be refused at nowMs of signed-keys.json, each with its code.',
  source: 'scripts/generate-signed-vectors.ts',
  vectors: [
    ...malformed, ...refusedHeaders, ...confused, ...forged, ...badBodies, ...badCertificates,
  ].map(({ name, code, certificate, envelope }) => {
    return { name, certificate: certificate ?? 'triage', code, envelope };
  }),
});
