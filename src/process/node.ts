// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listenBus, type BusServer } from '../adapters/bus-server-ws.ts';
import { serveControl, serveEnrolment, type Listening } from '../adapters/control-http.ts';
import { systemClock } from '../adapters/clock-system.ts';
import { makeFolders } from '../adapters/folders.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { SqlitePolicyStore } from '../adapters/policy-store-sqlite.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { BusConnection } from '../bus/connection.ts';
import { dropExpired, recordWaiting } from '../bus/waiting.ts';
import { expire } from '../oversight/approvals.ts';
import { pruneBounds } from '../control/allotments.ts';
import type { ChildHost } from '../control/child.ts';
import type { Children } from '../control/children.ts';
import { ControlError } from '../control/control-error.ts';
import { enrol } from '../control/enrolment.ts';
import { registeredKeptMs } from '../control/mandate-registry.ts';
import { meshToRun, policyAtStart } from '../control/policy-start.ts';
import { refuse } from '../control/refusal.ts';
import { recordUnrecorded } from '../control/revocations.ts';
import { readCertificatesPem, thumbprintOf } from '../identity/certificate.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import { mintJoinToken } from '../identity/join-token.ts';
import { nodeSpiffeId } from '../identity/spiffe-id.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { isResident } from '../mesh/spawn.ts';
import { mintUlid } from '../message/identifiers.ts';
import { blankEntry } from '../recorder/blank-entry.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { RecorderSettings } from '../mesh/recorder-settings.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { nodeDirectories, nodeName } from './directories.ts';
import { faultOf } from './fault.ts';
import { LivePolicy } from './live-policy.ts';
import { keepPorts, listenOn, portsToUse } from './node-ports.ts';
import { ProbeSchedule } from './node-approvals.ts';
import { consoleFolder, NodeConsole } from './node-console.ts';
import { controlApi } from './node-control.ts';
import { buildParts } from './node-parts.ts';
import type { Foundations, NodePlace, Parts } from './node-parts.ts';
import { operatorsOf } from './node-policies.ts';
import { openNodeRecorder } from './node-recorder.ts';

export type NodeOptions = NodePlace & {
  /** As it stands on disk; the version that an operator signed may be another. */
  readonly mesh: Mesh;
  readonly host: string;
  /** 0 keeps the port of the last start, or picks a free one. */
  readonly port: number;
  readonly log: (line: string) => void;
  /** Witnesses beside those that the mesh file names. */
  readonly witnesses?: RecorderSettings['witnesses'];
};

export type RunningNode = {
  /** In force now. */
  readonly mesh: () => Mesh;
  readonly busPort: number;
  readonly enrolmentAddress: string;
  readonly controlSocket: string;
  readonly recorder: FlightRecorder;
  /** The operator made for this state directory, when the mesh file names none. */
  readonly localOperator: string | null;
  readonly connectedAgents: () => readonly string[];
  readonly joinToken: (agent: string) => Promise<string>;
  /** Serves the console on this port, 0 for a free one; null where its pages were not built. */
  readonly openConsole: (
    port: number,
  ) => Promise<{ readonly url: string; readonly firstLink: string | null } | null>;
  /** Names who starts the sidecars of spawned agents; before it nobody does. */
  readonly hostChildren: (host: ChildHost) => void;
  /** The sidecar of a spawned agent ended by itself: the agent ends. */
  readonly childEnded: (name: string) => void;
  readonly close: () => Promise<void>;
};

const joinTokenLifetimeMs = 10 * 60_000;
const sweepMs = 1_000;
const cosignLastMs = 2_000;
const pruneEveryMs = 10_000;
const expiredPerPrune = 1_000;

/** Starts a bus node with control plane and recorder in this process, on embedded storage. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const directories = nodeDirectories(options.stateDirectory);
  makeFolders(directories.node, 0o700);
  const database = new BatchedDatabase(join(directories.node, 'node.sqlite'));
  const policies = new SqlitePolicyStore(database);
  const settings = meshToRun(options.mesh, policies).recorder;
  const { recorder, cosigner } = await openNodeRecorder({
    directories,
    settings: {
      witnesses: [...(settings?.witnesses ?? []), ...(options.witnesses ?? [])],
      witnessAgeMaxMs: settings?.witnessAgeMaxMs ?? 60_000,
    },
    clock: systemClock(),
    log: options.log,
  });
  const clock = systemClock({ floorMs: recorder.recordedAt() });
  const started = await policyAtStart(options.mesh, {
    store: policies,
    recorder,
    clock,
    operatorsOf: (mesh) => operatorsOf(mesh, directories.operators),
  });
  if (started.said !== null) options.log(`warning: ${started.said}`);
  const live = new LivePolicy(policies, started.policy.version, started.mesh);
  const { log } = options;
  const console = { url: null };
  const foundations = { recorder, cosigner, clock, database, live, policies, log, console };
  const node = await MeshNode.start(options, foundations);
  return node;
}

/** Before anybody can connect: the start is on record, and what a crash lost of the record. */
async function begin({ busContext, approvals, revocations }: Parts, foundations: Foundations): Promise<void> {
  await foundations.recorder.record([meshEntry('mesh.started', foundations.live.mesh, foundations)]);
  await recordWaiting(busContext);
  await expire(approvals);
  await recordUnrecorded(revocations);
}

class MeshNode implements RunningNode {
  readonly recorder: FlightRecorder;
  readonly controlSocket: string;
  readonly localOperator: string | null;
  readonly #options: NodeOptions;
  readonly #foundations: Foundations;
  readonly #bus: BusServer;
  readonly #enrolment: Awaited<ReturnType<typeof serveEnrolment>>;
  readonly #control: Listening;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #parts: Parts;
  readonly #console: NodeConsole;

  static async start(options: NodeOptions, foundations: Foundations): Promise<MeshNode> {
    const parts = await buildParts(options, foundations);
    await parts.forensics.begin();
    parts.knowledge.begin();
    await parts.spawning.children.begin();
    await parts.pace.begin();
    await begin(parts, foundations);
    const { host } = options;
    const { live } = foundations;
    const directories = nodeDirectories(options.stateDirectory);
    const { identity, busContext, chains } = parts;
    const { bundlePem } = identity;
    await identity.publishBundle(directories.bundle);
    const ports = await portsToUse(directories.node, options.port);
    const bus = await listenOn(ports.bus, (port) => listenBus({
      host,
      port,
      credential: identity.credential,
      bundlePem,
      verifier: identity.verifier,
      accept: (peer, line, chainPem) => {
        const known = peer.kind === 'agent' && live.mesh.agents.has(peer.name);
        if (!known) return { code: 'IDENTITY_PEER_UNEXPECTED' };
        if (busContext.revocations.isRevoked(peer)) return { code: 'IDENTITY_REVOKED' };
        const spawned = spawnedPeerRefusal(peer, live.mesh, parts.spawning.children);
        if (spawned !== null) return { code: spawned };
        const { thumbprint, expiresAtMs } = peer;
        // Of an authority of its own: nobody else could show its certificate to recipients.
        if (chains.chainOf(thumbprint) === null) {
          chains.add(thumbprint, chainPem, expiresAtMs, foundations.clock.nowMs())
            .catch((failure: unknown) => options.log(`node: ${faultOf(failure)}`));
        }
        return new BusConnection(peer, line, busContext);
      },
      refused: (code, peer) => {
        void refuse(code, peer === null ? {} : { agent: peer.name }, parts.revocations);
      },
    }));
    const enrolment = await listenOn(ports.enrolment, (port) => serveEnrolment({
      host,
      port,
      credential: identity.enrolmentCredential,
      bundlePem,
      enrol: (token, csr) => enrol(token, csr, parts.enrolment),
      report: (failure) => options.log(`node: ${faultOf(failure)}`),
      bus: () => ({
        busHost: host,
        busPort: bus.port,
        nodeSpiffeId: nodeSpiffeId(live.mesh.trustDomain, nodeName),
      }),
    }));
    await keepPorts(directories.node, { bus: bus.port, enrolment: enrolment.port });
    let node: MeshNode | null = null;
    const pages = new NodeConsole(parts, foundations);
    const control = await serveControl(
      directories.controlSocket,
      controlApi(parts, foundations, pages, () => node),
    );
    node = new MeshNode(options, foundations, parts, { bus, enrolment, control, pages });
    return node;
  }

  private constructor(
    options: NodeOptions,
    foundations: Foundations,
    parts: Parts,
    listening: {
      readonly bus: BusServer;
      readonly enrolment: Awaited<ReturnType<typeof serveEnrolment>>;
      readonly control: Listening;
      readonly pages: NodeConsole;
    },
  ) {
    this.#options = options;
    this.#foundations = foundations;
    this.#parts = parts;
    this.recorder = foundations.recorder;
    this.#bus = listening.bus;
    this.#enrolment = listening.enrolment;
    this.#control = listening.control;
    this.#console = listening.pages;
    this.controlSocket = listening.control.address;
    this.localOperator = parts.localOperator;
    this.#timers = this.#startTimers();
  }

  mesh(): Mesh {
    return this.#foundations.live.mesh;
  }

  get busPort(): number {
    return this.#bus.port;
  }

  get enrolmentAddress(): string {
    return this.#enrolment.address;
  }

  connectedAgents(): readonly string[] {
    return [...this.#parts.busContext.connected.keys()];
  }

  async openConsole(port: number): ReturnType<RunningNode['openConsole']> {
    const folder = consoleFolder();
    if (folder === null) return null;
    const { stateDirectory } = this.#options;
    const { url } = await this.#console.serve({ stateDirectory, folder, port });
    return { url, firstLink: this.#console.firstLink() };
  }

  hostChildren(host: ChildHost): void {
    this.#parts.spawning.hostBy(host);
  }

  childEnded(name: string): void {
    this.#parts.spawning.children.processEnded(name);
  }

  async joinToken(agent: string): Promise<string> {
    const { clock } = this.#foundations;
    if (this.#parts.busContext.revocations.isNameRevoked(agent)) {
      throw new IdentityError('IDENTITY_REVOKED', `The agent ${agent} is revoked.`);
    }
    if (this.#parts.pace.isEnded(agent)) {
      throw new IdentityError('IDENTITY_REVOKED', `PACE has ended ${agent}; it is led back first.`);
    }
    const manifest = this.mesh().agents.get(agent);
    const runs = manifest === undefined || isResident(manifest);
    if (!runs && this.#parts.spawning.children.of(agent) === null) {
      throw new ControlError('CONTROL_CHILD_UNKNOWN', `No spawned agent ${agent} lives.`);
    }
    const [authority] = readCertificatesPem(this.#parts.authority.bundlePem()) ?? [];
    if (authority === undefined) throw new Error('The bundle holds no authority.');
    const { token, record } = mintJoinToken(
      {
        agent,
        address: this.#enrolment.address,
        caHash: thumbprintOf(authority),
        expiresAtMs: clock.nowMs() + joinTokenLifetimeMs,
      },
      systemRandom,
    );
    await this.#parts.enrolment.tokens.add(record);
    return token;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const part of [this.#parts.identity, this.#parts.pace, this.#parts.phases]) part.close();
    await Promise.all([
      this.#bus.close(), this.#enrolment.close(), this.#control.close(), this.#console.close(),
    ]);
    await this.recorder.record([meshEntry('mesh.stopped', this.mesh(), this.#foundations)]);
    await this.recorder.close();
    // What was recorded last is cosigned too, where the witnesses answer soon.
    const soon = delay(cosignLastMs, null, { ref: false });
    await Promise.race([this.#foundations.cosigner.idle(), soon]);
    for (const part of [this.#parts.forensics, this.#parts.knowledge]) part.close();
    this.#foundations.database.close();
  }

  async #prune(nowMs: number): Promise<void> {
    const { busContext } = this.#parts;
    const { queue } = busContext;
    await dropExpired(busContext, nowMs, expiredPerPrune);
    await queue.prune(nowMs);
    await this.#parts.keys.dataKeys.prune(nowMs);
    await this.#parts.keys.kms.renew();
    await this.#parts.mandates.store.prune(nowMs - registeredKeptMs);
  }

  #startTimers(): readonly NodeJS.Timeout[] {
    const { clock } = this.#foundations;
    const failed = (failure: unknown): void => this.#options.log(`node: ${faultOf(failure)}`);
    const probes = new ProbeSchedule(this.#parts.approvals, this.#foundations);
    const sweep = setInterval(() => {
      expire(this.#parts.approvals).catch(failed);
      probes.sweep().catch(failed);
      this.#parts.spawning.children.sweep();
    }, sweepMs);
    const prune = setInterval(() => {
      this.#prune(clock.nowMs()).catch(failed);
      pruneBounds(this.#parts.allotments).catch(failed);
    }, pruneEveryMs);
    const rotateEveryMs = this.mesh().credentialRotationIntervalMs / 2;
    const rotate = setInterval(() => {
      this.#parts.identity.renew().catch(failed);
    }, rotateEveryMs);
    const { identity } = this.#parts;
    const { bundle } = nodeDirectories(this.#options.stateDirectory);
    identity.watch(() => {
      identity.publishBundle(bundle).catch(failed);
      this.#bus.rotate(identity.credential, identity.bundlePem);
      this.#enrolment.rotate(identity.enrolmentCredential);
    });
    const timers = [sweep, prune, rotate];
    for (const timer of timers) timer.unref();
    return timers;
  }
}

/** A spawned agent speaks as long as it lives, and only the one that lives under its name now. */
function spawnedPeerRefusal(peer: PeerIdentity, mesh: Mesh, children: Children): string | null {
  const manifest = mesh.agents.get(peer.name);
  if (manifest !== undefined && isResident(manifest)) {
    return (peer.lineage ?? null) === null ? null : 'IDENTITY_LINEAGE_MISSING';
  }
  if ((peer.lineage ?? null) === null) return 'IDENTITY_LINEAGE_MISSING';
  return children.of(peer.name)?.spiffeId === peer.spiffeId ? null : 'CONTROL_CHILD_UNKNOWN';
}

function meshEntry(
  kind: 'mesh.started' | 'mesh.stopped',
  mesh: Mesh,
  { clock, live }: Foundations,
): EntryDraft {
  return blankEntry({
    kind,
    id: mintUlid(clock, systemRandom),
    at: clock.nowMs(),
    actor: 'node',
    detail: {
      policy: live.version,
      meshDigest: mesh.digest,
      autonomyTier: mesh.autonomyTier,
      mode: mesh.mode,
      deselected: mesh.deselected.map((control) => ({ ...control })),
    },
  });
}
