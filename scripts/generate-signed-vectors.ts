// SPDX-License-Identifier: Apache-2.0
/**
 * Writes `test/vectors/signed-*.json`. The keys in `signed-keys.json` are made once and kept, and
 * Ed25519 is deterministic, so a second run writes the same vectors, but for the one that is signed
 * with ECDSA. Test-only keys: nothing may ever trust them.
 *
 *     node scripts/generate-signed-vectors.ts
 */
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { Buffer } from 'node:buffer';
import { createHmac, createPrivateKey, createPublicKey, sign, webcrypto } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';
import { envelopeHeader } from '../src/identity/envelope-header.ts';
import { authorityHash } from '../src/identity/certificate.ts';
import { canonicalize } from '../src/message/canonical-json.ts';
import type { EnvelopeBody } from '../src/message/envelope.ts';

const folder = new URL('../test/vectors/', import.meta.url);
const nowMs = 1_760_000_000_000;
const trustDomain = 'vectors.maso.local';
const hourMs = 3_600_000;
const ed25519 = { name: 'Ed25519' };
const keyNames = ['root', 'impostor', 'triage', 'payments', 'node'];

type Keys = { readonly [name: string]: webcrypto.JsonWebKey };
type Pair = { readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey };

function keyFile(): Keys {
  const path = new URL('signed-keys.json', folder);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')).keys;
  const { generateKeyPairSync } = process.getBuiltinModule('node:crypto');
  const made = keyNames.map((name) => {
    return [name, generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] as const;
  });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return Object.fromEntries([...made, ['p256', p256.export({ format: 'jwk' })]]);
}

const keys = keyFile();
const root = await pairOf('root');
const impostor = await pairOf('impostor');
const rootCertificate = await authority(root, '01');
const impostorCertificate = await authority(impostor, '02');
const triageId = `spiffe://${trustDomain}/agent/triage/i-1`;

const certificates: { [name: string]: string } = {
  root: rootCertificate.toString('pem'),
  impostorRoot: impostorCertificate.toString('pem'),
  triage: await leaf({ san: [triageId], key: 'triage' }),
  payments: await leaf({ san: [`spiffe://${trustDomain}/agent/payments/i-1`], key: 'payments' }),
  node: await leaf({ san: [`spiffe://${trustDomain}/node/triage`], key: 'node' }),
  triageOtherInstance: await leaf({
    san: [`spiffe://${trustDomain}/agent/triage/i-2`],
    key: 'triage',
  }),
  triageSwappedKey: await leaf({ san: [triageId], key: 'payments' }),
  expired: await leaf({ san: [triageId], key: 'triage', from: -2 * hourMs, to: -1_000 }),
  notYetValid: await leaf({ san: [triageId], key: 'triage', from: 60_000, to: hourMs }),
  foreignDomain: await leaf({ san: ['spiffe://other.local/agent/triage/i-1'], key: 'triage' }),
  impostorSigned: await leaf({ san: [triageId], key: 'triage', issuer: impostor }),
  selfSigned: await leaf({ san: [triageId], key: 'triage', issuer: await pairOf('triage') }),
  authorityLeaf: await leaf({ san: [triageId], key: 'triage', ca: true }),
  signingAuthorityLeaf: await leaf({ san: [triageId], key: 'triage', ca: true, certSign: true }),
  twoNames: await leaf({
    san: [triageId, `spiffe://${trustDomain}/agent/payments/i-1`],
    key: 'triage',
  }),
  twoNameExtensions: await leaf({ san: [triageId], key: 'triage', secondExtension: true }),
  noName: await leaf({ san: [], key: 'triage' }),
  dnsName: await leaf({ san: [], dns: 'triage.example.org', key: 'triage' }),
  uriAndDnsName: await leaf({ san: [triageId], dns: 'triage.example.org', key: 'triage' }),
  notSpiffe: await leaf({ san: ['https://vectors.maso.local/agent/triage/i-1'], key: 'triage' }),
  otherPath: await leaf({ san: [`spiffe://${trustDomain}/operator/triage`], key: 'triage' }),
  clientOnly: await leaf({ san: [triageId], key: 'triage', usages: ['1.3.6.1.5.5.7.3.2'] }),
  noUsage: await leaf({ san: [triageId], key: 'triage', usages: [] }),
  p256: await leaf({ san: [triageId], key: 'p256' }),
  smallOrder: await leaf({ san: [triageId], key: 'smallOrder' }),
};

async function pairOf(name: string): Promise<Pair> {
  const { d: _d, key_ops: _ops, ...publicJwk } = jwkOf(name);
  const algorithm = name === 'p256' ? { name: 'ECDSA', namedCurve: 'P-256' } : ed25519;
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey('jwk', jwkOf(name), algorithm, true, ['sign']),
    publicKey: await subtle.importKey('jwk', publicJwk, algorithm, true, ['verify']),
  };
}

function jwkOf(name: string): webcrypto.JsonWebKey {
  const jwk = keys[name];
  if (jwk === undefined) throw new Error(`no key ${name}`);
  return jwk;
}

/** Both authorities bear the same subject: a name proves nothing. */
function authority(pair: Pair, serialNumber: string): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber,
      name: 'CN=vectors authority',
      notBefore: new Date(nowMs - hourMs * 24),
      notAfter: new Date(nowMs + hourMs * 24),
      signingAlgorithm: ed25519,
      keys: pair,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      ],
    },
    webcrypto,
  );
}

type LeafOptions = {
  readonly san: readonly string[];
  readonly key: string;
  readonly dns?: string;
  readonly issuer?: Pair;
  readonly from?: number;
  readonly to?: number;
  readonly ca?: boolean;
  readonly certSign?: boolean;
  readonly usages?: readonly string[];
  readonly secondExtension?: boolean;
};

async function leaf(options: LeafOptions): Promise<string> {
  const names: x509.JsonGeneralNames = [
    ...options.san.map((value) => ({ type: 'url' as const, value })),
    ...(options.dns === undefined ? [] : [{ type: 'dns' as const, value: options.dns }]),
  ];
  const usages = options.usages ?? ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
  const extensions = [
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, true)]),
    ...(options.secondExtension === true
      ? [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'second.local' }], true)]
      : []),
    new x509.BasicConstraintsExtension(options.ca === true, undefined, true),
    new x509.KeyUsagesExtension(
      x509.KeyUsageFlags.digitalSignature |
        (options.certSign === true ? x509.KeyUsageFlags.keyCertSign : 0),
      true,
    ),
    ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages])]),
  ];
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: '10',
      issuer: 'CN=vectors authority',
      notBefore: new Date(nowMs + (options.from ?? -30_000)),
      notAfter: new Date(nowMs + (options.to ?? hourMs)),
      signingKey: (options.issuer ?? root).privateKey,
      publicKey: options.key === 'smallOrder' ? smallOrderKey() : (await pairOf(options.key)).publicKey,
      signingAlgorithm: ed25519,
      extensions,
    },
    webcrypto,
  );
  return certificate.toString('pem');
}

/** The neutral element of edwards25519 as a public key: one signature verifies for any message. */
function smallOrderKey(): x509.PublicKey {
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from([1, ...new Uint8Array(31)]),
  ]);
  return new x509.PublicKey(spki);
}

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
  goalHash: null,
  payload: { invoice: '42', payee: 'ACME GmbH', amount: 98.7, note: 'Grüße, 谢谢, \u{1F980}' },
};

function thumb(name: string): string {
  return authorityHash(certificates[name] ?? '') ?? '';
}

function header(name: string): string {
  return envelopeHeader(thumb(name));
}

function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}

/** Signs whatever it is given: what an attacker with a stolen agent key can do. */
function jws(headerText: string, payload: string | Uint8Array, key = 'triage'): string {
  const input = `${encode(headerText)}.${encode(payload)}`;
  const privateKey = createPrivateKey({ key: { ...jwkOf(key) }, format: 'jwk' });
  return `${input}.${encode(sign(key === 'p256' ? 'sha256' : null, Buffer.from(input), signer(privateKey)))}`;
}

function signer(key: ReturnType<typeof createPrivateKey>): Parameters<typeof sign>[2] {
  return key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key;
}

const text = canonicalize(body);
const good = jws(header('triage'), text);
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
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

function headerWith(members: string): string {
  return header('triage').replace('{', `{${members},`);
}

function withBody(change: Partial<EnvelopeBody>): string {
  return canonicalize({ ...body, ...change });
}

type Failing = {
  readonly name: string;
  readonly code: string;
  readonly envelope: string;
  readonly certificate?: string;
};

const malformed: readonly Failing[] = [
  ['an empty text', ''],
  ['two dots only', '..'],
  ['two parts', `${goodHeader}.${goodPayload}`],
  ['four parts', `${good}.${goodSignature}`],
  ['a JSON-serialised JWS', JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature })],
  ['padding after the signature', `${good}==`],
  ['padding inside the header', `${goodHeader}=.${goodPayload}.${goodSignature}`],
  ['padding inside the payload', `${goodHeader}.${goodPayload}=.${goodSignature}`],
  ['stray trailing bits in the signature', `${goodHeader}.${goodPayload}.${strayBits(goodSignature)}`],
  ['the standard base64 alphabet', `${goodHeader}.${goodPayload}+/.${goodSignature}`],
  ['white space in the payload', `${goodHeader}.${goodPayload.slice(0, 40)}\n${goodPayload.slice(40)}.${goodSignature}`],
  ['white space after the end', `${good}\n`],
  ['a trailing byte', `${good}A`],
  ['a leading byte order mark', `\uFEFF${good}`],
  ['a truncated signature', good.slice(0, -1)],
  ['an empty signature, algorithm none', `${encode('{"alg":"none"}')}.${goodPayload}.`],
  ['an empty header', `.${goodPayload}.${goodSignature}`],
].map(([name = '', envelope = '']) => ({ name, envelope, code: 'IDENTITY_ENVELOPE_MALFORMED' }));

const refusedHeaders: readonly Failing[] = [
  ['algorithm none with a signature', jws(header('triage').replace('EdDSA', 'none'), text)],
  ['algorithm none, same length', jws(header('triage').replace('EdDSA', 'none '), text)],
  ['algorithm HS256 keyed with the public key', hs256(header('triage').replace('EdDSA', 'HS256'))],
  ['algorithm ES256 over P-256', jws(header('p256').replace('EdDSA', 'ES256'), text, 'p256')],
  ['algorithm Ed25519 instead of EdDSA', jws(header('triage').replace('EdDSA', 'Ed25519'), text)],
  ['algorithm in lower case', jws(header('triage').replace('EdDSA', 'eddsa'), text)],
  ['a critical extension', jws(headerWith('"crit":["exp"],"exp":1'), text)],
  ['an unencoded payload, RFC 7797', jws(headerWith('"b64":false,"crit":["b64"]'), text)],
  ['an embedded key', jws(headerWith(`"jwk":${JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: jwkOf('impostor').x })}`), text, 'impostor')],
  ['a key address', jws(headerWith('"jku":"https://attacker.example/keys"'), text)],
  ['an embedded chain', jws(headerWith(`"x5c":["${encode('certificate')}"]`), text)],
  ['a chain address', jws(headerWith('"x5u":"https://attacker.example/chain"'), text)],
  ['a key id', jws(headerWith('"kid":"../../dev/null"'), text)],
  ['a second algorithm before the first', jws(headerWith('"alg":"none"'), text)],
  ['a second thumbprint', jws(header('triage').replace('}', `,"x5t#S256":"${thumb('payments')}"}`), text)],
  ['no thumbprint', jws('{"alg":"EdDSA","typ":"maso-envelope+jws"}', text)],
  ['a thumbprint that is too short', jws(envelopeHeader(thumb('triage').slice(0, -1)), text)],
  ['a thumbprint of illegal characters', jws(envelopeHeader('"'.repeat(43)), text)],
  ['another type', jws(header('triage').replace('maso-envelope+jws', 'maso-decision+jws'), text)],
  ['no type', jws(`{"alg":"EdDSA","x5t#S256":"${thumb('triage')}"}`, text)],
  ['members in another order', jws(`{"typ":"maso-envelope+jws","alg":"EdDSA","x5t#S256":"${thumb('triage')}"}`, text)],
  ['white space in the header', jws(header('triage').replace('":"', '": "'), text)],
  ['an escaped member name', jws(header('triage').replace('"alg"', '"\\u0061lg"'), text)],
  ['a flipped bit in the header', `${flip(goodHeader, 10)}.${goodPayload}.${goodSignature}`],
  ['a truncated header', `${goodHeader.slice(0, -4)}.${goodPayload}.${goodSignature}`],
].map(([name = '', envelope = '']) => ({ name, envelope, code: 'IDENTITY_HEADER_REFUSED' }));

const forged: readonly Failing[] = [
  { name: 'an unknown thumbprint', code: 'IDENTITY_SIGNER_UNKNOWN', envelope: jws(header('payments'), text) },
  ...[
    ['a flipped bit in the payload', `${goodHeader}.${flip(goodPayload, 40)}.${goodSignature}`],
    ['a flipped bit in the signature', `${goodHeader}.${goodPayload}.${flip(goodSignature, 0)}`],
    ['a flipped bit in the scalar of the signature', `${goodHeader}.${goodPayload}.${flip(goodSignature, -2)}`],
    ['a truncated payload', `${goodHeader}.${goodPayload.slice(0, -4)}.${goodSignature}`],
    ['a payload of another envelope', `${goodHeader}.${encode(withBody({ hop: 2 }))}.${goodSignature}`],
    ['a signature of another envelope', `${goodHeader}.${goodPayload}.${jws(header('triage'), withBody({ hop: 2 })).split('.')[2] ?? ''}`],
    ['a signature by another key', jws(header('triage'), text, 'impostor')],
    ['a signature of zeros', `${goodHeader}.${goodPayload}.${encode(new Uint8Array(64))}`],
    ['an empty payload', `${goodHeader}..${goodSignature}`],
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
  resigned('members out of order, signed', 'IDENTITY_NOT_CANONICAL', text.replace(/^\{("causes":\{.*?\}),("domain":"billing"),/, '{$2,$1,')),
  resigned('an escape where none is needed, signed', 'IDENTITY_NOT_CANONICAL', text.replace('ACME', '\\u0041CME')),
  resigned('a number in another form, signed', 'IDENTITY_NOT_CANONICAL', text.replace('98.7', '98.70')),
  resigned('a duplicate member, signed', 'MESSAGE_DUPLICATE_KEY', text.replace('"hop":1', '"hop":0,"hop":1')),
  resigned('a trailing byte in the payload, signed', 'MESSAGE_JSON_SYNTAX', `${text}x`),
  resigned('a second value in the payload, signed', 'MESSAGE_JSON_SYNTAX', `${text}{}`),
  resigned('a truncated payload, signed', 'MESSAGE_JSON_SYNTAX', text.slice(0, -1)),
  resigned('an empty payload, signed', 'MESSAGE_JSON_SYNTAX', ''),
  resigned('a byte order mark in the payload, signed', 'MESSAGE_BOM', `\uFEFF${text}`),
  resigned('invalid UTF-8, signed', 'MESSAGE_NOT_UTF8', Buffer.concat([Buffer.from(text), Buffer.from([0xff])])),
  resigned('a list for a body, signed', 'MESSAGE_TYPE_MISSING', '[]'),
  resigned('a body without a type, signed', 'MESSAGE_TYPE_MISSING', canonicalize(withoutType)),
  resigned('a body without a sender, signed', 'MESSAGE_MEMBER_MISSING', canonicalize(withoutSender)),
  resigned('an unknown member, signed', 'MESSAGE_MEMBER_UNKNOWN', canonicalize({ ...body, zzz: 1 })),
  resigned('another sender, signed', 'IDENTITY_SENDER_MISMATCH', withBody({ from: 'payments' })),
  resigned('another instance, signed', 'IDENTITY_SENDER_MISMATCH', withBody({ instance: `${triageId}1` })),
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
    ['p256', 'IDENTITY_CERTIFICATE_USAGE'],
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
  vectors: validBodies.map(([name, one]) => {
    const canonical = canonicalize(one);
    return { name, certificate: 'triage', envelope: jws(header('triage'), canonical), canonical };
  }),
});
write('signed-must-fail.json', {
  note: 'Envelopes that must be refused at nowMs of signed-keys.json, with the code of the refusal.',
  source: 'scripts/generate-signed-vectors.ts',
  vectors: [...malformed, ...refusedHeaders, ...forged, ...badBodies, ...badCertificates].map(
    ({ name, code, certificate, envelope }) => {
      return { name, certificate: certificate ?? 'triage', code, envelope };
    },
  ),
});
