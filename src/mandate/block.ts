// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readCertificatesPem } from '../identity/certificate.ts';
import { intermediatesMax } from '../identity/certification-path.ts';
import type { Credential } from '../identity/credential.ts';
import { signCompactJws, signingAlgorithm, splitCompactJws } from '../identity/jws.ts';
import type { CompactJws } from '../identity/jws.ts';
import { signatureAlgorithms, type SignatureAlgorithm } from '../identity/key-algorithm.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { isDigest } from '../message/identifiers.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import { chainLengthMax, depthMax, mandateBounds } from './mandate.ts';
import type { MandateBlock } from './mandate.ts';
import { parseBlock } from './parse-block.ts';

/** Who signs a block: an NHI, or an operator with the key that the mesh file names. */
export type MandateSigner =
  | { readonly kind: 'nhi'; readonly credential: Credential }
  | { readonly kind: 'operator'; readonly name: string; readonly privateKey: KeyObject };

/** Whom a block's header names; nothing about them has been believed yet. */
export type NamedSigner =
  | {
      readonly kind: 'nhi';
      readonly algorithm: SignatureAlgorithm;
      readonly thumbprint: string;
      /** Leaf first, then what leads from it to an authority (RFC 7515, 4.1.6). */
      readonly certificates: readonly Buffer[];
    }
  | { readonly kind: 'operator'; readonly algorithm: 'EdDSA'; readonly name: string };

/** One block as received. */
export type ReceivedBlock = {
  readonly jws: CompactJws;
  readonly signer: NamedSigner;
  /** The text of this block and all before it, and its digest: the id of the mandate. */
  readonly id: string;
  /** Id of the block before; null for the first. */
  readonly parent: string | null;
};

export type ReceivedChain =
  | { readonly ok: true; readonly blocks: readonly ReceivedBlock[] }
  | {
      readonly ok: false;
      readonly code:
        | 'MANDATE_MALFORMED'
        | 'MANDATE_TOO_LARGE'
        | 'MANDATE_HEADER_REFUSED'
        | 'MANDATE_DEPTH_EXCEEDED';
    };

export const blockSeparator = '~';
const algorithmPrefix = '{"alg":"';
const nhiPrefix = '","typ":"maso-mandate+jws","x5c":["';
/** All names of algorithms are of one length. */
const nhiPrefixAt = algorithmPrefix.length + 5;
const certificateAt = nhiPrefixAt + nhiPrefix.length;
const nhiBetween = '","';
const nhiMiddle = '"],"x5t#S256":"';
const headerEnd = '"}';
const operatorPrefix = '{"alg":"EdDSA","kid":"';
const operatorEnd = '","typ":"maso-mandate+jws"}';
const operatorForm = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;
const thumbprintLength = 43;
const jsonLimits = {
  ...defaultJsonLimits,
  bytesMax: mandateBounds.payloadBytesMax,
  depthMax: 8,
  membersMax: 4_096,
};

/** SHA-256 (base64url) over the text of a chain: the id of its last mandate. */
export function mandateId(chain: string): string {
  return createHash('sha256').update(chain, 'latin1').digest('base64url');
}

/**
 * Splits a chain and reads the headers; no payload is looked at. Never throws. The number of
 * blocks is bounded before any of them is decoded.
 */
export function splitChain(chain: string): ReceivedChain {
  if (!(chain.length <= chainLengthMax)) return { ok: false, code: 'MANDATE_TOO_LARGE' };
  const texts = chain.split(blockSeparator, depthMax + 1);
  if (texts.length > depthMax) return { ok: false, code: 'MANDATE_DEPTH_EXCEEDED' };
  const blocks: ReceivedBlock[] = [];
  const hash = createHash('sha256');
  for (const [index, text] of texts.entries()) {
    const jws = splitCompactJws(text);
    if (jws === null) return { ok: false, code: 'MANDATE_MALFORMED' };
    if (!(jws.payload.length <= mandateBounds.payloadBytesMax)) {
      return { ok: false, code: 'MANDATE_TOO_LARGE' };
    }
    const signer = readHeader(jws.header);
    if (signer === null) return { ok: false, code: 'MANDATE_HEADER_REFUSED' };
    hash.update(index === 0 ? text : blockSeparator + text, 'latin1');
    const id = hash.copy().digest('base64url');
    blocks.push({ jws, signer, id, parent: blocks.at(-1)?.id ?? null });
  }
  return { ok: true, blocks };
}

/** The terms of a block, or null unless its bytes are the canonical form of a sound block. */
export function readBlock(received: ReceivedBlock): MandateBlock | null {
  const json = parseStrictJson(received.jws.payload, jsonLimits);
  if (!json.ok || !json.canonical) return null;
  const parsed = parseBlock(json.value);
  return parsed.ok ? parsed.block : null;
}

/** Signs a block and appends it. Throws `IdentityError` when the key is none that may sign. */
export function appendBlock(chain: string | null, block: MandateBlock, by: MandateSigner): string {
  const [header, key] = by.kind === 'nhi'
    ? [nhiHeader(by.credential), by.credential.privateKey]
    : [operatorPrefix + by.name + operatorEnd, by.privateKey];
  const part = Buffer.from(header, 'latin1').toString('base64url');
  const signed = signCompactJws(part, canonicalize(block), key);
  return chain === null ? signed : chain + blockSeparator + signed;
}

/** SPIFFE id of the signer, or `operator:NAME`: what a block of it must name as its issuer. */
export function issuerOf(signer: MandateSigner): string {
  return signer.kind === 'nhi' ? signer.credential.spiffeId : `operator:${signer.name}`;
}

/** The certificates travel along, so that whoever trusts the authority needs no other source. */
function nhiHeader(credential: Credential): string {
  const chain = readCertificatesPem(credential.chainPem) ?? [];
  const certificate = chain.map(({ raw }) => raw.toString('base64')).join(nhiBetween);
  const algorithm = signingAlgorithm(credential.privateKey);
  return algorithmPrefix + algorithm + nhiPrefix + certificate + nhiMiddle + credential.thumbprint +
    headerEnd;
}

/**
 * Whom a header names, or null unless it is byte for byte one of the accepted forms: an operator's,
 * and an NHI's with one of the algorithms. Nothing is parsed, so no `crit`, `jwk`, `jku` or duplicate
 * member can mean anything.
 */
function readHeader(header: string): NamedSigner | null {
  if (header.startsWith(operatorPrefix) && header.endsWith(operatorEnd)) {
    const name = header.slice(operatorPrefix.length, -operatorEnd.length);
    return operatorForm.test(name) ? { kind: 'operator', algorithm: 'EdDSA', name } : null;
  }
  const at = header.length - headerEnd.length - thumbprintLength - nhiMiddle.length;
  const framed = header.startsWith(algorithmPrefix) && header.startsWith(nhiPrefix, nhiPrefixAt) &&
    at > certificateAt && header.startsWith(nhiMiddle, at) && header.endsWith(headerEnd);
  const algorithm = signatureAlgorithms.find((one) => header.startsWith(one, algorithmPrefix.length));
  if (!framed || algorithm === undefined) return null;
  const encoded = header.slice(certificateAt, at).split(nhiBetween, intermediatesMax + 2);
  const certificates = encoded.map((text) => Buffer.from(text, 'base64'));
  const strict = encoded.length <= intermediatesMax + 1 &&
    certificates.every((bytes, index) =>
      bytes.length > 0 && bytes.toString('base64') === encoded[index]);
  const thumbprint = header.slice(at + nhiMiddle.length, -headerEnd.length);
  const [leaf] = certificates;
  if (!strict || leaf === undefined || !isDigest(thumbprint)) return null;
  const digest = createHash('sha256').update(leaf).digest('base64url');
  return digest === thumbprint ? { kind: 'nhi', algorithm, thumbprint, certificates } : null;
}
