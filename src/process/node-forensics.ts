// SPDX-License-Identifier: Apache-2.0
import { splitToCustodians } from '../adapters/custodian-shares.ts';
import { SqlitePayloadKeyStore } from '../adapters/payload-key-store-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import type { PayloadPort } from '../bus/payload-port.ts';
import { takeRecorderOrder } from '../control/recorder-orders.ts';
import { SnapshotRoom } from '../control/snapshot-room.ts';
import type { RecorderOrderAnswer, RecorderOrdersContext } from '../control/recorder-orders.ts';
import { defaultRetentionDays } from '../mesh/recorder-settings.ts';
import type { Mesh, Operator, RiskClass } from '../mesh/mesh.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { mintUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import { Turns } from '../oversight/turns.ts';
import type { PaceView } from '../pace/pace-view.ts';
import type { Recorder } from '../recorder/entry.ts';
import { PayloadKeeper } from '../recorder/payload-keeper.ts';
import type { KeptPayload, PayloadPieces, ReadOfAgent } from '../recorder/payload-keeper.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { snapshotTool } from '../sidecar/snapshot.ts';
import type { nodeDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';

export type ForensicsFoundations = {
  readonly flight: FlightRecorder;
  /** Stamps the version of the policy. */
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly live: LivePolicy;
  readonly pace: PaceView & { readonly version: number };
  readonly operators: () => ReadonlyMap<string, Operator>;
  readonly log: (line: string) => void;
};

const tickEveryMs = 500;
const dayMs = 86_400_000;
/** How often keys that are older than anything in the log are looked for. */
const eraseEveryMs = 3_600_000;

/** Payloads that a node keeps for its custodians, and what operators order of its recorder. */
export class NodeForensics implements PayloadPort {
  readonly #foundations: ForensicsFoundations;
  readonly #store: SqlitePayloadKeyStore;
  readonly #keeper: PayloadKeeper;
  readonly #orders: RecorderOrdersContext;
  readonly #snapshots: SnapshotRoom;
  #timer: NodeJS.Timeout | null = null;
  #said: string | null = null;
  #erasedAt = 0;

  constructor(directories: ReturnType<typeof nodeDirectories>, foundations: ForensicsFoundations) {
    const { flight, recorder, clock } = foundations;
    this.#foundations = foundations;
    this.#snapshots = new SnapshotRoom(foundations.pace);
    this.#store = new SqlitePayloadKeyStore(directories.payloadKeys);
    const random = systemRandom;
    this.#keeper = new PayloadKeeper({
      log: flight.logName, store: this.#store, recorder, split: splitToCustodians, clock, random,
    });
    this.#orders = {
      log: flight.logName,
      size: () => flight.size(),
      closedSize: async () => (await openRecordLogReader(directories.log)).lastSegmentFirst(),
      recorder,
      keys: this.#store,
      eraseKeys: (task) => this.#keeper.erase(task),
      clock,
      get operators() {
        return foundations.operators();
      },
      mintId: () => mintUlid(clock, random),
      turns: new Turns(),
    };
  }

  /** Rejects when payloads are to be kept and no epoch can be opened: the node does not start. */
  async begin(): Promise<void> {
    await this.#tick();
    this.#timer = setInterval(() => {
      this.#tick().then(() => this.#say(null), (failure: unknown) => this.#say(faultOf(failure)));
    }, tickEveryMs);
    this.#timer.unref();
  }

  keep(body: EnvelopeBody): KeptPayload | null {
    const { mesh } = this.#foundations.live;
    const settings = mesh.recorder?.forensic ?? null;
    if (settings === null || !settings.keep.has(riskOf(body, mesh))) return null;
    return this.#keeper.keep(body);
  }

  keepRead(read: ReadOfAgent, pieces: PayloadPieces): KeptPayload | null {
    const forensic = this.#foundations.live.mesh.recorder?.forensic ?? null;
    if (forensic === null) return null;
    // What a contained agent stood in is kept wherever there is somebody to keep it for, and no other state.
    const keeps = isSnapshot(read) ? this.#snapshots.take(read.agent) : forensic.keep.has('LOW');
    return keeps ? this.#keeper.keepRead(read, pieces) : null;
  }

  async order(signed: string, attached: JsonValue | null): Promise<RecorderOrderAnswer> {
    return takeRecorderOrder(signed, attached, this.#orders);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#keeper.close();
    this.#store.close();
  }

  async #tick(): Promise<void> {
    const { live, clock } = this.#foundations;
    const { forensic = null, retentionDays = defaultRetentionDays } = live.mesh.recorder ?? {};
    if (forensic === null) this.#keeper.close();
    else await this.#keeper.tick(forensic);
    const nowMs = clock.nowMs();
    if (nowMs - this.#erasedAt < eraseEveryMs) return;
    this.#erasedAt = nowMs;
    await this.#store.eraseBefore(nowMs - Math.max(...Object.values(retentionDays)) * dayMs);
  }

  #say(fault: string | null): void {
    if (fault === this.#said) return;
    this.#said = fault;
    this.#foundations.log(`node: payload keys: ${fault ?? 'a new epoch is open again'}`);
  }
}

function isSnapshot({ tool, operation }: ReadOfAgent): boolean {
  return tool === snapshotTool.tool && operation === snapshotTool.operation;
}

/** Of the action that a message asks for or answers; anything else is LOW. */
function riskOf({ schema, payload }: EnvelopeBody, mesh: Mesh): RiskClass {
  if (schema === actionRequestSchema) {
    const parsed = parseActionRequest(payload);
    return (parsed.ok ? mesh.actions.get(parsed.request.action)?.risk : undefined) ?? 'LOW';
  }
  if (schema !== actionOutcomeSchema || !isJsonObject(payload)) return 'LOW';
  const { action } = payload;
  return (typeof action === 'string' ? mesh.actions.get(action)?.risk : undefined) ?? 'LOW';
}
