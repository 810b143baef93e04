// SPDX-License-Identifier: Apache-2.0
import { createHmac, createSecretKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { timerDeadline } from '../adapters/tool-deadline.ts';
import { createToolRunner } from '../adapters/tool-runner-factory.ts';
import { ToolSecrets, type ToolPlaces } from '../adapters/tool-secrets.ts';
import type { BusClient } from '../adapters/bus-client-ws.ts';
import { hpkeKeyAgreement } from '../adapters/key-agreement-hpke.ts';
import { keyPortOf } from '../adapters/key-port-ws.ts';
import { knowledgePortOf } from '../adapters/knowledge-port-ws.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { ContentShape } from '../anomaly/content-shape.ts';
import type { Credential } from '../identity/credential.ts';
import type { PeerVerifier } from '../identity/peer.ts';
import type { JudgeMemory } from '../judge/judge-memory.ts';
import { createMandateVerifier, type MandateVerifier } from '../mandate/verifier.ts';
import { peersOf } from '../mandate/verify.ts';
import type { Agent, Mesh, Operator } from '../mesh/mesh.ts';
import { defaultScannerSettings } from '../mesh/scanner-settings.ts';
import type { Clock } from '../message/clock.ts';
import type { Isolation } from '../message/envelope.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import type { PaceView } from '../pace/pace-view.ts';
import { CedarPolicies } from '../policy/cedar.ts';
import { createCompliance } from '../policy/comply.ts';
import { HeldKeys } from '../protection/held-keys.ts';
import type { SealingProtection } from '../protection/protection.ts';
import type { Recorder } from '../recorder/entry.ts';
import { combine } from '../review/verdict.ts';
import { TokenBuckets } from '../scanner/rate.ts';
import { createScanner, type Scanner } from '../scanner/scan.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import type { RevocationView } from '../identity/revocation.ts';
import type { LeaseView } from '../sidecar/standing.ts';
import type { PolicyView, SidecarContext } from '../sidecar/context.ts';
import type { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { Allotments } from '../sidecar/allotments.ts';
import type { EntryNumbers } from '../sidecar/entry-numbers.ts';
import { Endorsements, type EndorsementStore } from '../sidecar/endorsements.ts';
import type { BusLink, SidecarStore } from '../sidecar/ports.ts';
import { JudgeShare } from '../sidecar/judge-share.ts';
import { answerOnCalls } from '../sidecar/settle-call.ts';
import { reviewContent } from '../sidecar/review.ts';
import type { SnapshotStore } from '../sidecar/snapshot.ts';
import { undoCall } from '../sidecar/undo-call.ts';
import { createAdmission, type Admission } from '../tool/admitted.ts';
import { createGate } from '../tool/gate.ts';
import { createGateMemory, type GateMemory } from '../tool/gate-memory.ts';
import type { IntentStore } from '../tool/intent-store.ts';
import type { ToolIndicator, ToolRunner } from '../tool/tool-runner.ts';
import type { CallsFrame, SidecarFrame } from '../wire/frame.ts';
import { agentSees } from './codes.ts';
import { firewallOf } from './firewall-parts.ts';
import { agentModelOf, judgeOf } from './judge-parts.ts';

/** What the sidecar of one agent stands on before it is wired. */
export type SidecarFoundations = {
  readonly policy: PolicyView;
  readonly mesh: Mesh;
  readonly agent: Agent;
  readonly isolation: Isolation;
  readonly clock: Clock;
  readonly clockJumpedMs: () => number;
  readonly store: SidecarStore;
  readonly endorsed: EndorsementStore;
  readonly snapshots: SnapshotStore;
  readonly judgeMemory: JudgeMemory;
  readonly link: BusLink & Pick<BusClient, 'ask' | 'onKeyAhead'>;
  readonly recorder: Recorder;
  readonly numbers: EntryNumbers;
  readonly verifier: PeerVerifier;
  readonly intents: IntentStore;
  readonly credential: () => Credential;
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly revocations: RevocationView;
  readonly lease: LeaseView;
  readonly pace: PaceView;
  readonly report: (failure: unknown) => void;
  readonly digestKey: Uint8Array;
  readonly lasting: Lasting;
};

/** What outlives a version of the policy. */
export type Lasting = {
  readonly admission: Admission;
  readonly gateMemory: GateMemory;
  readonly shape: ContentShape;
  /** Calls in doubt are settled one after the other. */
  readonly settling: Turns;
  readonly rates: (mesh: Mesh) => TokenBuckets;
  /** Keys for sealed payloads, in memory alone. */
  readonly protection: (foundations: SidecarFoundations) => SealingProtection;
  /** What was allotted ahead is not asked for twice; asks follow the newest version. */
  readonly allotments: (foundations: SidecarFoundations) => Allotments;
  /** What is held of the mesh's budget for judges. */
  readonly judgeShare: (foundations: SidecarFoundations) => JudgeShare;
};

export function createLasting(): Lasting {
  let newest: Mesh | null = null;
  let allotments: Allotments | null = null;
  let judgeShare: JudgeShare | null = null;
  let keys: HeldKeys | null = null;
  let held: { readonly pace: string; readonly rates: TokenBuckets } | null = null;
  return {
    admission: createAdmission(),
    gateMemory: createGateMemory(),
    shape: new ContentShape(),
    settling: new Turns(),
    allotments: (foundations) => {
      const { agent, store, link, clock, mesh } = foundations;
      newest = mesh;
      allotments ??= new Allotments({
        agent: agent.name, store, link, clock,
        get mesh() {
          return newest ?? mesh;
        },
      });
      return allotments;
    },
    judgeShare: ({ agent, mesh, link, clock }) => {
      newest = mesh;
      judgeShare ??= new JudgeShare({
        agent: agent.name, mesh: () => newest ?? mesh, link, clock, random: systemRandom,
      });
      return judgeShare;
    },
    protection: ({ link, credential, clock, mesh }) => {
      newest = mesh;
      keys ??= new HeldKeys(
        {
          agreement: hpkeKeyAgreement,
          random: systemRandom,
          port: keyPortOf(link),
          credential,
          now: () => ({ wallMs: clock.nowMs(), monotonicMs: performance.now() }),
          // A sidecar that ends waits for none of them: its messages are handed over again.
          pause: (ms) => delay(ms, undefined, { ref: false }),
        },
        () => (newest ?? mesh).limits,
      );
      return keys;
    },
    // The same buckets while the limits are the same: a reload refills nobody's.
    rates: ({ limits: { messagesPerSecond, messageBurst } }) => {
      const pace = `${messagesPerSecond} ${messageBurst}`;
      if (held?.pace !== pace) {
        const buckets = { perSecond: messagesPerSecond * 4, burst: messageBurst * 4 };
        held = { pace, rates: new TokenBuckets(buckets) };
      }
      return held.rates;
    },
  };
}

export type Tools = {
  readonly runners: ReadonlyMap<string, ToolRunner>;
  /** What the agent may read about its tools: the pinned texts. */
  readonly descriptions: readonly JsonObject[];
  readonly close: () => Promise<void>;
};

const toolStartTimeoutMs = 15_000;
const toolMessageBytesMax = 8 * 1024 * 1024;
const resultSizeMax = 1024 * 1024;
const membersMax = 20_000;
const stringLengthMax = 1024 * 1024;

/** Starts the agent's tools. One that does not start, or is not what was pinned, stops the start. */
export async function startTools(
  foundations: SidecarFoundations,
  places: ToolPlaces,
): Promise<Tools> {
  const { mesh, agent, clock } = foundations;
  const runners = new Map<string, ToolRunner>();
  const descriptions: JsonObject[] = [];
  const secrets = new ToolSecrets(places);
  const close = async (): Promise<void> => {
    await Promise.all([...runners.values()].map((runner) => runner.close()));
  };
  for (const name of toolsOf(agent, mesh)) {
    const manifest = mesh.tools.get(name);
    if (manifest === undefined) continue;
    try {
      const runner = await createToolRunner(manifest, {
        directory: mesh.directory,
        clock,
        secrets,
        identity: places.owner,
        messageBytesMax: toolMessageBytesMax,
        startTimeoutMs: toolStartTimeoutMs,
        pins: mesh.development === true ? 'report' : 'enforce',
        onIndicator: (indicator) => recordIndicator(indicator, foundations),
      });
      runners.set(name, runner);
      for (const described of await runner.start()) descriptions.push({ tool: name, ...described });
    } catch (failure) {
      await close();
      throw failure;
    }
  }
  return { runners, descriptions, close };
}

/** The agent's own tools and those that serve the actions asked of it. */
function toolsOf(agent: Agent, mesh: Mesh): ReadonlySet<string> {
  const names = new Set(agent.tools);
  if (agent.role !== 'EXECUTOR') return names;
  const asked = mesh.edges.filter((edge) => edge.to === agent.name).flatMap((edge) => edge.mayRequest);
  for (const action of asked) {
    const tool = mesh.actions.get(action)?.tool;
    if (tool !== undefined && agent.tools.includes(tool)) names.add(tool);
  }
  return names;
}

/** Wires the sidecar of one agent. */
export async function buildSidecarContext(
  foundations: SidecarFoundations,
  tools: Tools,
): Promise<SidecarContext> {
  const { mesh, agent, clock, recorder, verifier, digestKey, policy, lasting } = foundations;
  // Cedar takes 100 MB of memory; only an executor decides anything with it.
  const executes = agent.role === 'EXECUTOR';
  // Prepared once: a raw key is prepared anew for every digest, which costs more than the digest.
  const hmacKey = createSecretKey(digestKey);
  const gate = createGate({
    agent: agent.name,
    runners: tools.runners,
    admission: lasting.admission,
    pace: foundations.pace,
    lease: foundations.lease,
    clock,
    random: systemRandom,
    deadline: timerDeadline,
    intents: foundations.intents,
    recorder,
    isCurrent: policy.isCurrent,
    egressOf: (name) => mesh.agents.get(name)?.egress ?? null,
    tools: mesh.tools,
    bounds: { sizeMax: resultSizeMax, depthMax: mesh.limits.depthMax },
    review: async (value, { request, label }) =>
      combine(
        await reviewContent(
          {
            value,
            schemaId: null,
            type: null,
            channel: mesh.tools.get(request.tool)?.channel ?? 'tool_result',
            classification: label.classification,
            integrity: label.integrity,
            risk: request.risk,
          },
          context,
        ),
      ),
  }, lasting.gateMemory);
  const context: SidecarContext = {
    ...foundations,
    gate,
    deadline: timerDeadline,
    admission: lasting.admission,
    shape: lasting.shape,
    random: systemRandom,
    scanner: scannerOf(mesh, agent, digestKey, clock),
    firewall: firewallOf(mesh.firewall, foundations.report),
    compliance: createCompliance(mesh, executes ? await CedarPolicies.load(mesh) : null),
    judge: await judgeOf(mesh, foundations.judgeMemory.spend, clock, lasting.judgeShare(foundations)),
    agentModel: await agentModelOf(agent, foundations.judgeMemory.modelSpend, clock),
    endorsements: new Endorsements(
      mesh.limits.approvalTimeoutMs, foundations.endorsed, clock.nowMs(),
    ),
    allotments: lasting.allotments(foundations),
    protection: lasting.protection(foundations),
    knowledge: knowledgePortOf(foundations.link),
    rates: lasting.rates(mesh),
    describeTools: () => tools.descriptions,
    verifyMandate: mandateVerifierOf(foundations),
    peerByThumbprint: (thumbprint) => verifier.byThumbprint(thumbprint),
    learnPeer: (chainPem) => void verifier.verifyPem(chainPem),
    spool: async (entries) => {
      await recorder.record(entries);
    },
    keyedDigest: (text) => createHmac('sha256', hmacKey).update(text).digest('base64url'),
    agentSees,
  };
  return context;
}

/** Answers the node on calls in doubt; also before the sidecar serves. */
export async function answerCalls(
  frame: CallsFrame,
  foundations: SidecarFoundations,
  sidecar: AgentSidecar | null,
  send: (frame: SidecarFrame) => void,
): Promise<void> {
  if (frame.kind === 'undo-call') {
    // Before the sidecar serves nobody answers, and the node asks again.
    if (sidecar !== null) send(await undoCall(frame, sidecar.context));
    return;
  }
  const { agent, intents, recorder, clock, operators, lasting } = foundations;
  const context = {
    agent: agent.name, intents, recorder, clock, operators, turns: lasting.settling,
  };
  const answer = await answerOnCalls(frame, context);
  if (answer !== null) send(answer);
}

function mandateVerifierOf(foundations: SidecarFoundations): MandateVerifier {
  const { mesh, clock, verifier, operators, revocations, lease } = foundations;
  return createMandateVerifier({
    mesh,
    clock,
    peer: peersOf(verifier),
    operatorKey: (name) => operators().get(name)?.publicKey ?? null,
    revocations,
    isFresh: () => lease.coversPrivileged(),
  });
}

export function scannerOf(
  mesh: Mesh,
  agent: Pick<Agent, 'systemPrompt'>,
  digestKey: Uint8Array,
  clock: Pick<Clock, 'nowMs'>,
  schemas = createSchemaRegistry(mesh.schemas.values()),
): Scanner {
  const { limits } = mesh;
  return createScanner({
    schemas,
    limits: {
      bytesMax: Math.max(limits.messageBytesMax, toolMessageBytesMax),
      depthMax: limits.depthMax,
      membersMax,
      stringLengthMax,
    },
    patterns: mesh.patterns,
    settings: mesh.scanner ?? defaultScannerSettings,
    ownPrompt: agent.systemPrompt ?? null,
    nowMs: () => clock.nowMs(),
    digestKey,
    nowUs: () => performance.now() * 1000,
  });
}

function recordIndicator(indicator: ToolIndicator, foundations: SidecarFoundations): void {
  const { agent, clock, recorder, report } = foundations;
  recorder
    .record([
      {
        kind: 'indicator.raised',
        id: mintUlid(clock, systemRandom),
        at: clock.nowMs(),
        actor: `sidecar:${agent.name}`,
        task: null,
        message: null,
        causedBy: [],
        outcome: null,
        code: indicator.code,
        verdicts: [],
        tookUs: null,
        detail: { tool: indicator.tool, indicator: 'TOOL' },
      },
    ])
    .catch(report);
}
