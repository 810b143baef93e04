// SPDX-License-Identifier: Apache-2.0
import type { ExportedEntry } from '../recorder/exporter.ts';
import { attackTagsOf } from './attack-tags.ts';
import { entryClasses } from './entry-classes.ts';

export type Attributes = { readonly [name: string]: string | number | boolean | string[] };

/** A step as OpenTelemetry has it, before any library: ids and times are already decided. */
export type StepSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'internal' | 'producer' | 'consumer';
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: Attributes;
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
  readonly failed: boolean;
};

export type StepLog = {
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly name: string;
  readonly timeMs: number;
  readonly observedMs: number;
  /** `SeverityNumber` of the OpenTelemetry log data model. */
  readonly severity: 9 | 13 | 17;
  readonly attributes: Attributes;
};

/** The span of a step that has a place in a task's trace; null for an entry that is a point. */
export function spanOf(entry: ExportedEntry): StepSpan | null {
  if (entryClasses[entry.kind].signal !== 'span' || entry.traceId === null) return null;
  const endUs = entry.atMs * 1000;
  return {
    traceId: entry.traceId,
    spanId: entry.spanId,
    parentSpanId: entry.parentSpanId,
    name: spanName(entry),
    kind: spanKind(entry),
    startUs: endUs - (entry.tookUs ?? 0),
    endUs,
    attributes: attributesOf(entry),
    link: entry.link,
    failed: entry.outcome === 'NO-GO' || entry.kind === 'tool.in-doubt',
  };
}

/** The log record of an entry that is no span, or that a person should look at. */
export function logOf(entry: ExportedEntry): StepLog | null {
  const isSpan = entryClasses[entry.kind].signal === 'span' && entry.traceId !== null;
  const severity = severityOf(entry);
  if (isSpan && severity === 9) return null;
  return {
    traceId: entry.traceId,
    spanId: entry.traceId === null ? null : entry.spanId,
    name: entry.kind,
    timeMs: entry.atMs,
    observedMs: entry.recordedAtMs,
    severity,
    attributes: attributesOf(entry),
  };
}

function severityOf({ kind, outcome }: ExportedEntry): StepLog['severity'] {
  if (kind === 'indicator.raised' || kind === 'tool.in-doubt') return 17;
  if (kind === 'recorder.unavailable') return 17;
  return outcome === 'NO-GO' || outcome === 'ESCALATE' ? 13 : 9;
}

function spanName({ kind, facts }: ExportedEntry): string {
  const { schema, action, tool, operation } = facts;
  switch (kind) {
    case 'message.outbound':
      return `send ${schema ?? 'message'}`;
    case 'message.admitted':
      return `admit ${schema ?? 'message'}`;
    case 'message.delivered':
      return `receive ${schema ?? 'message'}`;
    case 'message.refused':
      return `refuse ${schema ?? 'message'}`;
    case 'request.reviewed':
      return `review ${action ?? 'request'}`;
    case 'tool.outcome':
    case 'tool.in-doubt':
    case 'tool.refused':
      return `execute_tool ${tool ?? 'tool'}.${operation ?? 'operation'}`;
    default:
      return kind;
  }
}

function spanKind({ kind }: ExportedEntry): StepSpan['kind'] {
  if (kind === 'message.outbound') return 'producer';
  return kind === 'message.delivered' ? 'consumer' : 'internal';
}

/**
 * Attributes after OpenTelemetry's semantic conventions where they fit (`gen_ai.*` for agents and
 * tool calls, `messaging.*` for hops, `error.type` for codes), else under `maso.`. Arguments and
 * results of tools, which the conventions would allow, never stand here (G9).
 */
export function attributesOf(entry: ExportedEntry): Attributes {
  const { facts, actor, code } = entry;
  const tags = code === null ? null : attackTagsOf(code);
  return withoutUndefined({
    'maso.log': entry.log,
    'maso.sequence': entry.sequence,
    'maso.kind': entry.kind,
    'maso.actor.kind': actor.kind,
    'maso.outcome': entry.outcome ?? undefined,
    'maso.code': code ?? undefined,
    'maso.masked': entry.masked || undefined,
    'maso.task': facts.task,
    'maso.message': facts.message,
    'maso.approval': facts.approval,
    'maso.domain': facts.domain,
    'maso.message.type': facts.type,
    'maso.schema': facts.schema,
    'maso.action': facts.action,
    'maso.risk': facts.risk,
    'maso.hop': facts.hop,
    'maso.requester': facts.requester,
    'maso.isolation': facts.isolation,
    'maso.label.classification': facts.classification,
    'maso.label.integrity': facts.integrity,
    'maso.controls': controlsOf(entry),
    'maso.attack.atlas': tags === null || tags === undefined ? undefined : [...tags.atlas],
    'maso.attack.owasp': tags === null || tags === undefined ? undefined : [...tags.owasp],
    'error.type': entry.outcome === 'NO-GO' ? (code ?? undefined) : undefined,
    ...genAiOf(entry),
    ...messagingOf(entry),
  });
}

function genAiOf({ kind, facts, actor }: ExportedEntry): Loose {
  const agent = actor.name ?? facts.agent;
  if (kind.startsWith('tool.')) {
    return {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': facts.tool === undefined ? undefined : `${facts.tool}.${facts.operation ?? ''}`,
      'gen_ai.tool.type': 'extension',
      'gen_ai.tool.call.id': facts.message,
      'gen_ai.agent.name': agent,
    };
  }
  const invokes = kind === 'message.outbound' && facts.type === 'instruction';
  return {
    'gen_ai.operation.name': invokes ? 'invoke_agent' : undefined,
    'gen_ai.agent.name': invokes ? facts.to : agent,
    'gen_ai.conversation.id': facts.task,
  };
}

function messagingOf({ kind, facts }: ExportedEntry): Loose {
  if (!kind.startsWith('message.')) return {};
  const operation = kind === 'message.outbound' ? 'send' : 'process';
  return {
    'messaging.system': 'maso',
    'messaging.operation.type': kind === 'message.admitted' ? undefined : operation,
    'messaging.destination.name': facts.to,
    'messaging.message.id': facts.message,
    'maso.from': facts.from,
  };
}

/** `control=OUTCOME` for each control that spoke. */
function controlsOf({ verdicts }: ExportedEntry): string[] | undefined {
  if (verdicts.length === 0) return undefined;
  return verdicts.map(({ control, outcome }) => `${control}=${outcome}`);
}

type Loose = { readonly [name: string]: Attributes[string] | undefined };

function withoutUndefined(attributes: Loose): Attributes {
  const kept: [string, Attributes[string]][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}
