// SPDX-License-Identifier: Apache-2.0
import { constants, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import type { ConnectionOptions, PeerCertificate, SecureContextOptions } from 'node:tls';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { readCertificate, spiffeIdOf, thumbprintOf } from '../identity/certificate.ts';
import type { IdentityCode } from '../identity/codes.ts';
import type { Credential, PeerIdentity } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { PeerVerifier } from '../identity/peer.ts';

export type NodeAddress = { readonly host: string; readonly port: number };

/** TLS 1.3 and nothing older: no renegotiation, no RSA key exchange, certificates encrypted. */
const onlyTls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/**
 * Options of a mesh server: mutual TLS 1.3; a client without a certificate of the bundle does not
 * get through the handshake. Tickets are off, so that no session outlives the certificate it was
 * opened with. The bundle is sent along, which a joining sidecar needs.
 */
export function serverTlsOptions(credential: Credential, bundlePem: string): TlsOptions {
  return {
    ...enrolServerTlsOptions(credential, bundlePem),
    ca: bundlePem,
    requestCert: true,
    rejectUnauthorized: true,
  };
}

/**
 * Options of the enrolment server only: the client has no certificate yet and proves itself with a
 * join token. Nothing but enrolment may be served behind them.
 */
export function enrolServerTlsOptions(credential: Credential, bundlePem: string): TlsOptions {
  return {
    ...onlyTls13,
    ...ownIdentity(credential, bundlePem),
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/**
 * Options of a mesh client. The server must hold a certificate of the bundle with exactly the
 * expected SPIFFE id; its address and DNS name play no part (X509-SVID section 5.2).
 */
export function clientTlsOptions(
  credential: Credential,
  bundlePem: string,
  expectedSpiffeId: string,
): ConnectionOptions {
  return {
    ...onlyTls13,
    ...ownIdentity(credential, ''),
    ca: bundlePem,
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) =>
      refusalOf(serverSpiffeId(certificate)?.text === expectedSpiffeId),
  };
}

/**
 * Options for the enrolment request, pinned by the hash that the join token carries. A first
 * connection, on which nothing is sent, fetches the chain; it must hold the authority with that
 * SHA-256 (base64url, over the DER). The request itself then trusts that authority alone, and only
 * a server whose SPIFFE id is a node of its trust domain.
 *
 * Rejects with `IdentityError` IDENTITY_ENROLMENT_UNREACHABLE or IDENTITY_ENROLMENT_UNTRUSTED.
 */
export async function enrolTlsOptions(
  address: NodeAddress,
  caHash: string,
  timeoutMs: number,
): Promise<ConnectionOptions> {
  const chain = await fetchChain(address, timeoutMs);
  const authority = chain.find((one) => one.ca && thumbprintOf(one) === caHash);
  if (authority === undefined) {
    throw new IdentityError('IDENTITY_ENROLMENT_UNTRUSTED', 'The pinned authority is not there.');
  }
  const trustDomainId = authority.subjectAltName?.replace('URI:', '');
  return {
    ...onlyTls13,
    ca: authority.toString(),
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => {
      const id = serverSpiffeId(certificate);
      return refusalOf(id?.kind === 'node' && `spiffe://${id.trustDomain}` === trustDomainId);
    },
  };
}

/** A peer with its certificates, leaf first, PEM. */
export type SocketVerdict =
  | { readonly ok: true; readonly peer: PeerIdentity; readonly chainPem: string }
  | { readonly ok: false; readonly code: IdentityCode };

/**
 * Who is at the other end of a TLS socket after its handshake. The certificate is verified again
 * here, with our own rules and clock, whatever the TLS library thought of it. `above`: the
 * intermediates that the peer named; null when they could not be read.
 */
export function peerOfSocket(
  socket: TLSSocket,
  verifier: PeerVerifier,
  above: readonly X509Certificate[] | null = [],
): SocketVerdict {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return refuse('IDENTITY_CERTIFICATE_ABSENT');
  if (!socket.authorized) return refuse('IDENTITY_CERTIFICATE_UNTRUSTED');
  if (above === null) return refuse('IDENTITY_CERTIFICATE_MALFORMED');
  const verdict = verifier.verify(certificate, above);
  if (!verdict.ok) return verdict;
  return { ok: true, peer: verdict.peer, chainPem: [certificate, ...above].map(String).join('') };
}

function ownIdentity(credential: Credential, bundlePem: string): SecureContextOptions {
  const key = credential.privateKey.export({ format: 'pem', type: 'pkcs8' });
  return { cert: `${credential.chainPem}${bundlePem}`, key };
}

function serverSpiffeId(certificate: PeerCertificate): ReturnType<typeof spiffeIdOf> {
  const read = readCertificate(certificate.raw);
  return read === null ? null : spiffeIdOf(read);
}

/** What `checkServerIdentity` wants: undefined lets the handshake go on, an error ends it. */
function refusalOf(expected: boolean): Error | undefined {
  if (expected) return undefined;
  return new IdentityError('IDENTITY_PEER_UNEXPECTED', 'The server is not the expected peer.');
}

/** The certificates a server presents, believed by nobody yet. Nothing is sent to it. */
function fetchChain(
  address: NodeAddress,
  timeoutMs: number,
): Promise<readonly X509Certificate[]> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      const message = 'The node did not complete a handshake.';
      reject(new IdentityError('IDENTITY_ENROLMENT_UNREACHABLE', message, { cause }));
    };
    const timer = setTimeout(unreachable, timeoutMs);
    const options = { ...onlyTls13, ...address, rejectUnauthorized: false };
    const socket = connect(options, () => {
      clearTimeout(timer);
      const chain = presentedChain(socket);
      socket.destroy();
      resolve(chain);
    });
    socket.once('error', unreachable);
    socket.once('close', unreachable);
  });
}

/** The issuer links of Node end in a self-signed certificate that is its own issuer. */
function presentedChain(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < 8) {
    chain.push(next);
    const issuer = next.issuerCertificate;
    next = issuer?.raw.equals(next.raw) ? undefined : issuer;
  }
  return chain;
}

function refuse(code: IdentityCode): { readonly ok: false; readonly code: IdentityCode } {
  return { ok: false, code };
}
