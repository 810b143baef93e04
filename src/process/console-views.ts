// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RecordIndex } from '../adapters/record-index-sqlite.ts';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { ConsoleApi, SignedAnswer, StatementPath, Viewer } from '../console/console-api.ts';
import { liveEntry } from '../console/live-feed.ts';
import type { MapPlace } from '../console/mesh-map.ts';
import type { PasskeyStore } from '../console/passkeys.ts';
import type { Session } from '../console/sessions.ts';
import { applyRevocation } from '../control/revocations.ts';
import { hasRight, rolesOf } from '../mesh/operator-roles.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonObject } from '../message/json.ts';
import { decide, type Approval } from '../oversight/approvals.ts';
import { equalsAmong } from '../oversight/equals.ts';
import { searchApprovals, type ApprovalQuery } from '../oversight/search.ts';
import { stepsOfProbe } from '../oversight/probe.ts';
import { membersBy } from '../pace/rules.ts';
import { buildDecisionTrace } from '../recorder/decision-trace.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { codeEntry, codeTables } from './codes.ts';
import { anomalyView, costsView, intentView } from './console-behaviour.ts';
import { shownCard, type CardContext } from './console-card.ts';
import { agentViews, groupOfAgent, meshView, overviewView, paceView, peopleView } from './console-mesh.ts';
import { payloadsView } from './console-payloads.ts';
import { controlsView, recorderView } from './console-record.ts';
import { FollowedRecord } from './console-follow.ts';
import { workflowsView } from './console-workflows.ts';
import type { nodeDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import { listMandates } from './node-mandates.ts';
import { shownLineage } from './node-contagion.ts';
import type { Foundations, Parts } from './node-parts.ts';

export type ViewsGround = {
  readonly parts: Parts;
  readonly foundations: Foundations;
  readonly directories: ReturnType<typeof nodeDirectories>;
  readonly passkeys: PasskeyStore;
  readonly endorse: (operator: string, publicKey: JsonObject, credential: string) => string | null;
};

const published = /^(checkpoint|header\.json|tile\/(entries|\d{1,2})\/(x\d{3}\/){0,4}\d{3}(\.p\/\d{1,3})?)$/;
const lineagesMax = 200;
const mandatesMax = 1_000;
const traceEntriesMax = 10_000;

/** What the console shows of a running node: its own state and its record, and nothing made up. */
export class ConsoleViews implements ConsoleApi {
  readonly log: ConsoleApi['log'];
  readonly passkeys: PasskeyStore;
  readonly #ground: ViewsGround;
  #index: Promise<RecordIndex> | null = null;
  #followed: FollowedRecord | null = null;

  constructor(ground: ViewsGround) {
    this.#ground = ground;
    this.passkeys = ground.passkeys;
    const { recorder } = ground.foundations;
    const { log } = ground.directories;
    this.log = {
      size: () => recorder.size(),
      read: (from, to) => recorder.read(from, to),
      lines: async function* (from, to) {
        yield* (await openRecordLogReader(log)).read(from, to);
      },
      file: (path) => (published.test(path)
        ? readFile(join(log, path)).catch(() => null) : Promise.resolve(null)),
    };
  }

  viewer(operator: string): Viewer | null {
    const known = this.#ground.parts.approvals.operators.get(operator);
    if (known === undefined) return null;
    return { operator, roles: rolesOf(known), may: (right) => hasRight(known, right) };
  }

  async view(
    name: string,
    id: string | null,
    viewer: Viewer,
    place: MapPlace,
  ): Promise<JsonObject | null> {
    const { parts } = this.#ground;
    switch (name) {
      case 'overview':
        return overviewView(this.#ground);
      case 'mesh':
        return meshView(place, this.#ground);
      case 'approval':
        return this.#card(id, viewer);
      case 'people':
        return peopleView(this.#ground);
      case 'trace':
        return id === null ? null : this.#trace(id);
      case 'payloads': {
        const index = await this.#opened();
        await index.catchUp();
        return id === null ? null : payloadsView(this.#realTask(id) ?? id, viewer, index, this.#ground);
      }
      case 'agents':
        return agentViews(id, place.search, this.#ground);
      case 'mandates':
        return { mandates: listMandates(this.#realTask(id), mandatesMax, parts.mandates, parts.busContext.revocations) };
      case 'workflows':
        return workflowsView(id, viewer, this.#ground);
      case 'contagion':
        return { lineages: parts.busContext.contagion.lineages(lineagesMax).map(shownLineage) };
      case 'calls':
        return { calls: await parts.calls.list() };
      case 'policy':
        return parts.policies.show();
      case 'recorder':
        return recorderView(this.#ground);
      case 'controls':
        return controlsView(this.#ground);
      case 'costs':
        return costsView(this.#realTask(id), await this.#read(), () => this.#opened());
      case 'anomaly':
        return anomalyView(id, place.search, await this.#read(), this.#ground);
      case 'intent':
        return intentView(await this.#read(), this.#ground);
      case 'pace':
        return paceView(this.#ground);
      case 'codes':
        return { codes: Object.assign({}, ...Object.values(codeTables)) as JsonObject };
      default:
        return null;
    }
  }

  groupOf(agent: string): string | null {
    return groupOfAgent(agent, this.#ground);
  }

  approvals(query: ApprovalQuery, viewer: Viewer): JsonObject {
    const { store } = this.#ground.parts.approvals;
    const { approvals, total } = searchApprovals(store, query);
    const context = this.#cardContext(viewer);
    return { approvals: approvals.map((approval) => shownCard(approval, context)), total };
  }

  async entries(query: { readonly [name: string]: string }, limit: number): Promise<JsonObject> {
    const index = await this.#opened();
    await index.catchUp();
    const found = await index.query(query, limit);
    return { entries: found.map((entry) => ({ ...liveEntry(entry) })) };
  }

  async take(path: StatementPath, signed: string, about: string | null): Promise<SignedAnswer> {
    const { parts } = this.#ground;
    switch (path) {
      case 'decisions': {
        const answer = await decide(signed, parts.approvals);
        if (!answer.ok) return { code: answer.code };
        const { id, state, probe, decisions } = answer.approval;
        const caught = decisions.at(-1)?.decision !== 'approve';
        return { code: null, approval: id, state, probe: probe === true ? { caught } : null };
      }
      case 'revocations': {
        const answer = await applyRevocation(signed, parts.revocations);
        return answer.ok ? { code: null, version: answer.change.version } : { code: answer.code };
      }
      case 'settlements': {
        const { code, state } = await parts.calls.settle(signed);
        return { code, state };
      }
      case 'pace': {
        const answer = await parts.pace.order(signed);
        return answer.ok ? { code: null, id: answer.id, changed: answer.steps.length } : { code: answer.code };
      }
      case 'releases': {
        const answer = await parts.workflows.changes.release(about ?? '', signed);
        return answer.ok ? { code: null, version: answer.version } : { code: answer.code };
      }
      case 'denials':
        return { code: await parts.workflows.changes.deny(signed) };
      default:
        return path satisfies never;
    }
  }

  endorse(session: Session, publicKey: JsonObject, credential: string): string | null {
    return this.#ground.endorse(session.operator, publicKey, credential);
  }

  note(
    kind: 'session.opened' | 'session.ended' | 'identity.refused',
    operator: string | null,
    code: string | null,
  ): void {
    const { clock, log } = this.#ground.foundations;
    const entry = {
      kind, id: mintUlid(clock, systemRandom), at: clock.nowMs(),
      actor: operator === null ? 'node' : `operator:${operator}`,
      task: null, message: null, causedBy: [], outcome: code === null ? null : 'NO-GO', code,
      verdicts: [], tookUs: null, detail: { at: 'console' },
    } as const;
    this.#ground.parts.approvals.recorder.record([entry])
      .catch((failure: unknown) => log(`node: console: ${faultOf(failure)}`));
  }

  close(): void {
    void this.#index?.then((index) => index.close(), () => undefined);
  }

  #card(id: string | null, viewer: Viewer): JsonObject | null {
    const { approvals } = this.#ground.parts;
    const approval = id === null ? null : approvals.store.get(id);
    if (approval === null) return null;
    const nowMs = this.#ground.foundations.clock.nowMs();
    if (approval.state === 'pending' && viewer.may('decide')) {
      approvals.opened.note(approval.id, viewer.operator, nowMs);
    }
    return shownCard(approval, this.#cardContext(viewer));
  }

  #cardContext(viewer: Viewer): CardContext {
    const { parts, foundations } = this.#ground;
    return {
      viewer,
      mesh: foundations.live.mesh,
      operators: parts.approvals.operators,
      approversOf: parts.approvals.approversOf,
      nowMs: foundations.clock.nowMs(),
      equals: equalsAmong(parts.approvals.store.pending()),
    };
  }

  /** From the index where it knows the id; a start of an id, or an approval's, reads the whole log. */
  async #trace(id: string): Promise<JsonObject | null> {
    const { recorder } = this.#ground.foundations;
    const index = await this.#opened();
    await index.catchUp();
    const probe = this.#probeOf(id);
    if (probe?.probeOf !== undefined) {
      const { probeOf } = probe;
      const taken = (await index.query({ task: probeOf.task }, traceEntriesMax)).toReversed();
      const steps = stepsOfProbe(probe, probeOf, taken);
      return traceOf(id, async function* () {
        yield* steps;
      });
    }
    const task = (await index.naming(id)).find((entry) => entry.task !== null)?.task ?? null;
    const known = task === null ? null : await index.query({ task }, traceEntriesMax);
    const entries = async function* (): AsyncIterable<RecordedEntry> {
      if (known === null) yield* recorder.read(0, recorder.size());
      else yield* known.toReversed();
    };
    return traceOf(id, entries);
  }

  /** The probe that waits and that an id of its own names. */
  #probeOf(id: string): Approval | null {
    const { store } = this.#ground.parts.approvals;
    return store.pending().find((one) =>
      one.probe === true && [one.id, one.hold.message, one.hold.task].includes(id)) ?? null;
  }

  /** A probe that waits has no task: it is shown with that of the question which it was made of. */
  #realTask(task: string | null): string | null {
    return task === null ? null : (this.#probeOf(task)?.probeOf?.task ?? task);
  }

  /** What is summed over the record, read on up to now, or as far as one view may read. */
  async #read(): Promise<FollowedRecord> {
    const { recorder, live, clock } = this.#ground.foundations;
    this.#followed ??= new FollowedRecord(
      recorder,
      (agent) => live.mesh.agents.get(agent)?.role ?? 'unknown',
      (agent) => live.mesh.agents.get(agent)?.model?.contextTokens ?? null,
      membersBy(() => live.mesh),
    );
    await this.#followed.follow(clock.nowMs());
    return this.#followed;
  }

  #opened(): Promise<RecordIndex> {
    const { log, index } = this.#ground.directories;
    // One of its own: commands on this machine may be writing theirs.
    this.#index ??= RecordIndex.open({ directory: log, path: index.replace('.sqlite', '-console.sqlite') });
    return this.#index;
  }
}

async function traceOf(
  id: string,
  entries: () => AsyncIterable<RecordedEntry>,
): Promise<JsonObject | null> {
  const answer = await buildDecisionTrace({ id, entries, explain: (code) => codeEntry(code) });
  return answer.ok ? (answer.trace as unknown as JsonObject) : null;
}
