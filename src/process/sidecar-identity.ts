// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newKey, saveCredential } from '../adapters/credential-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { readTrustBundle } from '../identity/peer.ts';
import { createReplaceableVerifier, type ReplaceableVerifier } from '../identity/replaceable-verifier.ts';
import { nodeSpiffeId } from '../identity/spiffe-id.ts';
import { credentialLifetimeMs, liveLifetimes } from '../mesh/credential-lifetime.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { nodeName } from './directories.ts';
import { credentialFile, joinOrResume, type Membership } from './membership.ts';
import { beginRun } from './sidecar-runs.ts';
import { SvidSource } from './svid-source.ts';

/** An identity that another program keeps in files, and the node that it is for. */
export type GivenIdentity = {
  readonly directory: string;
  readonly busHost: string;
  readonly busPort: number;
};

export type SidecarIdentityOptions = {
  /** In force now. */
  readonly mesh: () => Mesh;
  readonly agent: Agent;
  readonly clock: Clock;
  readonly stateDirectory: string;
  readonly joinToken: string | null;
  readonly given: GivenIdentity | null;
};

/** What the sidecar does about a change of its identity. */
export type IdentityEvents = {
  /** Sign and connect under the new one from now on. */
  readonly changed: () => void;
  /** Files that were refused; the identity stays what it was. */
  readonly refused: (entry: EntryDraft) => void;
};

/**
 * The identity of a sidecar: from the authority of its node, renewed at half-life, or from files that
 * another program replaces. The private key stays in this process and its directory.
 */
export class SidecarIdentity {
  readonly verifier: ReplaceableVerifier;
  readonly runs: readonly string[];
  readonly busHost: string;
  readonly busPort: number;
  readonly nodeSpiffeId: string;
  /** For keyed digests of this run. */
  readonly digestKey: Uint8Array;
  readonly #options: SidecarIdentityOptions;
  readonly #source: SvidSource | null;
  #credential: Credential;
  #bundlePem: string;
  #events: IdentityEvents = { changed: () => undefined, refused: () => undefined };
  #rotating = false;

  /** Rejects with `IdentityError` or `ControlError` when there is no identity to go on with. */
  static async open(options: SidecarIdentityOptions): Promise<SidecarIdentity> {
    const { agent, clock, stateDirectory, joinToken, given } = options;
    const mesh = options.mesh();
    const runs = async (): Promise<readonly string[]> =>
      beginRun(stateDirectory, mintUlid(clock, systemRandom));
    if (given === null) {
      const lifetimeMs = credentialLifetimeMs(mesh, agent);
      const membership = await joinOrResume(stateDirectory, joinToken, clock, lifetimeMs);
      return new SidecarIdentity(options, membership, null, await runs());
    }
    // The source tells the identity that is made of it.
    let identity: SidecarIdentity | null = null;
    const source = await SvidSource.open({
      directory: given.directory,
      clock,
      holder: {
        trustDomain: mesh.trustDomain,
        kind: 'agent',
        name: agent.name,
        lifetimes: liveLifetimes(options.mesh),
      },
      changed: () => identity?.replaced(),
      refused: (code) => identity?.refused(code),
    });
    const { busHost, busPort } = given;
    const node = nodeSpiffeId(mesh.trustDomain, nodeName);
    const membership = { ...source.given, busHost, busPort, nodeSpiffeId: node };
    identity = new SidecarIdentity(options, membership, source, await runs());
    return identity;
  }

  private constructor(
    options: SidecarIdentityOptions,
    membership: Membership,
    source: SvidSource | null,
    runs: readonly string[],
  ) {
    this.#options = options;
    this.#source = source;
    this.#credential = membership.credential;
    this.#bundlePem = membership.bundlePem;
    this.runs = runs;
    this.busHost = membership.busHost;
    this.busPort = membership.busPort;
    this.nodeSpiffeId = membership.nodeSpiffeId;
    this.digestKey = digestKeyOf(membership.credential);
    const { mesh, clock } = options;
    const bundle = readTrustBundle(membership.bundlePem, mesh().trustDomain);
    this.verifier = createReplaceableVerifier(bundle, clock, liveLifetimes(mesh));
  }

  get credential(): Credential {
    return this.#credential;
  }

  get bundlePem(): string {
    return this.#bundlePem;
  }

  get isExpired(): boolean {
    return this.#options.clock.nowMs() >= this.#credential.expiresAtMs;
  }

  watch(events: IdentityEvents): void {
    this.#events = events;
  }

  close(): void {
    this.#source?.close();
  }

  /** Gives up what was saved, so that the next start may join anew. */
  async giveUp(): Promise<void> {
    await rm(join(this.#options.stateDirectory, credentialFile), { force: true });
  }

  /** Asks for a new certificate at half-life; sending goes on under the old one until it is there. */
  async renewIfDue(renew: (csr: string) => Promise<string | null>): Promise<void> {
    if (this.#rotating || this.#source !== null || !this.#isHalfSpent()) return;
    this.#rotating = true;
    try {
      const key = await newKey();
      const chainPem = await renew(key.csrPem);
      if (chainPem === null) return;
      const renewed = credentialFromPem(chainPem, key.privateKey);
      if (renewed.spiffeId !== this.#credential.spiffeId) return;
      await saveCredential(join(this.#options.stateDirectory, credentialFile), renewed);
      this.#credential = renewed;
      this.#events.changed();
    } finally {
      this.#rotating = false;
    }
  }

  /** Looked at often: an identity that was resumed, or not renewed at once, has less time left. */
  #isHalfSpent(): boolean {
    const { notBeforeMs, expiresAtMs, lineage } = this.#credential;
    // A spawned agent's last certificate ends with it: there is no longer one to ask for.
    if (lineage !== null && expiresAtMs + 1_000 >= lineage.endsAt) return false;
    return this.#options.clock.nowMs() >= notBeforeMs + (expiresAtMs - notBeforeMs) / 2;
  }

  /** The files hold another complete set. */
  replaced(): void {
    if (this.#source === null) return;
    const { credential, bundlePem, bundle } = this.#source.given;
    this.#credential = credential;
    this.#bundlePem = bundlePem;
    this.verifier.replace(bundle);
    this.#events.changed();
  }

  /** The files hold something else; what was there before stays in use until it ends. */
  refused(code: string): void {
    const { agent, clock } = this.#options;
    this.#events.refused({
      kind: 'indicator.raised',
      id: mintUlid(clock, systemRandom),
      at: clock.nowMs(),
      actor: `sidecar:${agent.name}`,
      task: null,
      message: null,
      causedBy: [],
      outcome: null,
      code,
      verdicts: [],
      tookUs: null,
      detail: { agent: agent.name, indicator: 'IDENTITY' },
    });
  }
}

function digestKeyOf({ privateKey }: Credential): Uint8Array {
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' });
  return createHmac('sha256', secret).update('maso keyed digest').digest();
}
