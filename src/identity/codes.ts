// SPDX-License-Identifier: Apache-2.0

/**
 * Codes of this folder. The shape is that of `CodeTable` in `src/review/code.ts`, a folder of the
 * same level, which therefore cannot be imported here.
 */
type IdentityCodeTable = {
  readonly [code: string]: {
    readonly means: string;
    readonly mend: string;
    readonly agentSees: 'REFUSED' | 'INVALID' | 'UNAVAILABLE' | 'SESSION_ENDED';
  };
};

const compromised = 'Treat the sender as compromised unless its software is of another version.';
const renew = 'Let the sidecar renew its SVID, or enrol it again with a new join token.';

export const identityCodes = {
  IDENTITY_ENVELOPE_MALFORMED: {
    means: 'The envelope does not begin with a compact JWS of three strict base64url parts.',
    mend: compromised,
    agentSees: 'INVALID',
  },
  IDENTITY_ENVELOPE_TOO_LARGE: {
    means: 'The signed body is larger than the mesh allows.',
    mend: 'Send a reference instead, or raise limits.message_bytes_max.',
    agentSees: 'INVALID',
  },
  IDENTITY_HEADER_REFUSED: {
    means: 'The protected header is not, byte for byte, one that the mesh accepts.',
    mend: compromised,
    agentSees: 'REFUSED',
  },
  IDENTITY_SIGNER_UNKNOWN: {
    means: 'No verified certificate has the thumbprint that the envelope names.',
    mend: 'Look for an envelope signed with a revoked, expired or foreign key.',
    agentSees: 'REFUSED',
  },
  IDENTITY_SIGNATURE_INVALID: {
    means: 'The signature does not verify with the key of the certificate that is named, or not for the item that came.',
    mend: 'The bytes were changed or forged on the way; look at who relayed them.',
    agentSees: 'REFUSED',
  },
  IDENTITY_NOT_CANONICAL: {
    means: 'The signed bytes are not the canonical form (RFC 8785) of what they say.',
    mend: compromised,
    agentSees: 'INVALID',
  },
  IDENTITY_SENDER_MISMATCH: {
    means: 'The envelope names another sender or instance than the certificate that signed it.',
    mend: 'Treat the signer as compromised; revoke its identity.',
    agentSees: 'REFUSED',
  },
  IDENTITY_HANDSHAKE_REFUSED: {
    means: 'A connection ended in its TLS handshake: no TLS 1.3, or no certificate of this mesh.',
    mend: 'Look for a scanner or a stranger on the port; a sidecar enrols with a join token.',
    agentSees: 'REFUSED',
  },
  IDENTITY_PASSKEY_MALFORMED: {
    means: 'The endorsement of a passkey is not one that an operator signs.',
    mend: 'Register the passkey again: maso operator passkey.',
    agentSees: 'REFUSED',
  },
  IDENTITY_PASSKEY_EXPIRED: {
    means: 'The operator endorsed this passkey until a time that has passed.',
    mend: 'Register it again: maso operator passkey.',
    agentSees: 'REFUSED',
  },
  IDENTITY_CERTIFICATE_ABSENT: {
    means: 'The peer presented no certificate.',
    mend: 'Enrol the peer with a join token; the mesh speaks mutual TLS only.',
    agentSees: 'REFUSED',
  },
  IDENTITY_CERTIFICATE_MALFORMED: {
    means: 'The certificate cannot be read as exactly one X.509 certificate, or is oversized.',
    mend: renew,
    agentSees: 'REFUSED',
  },
  IDENTITY_CERTIFICATE_UNTRUSTED: {
    means: 'No authority of the trust bundle signed the certificate, or what came with it in order.',
    mend: 'Look for an impostor; let svid.pem hold all intermediates, each above what it signed.',
    agentSees: 'REFUSED',
  },
  IDENTITY_CHAIN_TOO_LONG: {
    means: 'More than three intermediates stand between the certificate and the trust bundle.',
    mend: 'Issue SVIDs from an authority nearer to the root, or put an intermediate into the bundle.',
    agentSees: 'REFUSED',
  },
  IDENTITY_ISSUER_REFUSED: {
    means: 'A certificate above an SVID may not sign it: no authority, weak, constrained, or misnamed.',
    mend: 'Look for a leaf used as an authority; intermediates of SVIDs name their trust domain.',
    agentSees: 'REFUSED',
  },
  IDENTITY_PATH_LENGTH_EXCEEDED: {
    means: 'An authority has more intermediates below it than its certificate allows.',
    mend: 'Look for an authority that made another one; issue with a longer path length if it should.',
    agentSees: 'REFUSED',
  },
  IDENTITY_CERTIFICATE_EXPIRED: {
    means: 'The certificate, or an authority on the way to the bundle, has expired.',
    mend: renew,
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CERTIFICATE_NOT_YET_VALID: {
    means: 'The certificate, or an authority on the way to the bundle, is not valid yet.',
    mend: 'Synchronise the clocks of this host and of the authority.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CERTIFICATE_USAGE: {
    means: 'The certificate is an authority, may not sign, is not for both ends of TLS, or is weak.',
    mend: 'Issue SVIDs only through the authority of the mesh.',
    agentSees: 'REFUSED',
  },
  IDENTITY_SPIFFE_ID_INVALID: {
    means: 'The identity is not exactly one SPIFFE id of an agent instance or a node.',
    mend: 'Issue SVIDs only through the authority of the mesh; check names for illegal characters.',
    agentSees: 'REFUSED',
  },
  IDENTITY_TRUST_DOMAIN_FOREIGN: {
    means: 'The SPIFFE id belongs to another trust domain.',
    mend: 'Check trust_domain of the mesh file; meshes are not federated.',
    agentSees: 'REFUSED',
  },
  IDENTITY_PEER_UNEXPECTED: {
    means: 'The server is authentic but is not the peer that was to be reached.',
    mend: 'Check the address; look for a node that answers in the place of another.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_BUNDLE_INVALID: {
    means: 'The trust bundle holds no authority certificate, an unreadable one, or a weak key.',
    mend: 'Restore the bundle from the authority directory of the node.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CSR_REFUSED: {
    means: 'The signing request proves no possession of a sound Ed25519 key.',
    mend: 'Use a sidecar of this version to enrol and renew.',
    agentSees: 'REFUSED',
  },
  IDENTITY_LIFETIME_REFUSED: {
    means: 'The requested lifetime is under a second, or over what this identity may have.',
    mend: 'Set credential_rotation_interval_ms to at most 3600000; privileged agents get 900000.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_STATEMENT_INVALID: {
    means: 'What the certificate says of role, sponsor and lineage cannot be read, or is too long.',
    mend: 'Issue SVIDs only through the authority of the mesh, of the same version.',
    agentSees: 'REFUSED',
  },
  IDENTITY_LINEAGE_MISSING: {
    means: 'A spawned agent has no lineage, or one that was not spawned has one.',
    mend: 'Look for an authority that issues without the control plane.',
    agentSees: 'REFUSED',
  },
  IDENTITY_LINEAGE_ENDED: {
    means: 'The time of a spawned agent is over.',
    mend: 'Spawn another one for what is left to do.',
    agentSees: 'SESSION_ENDED',
  },
  IDENTITY_TASK_FOREIGN: {
    means: 'A spawned agent stands in another task than the one it was spawned for.',
    mend: 'Spawn an agent for that task; look for one that was taken over.',
    agentSees: 'REFUSED',
  },
  IDENTITY_SCOPE_EXCEEDED: {
    means: 'A spawned agent uses a right that it was not given.',
    mend: 'Spawn it with that right, if its parent and its template have it.',
    agentSees: 'REFUSED',
  },
  IDENTITY_LIFETIME_EXCEEDED: {
    means: 'The certificate lives longer than the mesh file grants this identity.',
    mend: 'Enrol it again; an outside authority has to issue 15 minutes for privileged agents.',
    agentSees: 'REFUSED',
  },
  IDENTITY_AUTHORITY_CORRUPT: {
    means: 'The key or certificate of the built-in authority is damaged or of another pair.',
    mend: 'Restore the authority directory and its KMS key from a backup, or found the mesh anew.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_AUTHORITY_UNAVAILABLE: {
    means: 'The directory of the built-in authority cannot be read or written.',
    mend: 'Check path, owner and free space of the authority directory.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CREDENTIAL_CORRUPT: {
    means: 'The stored credential is damaged, or key and certificate are not of one pair.',
    mend: 'Delete the credential file and enrol the sidecar again with a new join token.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CREDENTIAL_EXPOSED: {
    means: 'A private key file may be read by group or others, or is not a regular file.',
    mend: 'Treat the key as leaked: replace it, and give its file mode 0600.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CREDENTIAL_FOREIGN: {
    means: 'The SVID in the files is of another agent, node or instance than the one that runs.',
    mend: 'Name the directory of this agent; restart the sidecar to run as another instance.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_KEY_UNSUPPORTED: {
    means: 'The key of the SVID in the files is of no kind that the mesh signs with.',
    mend: 'Issue Ed25519, ECDSA on P-256 or P-384, or RSA of 2048 to 4096 bits with exponent 65537.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_CREDENTIAL_UNAVAILABLE: {
    means: 'The credential file cannot be read or written.',
    mend: 'Check path, owner and free space of the credential directory.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_JOIN_TOKEN_MALFORMED: {
    means: 'The join token is not of the form maso1.CLAIMS.SECRET.',
    mend: 'Copy the whole token again, or mint a new one.',
    agentSees: 'REFUSED',
  },
  IDENTITY_JOIN_TOKEN_UNKNOWN: {
    means: 'No join token with this secret was minted here.',
    mend: 'Mint a new join token at the node; watch for guessing if it repeats.',
    agentSees: 'REFUSED',
  },
  IDENTITY_JOIN_TOKEN_SPENT: {
    means: 'The join token was used before.',
    mend: 'If the first use was not yours, revoke that instance; then mint a new join token.',
    agentSees: 'REFUSED',
  },
  IDENTITY_JOIN_TOKEN_EXPIRED: {
    means: 'The join token has expired.',
    mend: 'Mint a new join token.',
    agentSees: 'REFUSED',
  },
  IDENTITY_JOIN_TOKEN_WRONG_AGENT: {
    means: 'The join token was presented for another agent than its own; it is now spent.',
    mend: 'Find out who holds the token; mint a new one for the right agent.',
    agentSees: 'REFUSED',
  },
  IDENTITY_ENROLMENT_UNTRUSTED: {
    means: 'The node did not present the authority whose hash the join token carries.',
    mend: 'Look for a machine in the middle; if the mesh was founded anew, mint a new join token.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_ENROLMENT_UNREACHABLE: {
    means: 'The node did not complete a TLS 1.3 handshake in time.',
    mend: 'Check the address in the join token and that the node is up.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_DECISION_MALFORMED: {
    means: 'The operator decision is not a canonical, complete, signed statement.',
    mend: 'Decide again with `maso approvals`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_DECISION_SIGNATURE_INVALID: {
    means: 'The signature of the decision does not verify with the key of the operator it names.',
    mend: 'Look for a forged decision; check the public key in the mesh file.',
    agentSees: 'REFUSED',
  },
  IDENTITY_OPERATOR_UNKNOWN: {
    means: 'The mesh file names no operator of that name whose roles allow this.',
    mend: 'Add the operator, the public key and the roles to the mesh file.',
    agentSees: 'REFUSED',
  },
  IDENTITY_OPERATOR_KEY_INVALID: {
    means: 'The operator key is not an Ed25519 JWK of the expected form.',
    mend: 'Make a new operator key and put its public part into the mesh file.',
    agentSees: 'UNAVAILABLE',
  },
  IDENTITY_REVOKED: {
    means: 'The identity was revoked, or its agent was.',
    mend: 'Look at maso agent show; enrol a new instance, or reinstate the agent if it is sound.',
    agentSees: 'SESSION_ENDED',
  },
  IDENTITY_REVOCATION_MALFORMED: {
    means: 'The statement on an identity is not a canonical, complete, signed revocation.',
    mend: 'Revoke with `maso agent revoke`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_PACE_MALFORMED: {
    means: 'The order to PACE is not a canonical, complete, signed one.',
    mend: 'Give it with `maso kill`, `maso halt` or `maso pace`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_SPAWN_MALFORMED: {
    means: 'The order to spawn is not a canonical, complete, signed statement.',
    mend: 'Spawn with `maso agent spawn`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_SETTLEMENT_MALFORMED: {
    means: 'The settlement of a call is not a canonical, complete, signed statement with a reason.',
    mend: 'Settle with `maso calls settle` and a reason; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_RECORDER_ORDER_MALFORMED: {
    means: 'The order to the flight recorder is not a canonical, complete, signed one with a reason.',
    mend: 'Give it with `maso recorder` and a reason; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_WORKFLOW_MALFORMED: {
    means: 'The denial of a change to a workflow is not a canonical, complete, signed statement.',
    mend: 'Deny with `maso workflow deny`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_KNOWLEDGE_ORDER_MALFORMED: {
    means: 'An order about knowledge or memory is not a canonical, complete, signed statement.',
    mend: 'Give it with `maso knowledge` or `maso memory`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  IDENTITY_POLICY_MALFORMED: {
    means: 'The statement on a version of the policy is not a canonical, complete, signed one.',
    mend: 'Sign with `maso reload`; look at who wrote the statement.',
    agentSees: 'REFUSED',
  },
  KMS_UNWRAP_FAILED: {
    means: 'A wrapped secret is damaged, or belongs to another key or another context.',
    mend: 'Restore the secret and the KMS key that wrapped it from the same backup.',
    agentSees: 'UNAVAILABLE',
  },
  KMS_STILL_NEEDED: {
    means: 'Some stored keys are under an earlier KMS: the changed file, which drops it, is not taken, or they wait to be wrapped anew.',
    mend: 'Name that KMS under `earlier` until `maso status` shows no key left under one; look at why it does not serve the node.',
    agentSees: 'UNAVAILABLE',
  },
  KMS_UNAVAILABLE: {
    means: 'The KMS did not answer, or refused to serve this node.',
    mend: 'Look at its address, at the token or credentials, and at what they may do with the key.',
    agentSees: 'UNAVAILABLE',
  },
  KMS_KEY_INVALID: {
    means: 'The KMS key file, passphrase, settings or credentials are absent, unreadable or of the wrong form.',
    mend: 'Restore the KMS key file; without it nothing that it wrapped can be opened.',
    agentSees: 'UNAVAILABLE',
  },
  KMS_KEY_EXPOSED: {
    means: 'The KMS key file may be read by group or others, or is not a regular file.',
    mend: 'Treat the key as leaked: rotate what it wraps, and give the file mode 0600.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies IdentityCodeTable;

export type IdentityCode = keyof typeof identityCodes;
