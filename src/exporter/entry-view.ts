// SPDX-License-Identifier: Apache-2.0
import { isUlid } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import { messageTypes } from '../message/envelope.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { ExportedEntry, ExportedFacts, ExportedVerdict } from '../recorder/exporter.ts';
import { anyDomainMasks, MaskMemory } from './mask.ts';
import { RecentMap } from './recent-map.ts';
import { linkOf, SpanIds, type SpanStage } from './trace-ids.ts';

export type ViewOptions = {
  readonly mesh: Mesh;
  readonly log: string;
  /** 32 bytes of this mesh, for span ids and the pseudonyms of masked domains. */
  readonly key: Uint8Array;
  /** True for a code of the product's tables; any other text in a code's place is left out. */
  readonly isCode: (code: string) => boolean;
};

const minuteMs = 60_000;
const dayMs = 86_400_000;
const hopMax = 64;
const approvalsMax = 16;
const countMax = 1_000_000_000;
const codesMax = 16;
const verdictsMax = 16;
const countedMax = 64;
const callsRemembered = 50_000;
/** What stands where the writer named something that the mesh file or the tables do not have. */
export const undeclared = 'undeclared';

const controls: ReadonlySet<string> = new Set([
  'scanner', 'semantic-firewall', 'policy-compliance', 'model-as-judge', 'bus', 'pace',
  'protection', 'human', 'tool-gate',
]);
const closedFacts: { readonly [fact: string]: ReadonlySet<string> } = {
  type: new Set<string>(messageTypes),
  risk: new Set(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  isolation: new Set(['none', 'uid', 'container']),
  source: new Set(['user', 'tool', 'agent']),
  indicator: new Set(['COMPROMISE', 'TOOL', 'RECORD']),
};

/**
 * Makes of each entry what may leave. Everything in an entry was written by a process that may be
 * taken over, and some of it was chosen by an agent: the recipient that a refused message named, a
 * schema, an operation, a finding's path. So nothing passes because it looks harmless; a name passes
 * because the mesh file declares it, a code because a table has it, a number because it is a count.
 */
export class EntryView {
  readonly #options: ViewOptions;
  readonly #mask: MaskMemory;
  readonly #ids: SpanIds;
  /** Ids of local tool calls, whose results cause messages as other messages do. */
  readonly #calls = new RecentMap<true>(callsRemembered);
  readonly #operations: ReadonlySet<string>;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#mask = new MaskMemory(options.mesh);
    this.#ids = new SpanIds(options.key, anyDomainMasks(options.mesh));
    const tools = [...options.mesh.tools.values()];
    this.#operations = new Set(tools.flatMap(({ operations }) => [...operations.keys()]));
  }

  /** Called for each entry in the order of the log; what it has seen tells later entries' domain. */
  export(entry: RecordedEntry): ExportedEntry {
    const masked = this.#mask.isMasked(entry);
    const { task, message } = entry;
    if (entry.kind.startsWith('tool.') && message !== null) this.#calls.set(message, true);
    const timeOf = (ms: number): number => (masked ? Math.floor(ms / minuteMs) * minuteMs : ms);
    return {
      log: this.#options.log,
      sequence: entry.sequence,
      kind: entry.kind,
      atMs: timeOf(isNear(entry) ? entry.at : entry.recordedAt),
      recordedAtMs: timeOf(entry.recordedAt),
      actor: this.#actorOf(entry.actor, masked),
      traceId: task === null ? null : this.#ids.traceId(task),
      spanId: this.#spanOf(entry),
      parentSpanId: this.#parentOf(entry),
      link: masked ? null : linkOf(entry.detail['traceparent']),
      outcome: entry.outcome,
      code: entry.code === null ? null : this.#code(entry.code),
      tookUs: entry.tookUs === null ? null : duration(entry.tookUs),
      verdicts: entry.verdicts.slice(0, verdictsMax).map((verdict) => this.#verdictOf(verdict)),
      facts: this.#factsOf(entry, masked),
      counted: entry.kind === 'refusals.counted' ? this.#countedOf(entry.detail['counts']) : {},
      masked,
    };
  }

  #actorOf(actor: string, masked: boolean): ExportedEntry['actor'] {
    const { mesh } = this.#options;
    if (actor === 'node') return { kind: 'node', name: null };
    const [kind, name = ''] = actor.split(':', 2);
    switch (kind) {
      case 'agent':
      case 'sidecar':
        return { kind, name: masked || !mesh.agents.has(name) ? null : name };
      case 'operator':
        return { kind, name: isOperator(mesh, name) ? name : null };
      default:
        return { kind: 'unknown', name: null };
    }
  }

  #code(code: string): string {
    return this.#options.isCode(code) ? code : undeclared;
  }

  #verdictOf({ control, outcome, tookUs, findings }: RecordedEntry['verdicts'][number]): ExportedVerdict {
    const codes = new Set(findings.map(({ code }) => this.#code(code)));
    return {
      control: controls.has(control) ? control : undeclared,
      outcome,
      tookUs: duration(tookUs),
      codes: [...codes].slice(0, codesMax),
    };
  }

  #factsOf(entry: RecordedEntry, masked: boolean): ExportedFacts {
    const { mesh } = this.#options;
    const { detail, task, message } = entry;
    const label = isJsonObject(detail['label']) ? detail['label'] : detail;
    const agent = (value: JsonValue | undefined): string | undefined =>
      masked ? undefined : declared(value, (name) => mesh.agents.has(name));
    const id = (value: JsonValue | undefined): string | undefined =>
      !masked && typeof value === 'string' && isUlid(value) ? value : undefined;
    const facts: { readonly [fact in keyof ExportedFacts]: ExportedFacts[fact] | undefined } = {
      task: id(task ?? undefined),
      message: id(message ?? undefined),
      approval: id(detail['approval']),
      from: agent(detail['from'] ?? detail['sender']),
      to: agent(detail['to']),
      agent: agent(detail['agent']),
      requester: agent(detail['requester']),
      operator: declared(detail['operator'], (name) => isOperator(mesh, name)),
      domain: this.#mask.domainOf(entry) ?? declared(detail['domain'], (name) => mesh.domains.has(name)),
      schema: declared(detail['schema'], (name) => mesh.schemas.has(name)),
      action: declared(detail['action'], (name) => mesh.actions.has(name)),
      tool: declared(detail['tool'], (name) => mesh.tools.has(name)),
      operation: declared(detail['operation'], (name) => this.#operations.has(name)),
      ...closed(detail),
      classification: member(label['classification'], classifications),
      integrity: member(label['integrity'], integrities),
      hop: count(detail['hop'], hopMax),
      approvalsNeeded: count(detail['approvalsNeeded'], approvalsMax),
      write: typeof detail['write'] === 'boolean' ? detail['write'] : undefined,
    };
    return withoutUndefined(facts);
  }

  #countedOf(counts: JsonValue | undefined): { readonly [code: string]: number } {
    const counted = new Map<string, number>();
    for (const [code, number] of Object.entries(isJsonObject(counts) ? counts : {})) {
      const known = this.#code(code);
      const add = count(number, countMax) ?? 0;
      if (counted.size < countedMax || counted.has(known)) {
        counted.set(known, (counted.get(known) ?? 0) + add);
      }
    }
    return Object.fromEntries(counted);
  }

  #spanOf(entry: RecordedEntry): string {
    const stage = stageOf(entry);
    const named = stage !== 'entry' && entry.message !== null ? entry.message : null;
    return named === null
      ? this.#ids.spanId('entry', `${entry.actor} ${entry.id}`)
      : this.#ids.spanId(stage, named);
  }

  /** Follows from ids alone, so that an entry has the same parent whenever it is exported. */
  #parentOf(entry: RecordedEntry): string | null {
    const { kind, message, causedBy, task } = entry;
    if (task === null) return null;
    const last = causedBy.findLast((cause) => isUlid(cause) && cause !== message) ?? null;
    const afterCause = last === null
      ? null
      : this.#ids.spanId(this.#calls.get(last) === true ? 'tool' : 'delivered', last);
    if (message === null) return afterCause;
    switch (stageOf(entry)) {
      case 'outbound':
        return afterCause;
      case 'admitted':
        return this.#ids.spanId('outbound', message);
      case 'delivered':
        return this.#ids.spanId('admitted', message);
      case 'reviewed':
      case 'tool':
        return this.#ids.spanId('delivered', message);
      case 'entry':
        if (kind !== 'message.refused') return this.#ids.spanId('delivered', message);
        if (entry.actor.startsWith('agent:')) return afterCause;
        return this.#ids.spanId(entry.actor === 'node' ? 'outbound' : 'admitted', message);
      default:
        return null;
    }
  }
}

const classifications: ReadonlySet<string> =
  new Set(['public', 'internal', 'confidential', 'restricted']);
const integrities: ReadonlySet<string> = new Set(['trusted', 'internal', 'untrusted']);

function stageOf({ kind }: RecordedEntry): SpanStage {
  switch (kind) {
    case 'message.outbound':
      return 'outbound';
    case 'message.admitted':
      return 'admitted';
    case 'message.delivered':
      return 'delivered';
    case 'request.reviewed':
      return 'reviewed';
    case 'tool.outcome':
    case 'tool.in-doubt':
    case 'tool.refused':
      return 'tool';
    default:
      return 'entry';
  }
}

function isOperator(mesh: Mesh, name: string): boolean {
  return mesh.operators.has(name) || (mesh.operators.size === 0 && name === 'local');
}

function declared(
  value: JsonValue | undefined,
  isDeclared: (name: string) => boolean,
): string | undefined {
  if (typeof value !== 'string') return undefined;
  return isDeclared(value) ? value : undeclared;
}

function member(value: JsonValue | undefined, allowed: ReadonlySet<string>): string | undefined {
  return typeof value === 'string' && allowed.has(value) ? value : undefined;
}

function closed(detail: JsonObject): { readonly [fact: string]: string | undefined } {
  return Object.fromEntries(
    Object.entries(closedFacts).map(([fact, allowed]) => [fact, member(detail[fact], allowed)]),
  );
}

/** A number that is too large for what it counts may be a text in disguise, and is left out. */
function count(value: JsonValue | undefined, countMax: number): number | undefined {
  const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  return fits && value <= countMax ? value : undefined;
}

function duration(tookUs: number): number {
  return Math.round(Math.min(tookUs, dayMs * 1000));
}

/** The writer's clock is its own word; one that is days away from the recorder's is not repeated. */
function isNear({ at, recordedAt }: RecordedEntry): boolean {
  return Number.isSafeInteger(at) && Math.abs(at - recordedAt) <= dayMs;
}

function withoutUndefined(facts: { readonly [fact: string]: unknown }): ExportedFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
