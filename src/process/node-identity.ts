// SPDX-License-Identifier: Apache-2.0
import { rename, writeFile } from 'node:fs/promises';
import { newKey } from '../adapters/credential-keys.ts';
import type { Authority, Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { readTrustBundle } from '../identity/peer.ts';
import { createReplaceableVerifier, type ReplaceableVerifier } from '../identity/replaceable-verifier.ts';
import { nodeSpiffeId } from '../identity/spiffe-id.ts';
import { liveLifetimes } from '../mesh/credential-lifetime.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { nodeName } from './directories.ts';
import { SvidSource } from './svid-source.ts';

export type NodeIdentityOptions = {
  /** In force now. */
  readonly mesh: () => Mesh;
  readonly authority: Authority;
  readonly clock: Clock;
  /** Files that another program replaces; null: the built-in authority issues for the bus, too. */
  readonly svidDirectory: string | null;
  readonly log: (line: string) => void;
};

/**
 * Under which identity a node speaks, and whom it trusts: its own authority and, where it is given an
 * identity in files, whom their bundle names. Enrolment always speaks under the built-in authority,
 * which join tokens pin.
 */
export class NodeIdentity {
  readonly verifier: ReplaceableVerifier;
  readonly #options: NodeIdentityOptions;
  readonly #source: SvidSource | null;
  #issued: Credential;
  #changed: () => void = () => undefined;

  /** Rejects with `IdentityError` when the files are no identity of this node. */
  static async open(options: NodeIdentityOptions): Promise<NodeIdentity> {
    const { authority, clock, svidDirectory, log } = options;
    const mesh = options.mesh();
    const issued = await issueNodeCredential(authority, mesh);
    if (svidDirectory === null) return new NodeIdentity(options, issued, null);
    let identity: NodeIdentity | null = null;
    const source = await SvidSource.open({
      directory: svidDirectory,
      clock,
      holder: {
        trustDomain: mesh.trustDomain,
        kind: 'node',
        name: nodeName,
        lifetimes: liveLifetimes(options.mesh),
      },
      changed: () => identity?.replaced(),
      refused: (code) => log(`node: identity files refused (${code})`),
    });
    identity = new NodeIdentity(options, issued, source);
    return identity;
  }

  private constructor(options: NodeIdentityOptions, issued: Credential, source: SvidSource | null) {
    this.#options = options;
    this.#source = source;
    this.#issued = issued;
    const { mesh, clock } = options;
    const bundle = readTrustBundle(this.bundlePem, mesh().trustDomain);
    this.verifier = createReplaceableVerifier(bundle, clock, liveLifetimes(mesh));
  }

  /** Of the bus. */
  get credential(): Credential {
    return this.#source?.given.credential ?? this.#issued;
  }

  /** Of the enrolment server. */
  get enrolmentCredential(): Credential {
    return this.#issued;
  }

  /** The built-in authority first: join tokens name it. */
  get bundlePem(): string {
    return `${this.#options.authority.bundlePem()}${this.#source?.given.bundlePem ?? ''}`;
  }

  /** Told of every change of a credential or the bundle. */
  watch(changed: () => void): void {
    this.#changed = changed;
  }

  /** Issues a new credential of the built-in authority. */
  async renew(): Promise<void> {
    this.#issued = await issueNodeCredential(this.#options.authority, this.#options.mesh());
    this.#changed();
  }

  replaced(): void {
    const { mesh } = this.#options;
    this.verifier.replace(readTrustBundle(this.bundlePem, mesh().trustDomain));
    this.#changed();
  }

  /** Puts the bundle where anybody may read it, whole or not at all. */
  async publishBundle(path: string): Promise<void> {
    const next = `${path}.next`;
    await writeFile(next, this.bundlePem, { mode: 0o644 });
    await rename(next, path);
  }

  close(): void {
    this.#source?.close();
  }
}

export async function issueNodeCredential(authority: Authority, mesh: Mesh): Promise<Credential> {
  const key = await newKey();
  const svid = await authority.issue({
    csrPem: key.csrPem,
    spiffeId: nodeSpiffeId(mesh.trustDomain, nodeName),
    lifetimeMs: mesh.credentialRotationIntervalMs,
  });
  return credentialFromPem(svid.chainPem, key.privateKey);
}
