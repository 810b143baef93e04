// SPDX-License-Identifier: Apache-2.0

/** Reads the signer's thumbprint without verifying: the recipient verifies for itself. */
export function thumbprintOf(envelope: string): string | null {
  const header = envelope.slice(0, envelope.indexOf('.'));
  const text = Buffer.from(header, 'base64url').toString('utf8');
  return /"x5t#S256":"([A-Za-z0-9_-]{43})"/.exec(text)?.[1] ?? null;
}
