// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import { parseEnvelopeBody } from '../message/envelope-parse.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { PeerIdentity } from './credential.ts';
import { itemDigest, itemMark, readEnvelopeHeader } from './envelope-header.ts';
import { signatureLengthMax, splitCompactJws, verifyCompactJws } from './jws.ts';
import { algorithmOf } from './key-algorithm.ts';

/** Bounds on the signed body; the number of members is bounded by the parser's own default. */
export type EnvelopeLimits = {
  /** Canonical body in UTF-8 bytes. */
  readonly bytesMax: number;
  readonly depthMax: number;
};

export type VerifiedEnvelope = {
  readonly ok: true;
  readonly body: EnvelopeBody;
  readonly peer: PeerIdentity;
  /** The signed bytes: the canonical form of `body`. */
  readonly payloadBytes: Uint8Array;
  /** What travels beside the body, as it was signed; null where nothing does. */
  readonly item: string | null;
};

/** `code` is one of this folder's or of the message folder's table. */
export type EnvelopeRefusal = { readonly ok: false; readonly code: string };

/**
 * Believes an envelope only when a verified peer signed exactly these bytes, they are canonical,
 * and they name that peer as their sender (G1). The attacker controls every character of `envelope`;
 * nothing of it is parsed before its signature holds. Never throws.
 *
 * `peerByThumbprint` answers only for certificates that it has verified and that are valid now.
 * Freshness, replay and routing are the bus's to check.
 */
export function verifyEnvelope(
  envelope: SignedEnvelope,
  peerByThumbprint: (thumbprint: string) => PeerIdentity | null,
  limits: EnvelopeLimits,
): VerifiedEnvelope | EnvelopeRefusal {
  const bounded = limits.depthMax >= 0 && isWithin(envelope, limits.bytesMax);
  if (!bounded) return refuse('IDENTITY_ENVELOPE_TOO_LARGE');
  const { jws, item } = splitItem(envelope);
  const parts = splitCompactJws(jws);
  if (parts === null) return refuse('IDENTITY_ENVELOPE_MALFORMED');
  const header = readEnvelopeHeader(parts.header);
  if (header === null) return refuse('IDENTITY_HEADER_REFUSED');
  const { algorithm, thumbprint } = header;
  const peer = peerByThumbprint(thumbprint);
  if (peer === null || peer.thumbprint !== thumbprint) return refuse('IDENTITY_SIGNER_UNKNOWN');
  // The key decides: a header that names another algorithm is none of this signer.
  if (algorithm !== algorithmOf(peer.publicKey)) return refuse('IDENTITY_HEADER_REFUSED');
  const isSigned =
    verifyCompactJws(parts, algorithm, peer.publicKey) &&
    (item === null ? header.item === null : header.item === itemDigest(item));
  if (!isSigned) return refuse('IDENTITY_SIGNATURE_INVALID');
  const json = parseStrictJson(parts.payload, { ...defaultJsonLimits, ...limits });
  if (!json.ok) return refuse(json.code);
  if (!json.canonical) return refuse('IDENTITY_NOT_CANONICAL');
  const parsed = parseEnvelopeBody(json.value);
  if (!parsed.ok) return refuse(parsed.code);
  if (!isSender(parsed.body, peer)) return refuse('IDENTITY_SENDER_MISMATCH');
  return { ok: true, body: parsed.body, peer, payloadBytes: parts.payload, item };
}

/** A node signs no envelopes: one named like an agent must not be able to speak as it. */
function isSender(body: EnvelopeBody, peer: PeerIdentity): boolean {
  return peer.kind === 'agent' && body.instance === peer.spiffeId && body.from === peer.name;
}

/**
 * Whether nobody would refuse this envelope for its length: a body of at most `bytesMax` bytes, and with
 * its item no longer than a body of that size would be alone.
 */
export function isWithin(envelope: SignedEnvelope, bytesMax: number): boolean {
  if (!(envelope.length <= envelopeLengthMax(bytesMax))) return false;
  if (envelope.length <= bytesMax) return true;
  const from = envelope.indexOf('.') + 1;
  const characters = envelope.indexOf('.', from) - from;
  return Math.floor((characters * 3) / 4) <= bytesMax;
}

/** An item is part of what was signed by its digest alone: its characters mean nothing here. */
function splitItem(envelope: SignedEnvelope): { readonly jws: string; readonly item: string | null } {
  const at = envelope.indexOf(itemMark);
  return at < 0
    ? { jws: envelope, item: null }
    : { jws: envelope.slice(0, at), item: envelope.slice(at + itemMark.length) };
}

/** A header takes less than 256 characters; four characters carry three bytes. Items come out of it. */
function envelopeLengthMax(bytesMax: number): number {
  return Math.ceil((bytesMax * 4) / 3) + 256 + signatureLengthMax;
}

function refuse(code: string): EnvelopeRefusal {
  return { ok: false, code };
}
