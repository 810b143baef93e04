// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { authorityHash, readCertificate, readCertificatesPem } from './certificate.ts';
import { createPeerVerifier, peerFromCertificate, readTrustBundle } from './peer.ts';
import type { PeerVerdict } from './peer.ts';

const path = new URL('../../test/vectors/signed-keys.json', import.meta.url);
const { certificates, nowMs, trustDomain } = JSON.parse(readFileSync(path, 'utf8'));
const bundle = readTrustBundle(certificates.root, trustDomain);
const hourMs = 3_600_000;

function derOf(name: string): Buffer {
  const [certificate] = readCertificatesPem(certificates[name]) ?? [];
  if (certificate === undefined) throw new Error(name);
  return certificate.raw;
}

function codeOf(verdict: PeerVerdict): string | null {
  return verdict.ok ? null : verdict.code;
}

function codeAt(timeMs: number, name = 'triage'): string | null {
  return codeOf(peerFromCertificate(derOf(name), bundle, timeMs));
}

describe('a peer', () => {
  it('is refused outside the validity window, and when the time is not a number', () => {
    expect(codeAt(nowMs - 30_001)).toBe('IDENTITY_CERTIFICATE_NOT_YET_VALID');
    expect(codeAt(nowMs + hourMs)).toBe('IDENTITY_CERTIFICATE_EXPIRED');
    expect(codeAt(NaN)).toBe('IDENTITY_CERTIFICATE_NOT_YET_VALID');
    expect(codeAt(nowMs - 30_000)).toBeNull();
    expect(codeAt(nowMs + hourMs - 1)).toBeNull();
  });

  it('is refused when it lives longer than it may, whoever signed it', () => {
    const bounded = (lifetimeMs: number): string | null =>
      codeOf(peerFromCertificate(derOf('triage'), bundle, nowMs, () => lifetimeMs));
    expect(bounded(900_000)).toBe('IDENTITY_LIFETIME_EXCEEDED');
    expect(bounded(hourMs - 1_001)).toBe('IDENTITY_LIFETIME_EXCEEDED');
    expect(bounded(0)).toBe('IDENTITY_LIFETIME_EXCEEDED');
    expect(bounded(Number.NaN)).toBe('IDENTITY_LIFETIME_EXCEEDED');
    expect(bounded(hourMs)).toBeNull();
    const verifier = createPeerVerifier(bundle, { nowMs: () => nowMs }, () => 900_000);
    expect(codeOf(verifier.verify(derOf('triage')))).toBe('IDENTITY_LIFETIME_EXCEEDED');
  });

  it('is refused when an impostor authority of the same subject signed it', () => {
    expect(codeAt(nowMs, 'impostorSigned')).toBe('IDENTITY_CERTIFICATE_UNTRUSTED');
    const impostors = readTrustBundle(certificates.impostorRoot, trustDomain);
    expect(codeOf(peerFromCertificate(derOf('triage'), impostors, nowMs))).toBe(
      'IDENTITY_CERTIFICATE_UNTRUSTED',
    );
  });

  it('is refused when its bytes are changed, cut or followed by others', () => {
    const der = derOf('triage');
    const changed = Buffer.from(der);
    changed.writeUInt8(changed.readUInt8(200) ^ 1, 200);
    expect(codeOf(peerFromCertificate(changed, bundle, nowMs))).not.toBeNull();
    const malformed = [
      der.subarray(0, -1),
      Buffer.concat([der, Buffer.from([0])]),
      Buffer.alloc(0),
      Buffer.alloc(100_000),
      Buffer.from(certificates.triage),
    ];
    for (const bytes of malformed) {
      expect(codeOf(peerFromCertificate(bytes, bundle, nowMs))).toBe(
        'IDENTITY_CERTIFICATE_MALFORMED',
      );
    }
  });

  it('has the name, kind and window that its certificate states', () => {
    const verdict = peerFromCertificate(derOf('node'), bundle, nowMs);
    expect(verdict).toMatchObject({
      ok: true,
      peer: {
        spiffeId: `spiffe://${trustDomain}/node/triage`,
        kind: 'node',
        name: 'triage',
        thumbprint: authorityHash(certificates.node),
        notBeforeMs: nowMs - 30_000,
        expiresAtMs: nowMs + hourMs,
      },
    });
  });

  it('survives a second authority in the bundle, and a chain that carries the root', () => {
    const pem = `${certificates.impostorRoot}\n${certificates.root}`;
    const verifier = createPeerVerifier(readTrustBundle(pem, trustDomain), { nowMs: () => nowMs });
    expect(verifier.verifyPem(`${certificates.triage}\n${certificates.root}`).ok).toBe(true);
  });
});

describe('a peer verifier', () => {
  it('forgets a peer at the moment its certificate expires', () => {
    let now = nowMs;
    const verifier = createPeerVerifier(bundle, { nowMs: () => now });
    const verdict = verifier.verify(derOf('triage'));
    const thumbprint = verdict.ok ? verdict.peer.thumbprint : '';
    now = nowMs + hourMs - 1;
    expect(verifier.byThumbprint(thumbprint)?.name).toBe('triage');
    now = nowMs + hourMs;
    expect(verifier.byThumbprint(thumbprint)).toBeNull();
    expect(codeOf(verifier.verify(derOf('triage')))).toBe('IDENTITY_CERTIFICATE_EXPIRED');
  });

  it('knows no peer that it did not verify', () => {
    const verifier = createPeerVerifier(bundle, { nowMs: () => nowMs });
    expect(codeOf(verifier.verify(derOf('expired')))).toBe('IDENTITY_CERTIFICATE_EXPIRED');
    expect(verifier.byThumbprint(authorityHash(certificates.expired) ?? '')).toBeNull();
    expect(verifier.byThumbprint('')).toBeNull();
  });

  it('refuses a chain without a certificate, or with a broken one', () => {
    const verifier = createPeerVerifier(bundle, { nowMs: () => nowMs });
    const broken = certificates.triage.replace('MII', 'MIJ').replace('MIIB', 'MIIC');
    for (const pem of ['', 'x', broken, certificates.triage.repeat(20), 'x'.repeat(100_000)]) {
      expect(codeOf(verifier.verifyPem(pem))).toBe('IDENTITY_CERTIFICATE_MALFORMED');
    }
  });
});

describe('a trust bundle', () => {
  it('refuses an empty text, and a leaf among the authorities', () => {
    for (const pem of ['', `${certificates.root}\n${certificates.triage}`]) {
      expect(() => readTrustBundle(pem, trustDomain)).toThrow(
        expect.objectContaining({ code: 'IDENTITY_BUNDLE_INVALID' }),
      );
    }
  });
});

describe('a certificate', () => {
  it('is refused as DER when it is PEM, without a throw', () => {
    expect(readCertificate(Buffer.from(certificates.root))).toBeNull();
  });
});
