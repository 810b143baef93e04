// SPDX-License-Identifier: Apache-2.0
import type { ExportedEntry } from '../recorder/exporter.ts';

/** Buckets in seconds: from one control's share of a hop to a held action. */
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/**
 * Every metric that leaves the mesh. A label's values come from closed sets only: kinds, outcomes,
 * controls, codes of the tables, names of the mesh file. None is taken from a message, and none
 * counts agents' ids, so the number of series is bounded by the mesh file and the tables.
 */
export const metricCatalogue = {
  maso_hops_total: {
    kind: 'counter', help: 'Steps of messages by stage and data domain.', labels: ['stage', 'domain'],
  },
  maso_verdicts_total: {
    kind: 'counter', help: 'Verdicts by control and outcome.', labels: ['control', 'outcome'],
  },
  maso_refusals_total: { kind: 'counter', help: 'Refusals by code.', labels: ['code'] },
  maso_escalations_total: { kind: 'counter', help: 'Escalations by code.', labels: ['code'] },
  maso_indicators_total: {
    kind: 'counter', help: 'Indicators of compromise by code.', labels: ['code'],
  },
  maso_tool_calls_total: {
    kind: 'counter', help: 'Ends of tool calls by tool.', labels: ['tool', 'end'],
  },
  maso_approvals_total: { kind: 'counter', help: 'Steps of approvals.', labels: ['step'] },
  maso_judge_cases_total: {
    kind: 'counter', help: 'Cases with a known answer put to judges, by whether they agreed.', labels: ['agreed'],
  },
  maso_step_duration_seconds: {
    kind: 'histogram', help: 'How long steps took.', labels: ['kind'], buckets: durationBuckets,
  },
  maso_control_duration_seconds: {
    kind: 'histogram', help: 'How long controls took.', labels: ['control'],
    buckets: durationBuckets,
  },
  maso_node_up: { kind: 'gauge', help: '1 while the node answers the exporters.', labels: [] },
  maso_recorder_available: {
    kind: 'gauge', help: '1 while the recorder records everything.', labels: [],
  },
  maso_recorder_entries: { kind: 'gauge', help: 'Durable entries of the log.', labels: [] },
  maso_recorder_checkpoint_age_seconds: {
    kind: 'gauge', help: 'Age of the newest signed checkpoint of the log.', labels: [],
  },
  maso_recorder_cosigned_age_seconds: {
    kind: 'gauge', help: 'Age of the newest checkpoint that a witness cosigned; absent without one.',
    labels: [],
  },
  maso_recorder_witness_alarm: {
    kind: 'gauge', help: '1 while cosignatures are late, or a witness saw another history.', labels: [],
  },
  maso_queue_messages: {
    kind: 'gauge', help: 'Messages that wait for their recipients.', labels: [],
  },
  maso_queue_longest_messages: {
    kind: 'gauge', help: 'Messages that wait for the recipient with the most.', labels: [],
  },
  maso_approvals_pending: { kind: 'gauge', help: 'Held actions nobody has decided.', labels: [] },
  maso_agents_connected: { kind: 'gauge', help: 'Sidecars with a line to the node.', labels: [] },
  maso_leases_held: {
    kind: 'gauge', help: 'Sidecars whose lease on HIGH and CRITICAL work is running.', labels: [],
  },
  maso_exporter_behind_entries: {
    kind: 'gauge', help: 'Durable entries an exporter has not confirmed.', labels: ['exporter'],
  },
  maso_exporter_lag_seconds: {
    kind: 'gauge', help: 'Age of the oldest entry an exporter has not confirmed.',
    labels: ['exporter'],
  },
  maso_exporter_alarm: {
    kind: 'gauge', help: '1 while an exporter lags or is held back by a code.',
    labels: ['exporter'],
  },
  maso_exporter_delivered_entries: {
    kind: 'gauge', help: 'Entries confirmed since the exporters started.', labels: ['exporter'],
  },
  maso_exporter_rejected_entries: {
    kind: 'gauge', help: 'Entries a destination confirmed and did not keep.', labels: ['exporter'],
  },
} as const satisfies { readonly [name: string]: MetricShape };

type MetricShape = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
};

export type MetricName = keyof typeof metricCatalogue;
/** The catalogue as a list, for whoever makes an instrument of each. */
export const metricShapes: readonly (MetricShape & { readonly name: MetricName })[] = Object.entries(
  metricCatalogue,
).map(([name, shape]) => ({ ...shape, name: name as MetricName }));

export type Labels = { readonly [label: string]: string };

/** Where measurements go: the Prometheus registry, the OpenTelemetry meter. */
export interface MetricSink {
  /** Adds to a counter. */
  add(name: MetricName, labels: Labels, by: number): void;
  /** One observation of a histogram, in its unit. */
  observe(name: MetricName, labels: Labels, value: number): void;
  /** The value of a gauge from now on. */
  set(name: MetricName, labels: Labels, value: number): void;
}

const hopStages: { readonly [kind: string]: string } = {
  'message.outbound': 'outbound',
  'message.admitted': 'admitted',
  'message.delivered': 'delivered',
  'message.refused': 'refused',
};
const toolEnds: { readonly [kind: string]: string } = {
  'tool.in-doubt': 'in-doubt',
  'tool.refused': 'refused',
};
const approvalSteps: { readonly [kind: string]: string } = {
  'approval.held': 'held',
  'approval.expired': 'expired',
};

/** What an entry adds to the counters and histograms. */
export function measure(entry: ExportedEntry, sink: MetricSink): void {
  const { kind, outcome, code, facts } = entry;
  const stage = hopStages[kind];
  if (stage !== undefined) {
    sink.add('maso_hops_total', { stage, domain: facts.domain ?? 'unknown' }, 1);
  }
  for (const { control, outcome: said, tookUs } of entry.verdicts) {
    sink.add('maso_verdicts_total', { control, outcome: said }, 1);
    sink.observe('maso_control_duration_seconds', { control }, tookUs / 1e6);
  }
  if (entry.tookUs !== null) {
    sink.observe('maso_step_duration_seconds', { kind }, entry.tookUs / 1e6);
  }
  if (kind === 'refusals.counted') {
    for (const [counted, by] of Object.entries(entry.counted)) {
      sink.add('maso_refusals_total', { code: counted }, by);
    }
  } else if (kind === 'indicator.raised') {
    sink.add('maso_indicators_total', { code: code ?? 'unknown' }, 1);
  } else if (outcome === 'NO-GO') {
    sink.add('maso_refusals_total', { code: code ?? 'unknown' }, 1);
  } else if (outcome === 'ESCALATE') {
    sink.add('maso_escalations_total', { code: code ?? 'unknown' }, 1);
  }
  if (kind === 'judge.calibrated') {
    sink.add('maso_judge_cases_total', { agreed: code === null ? 'yes' : 'no' }, 1);
  }
  measureTool(entry, sink);
  const step = kind === 'approval.decided'
    ? (outcome === 'GO' ? 'approved' : 'denied')
    : approvalSteps[kind];
  if (step !== undefined) sink.add('maso_approvals_total', { step }, 1);
}

function measureTool({ kind, outcome, facts }: ExportedEntry, sink: MetricSink): void {
  const end = kind === 'tool.outcome' ? (outcome === 'GO' ? 'done' : 'failed') : toolEnds[kind];
  if (end !== undefined) {
    sink.add('maso_tool_calls_total', { tool: facts.tool ?? 'unknown', end }, 1);
  }
}

/** What the node says about itself; null where it did not answer. */
export type NodeFacts = {
  readonly entries: number;
  readonly checkpointAtMs: number;
  /** Of the newest cosigned checkpoint, 0 before the first; null without a witness. */
  readonly cosignedAtMs: number | null;
  readonly witnessAlarm: boolean;
  readonly recorderAvailable: boolean;
  readonly queued: number;
  readonly queuedLongest: number;
  readonly pendingApprovals: number;
  readonly connected: number;
  readonly leases: number;
};

export function measureNode(facts: NodeFacts | null, nowMs: number, sink: MetricSink): void {
  sink.set('maso_node_up', {}, facts === null ? 0 : 1);
  if (facts === null) return;
  sink.set('maso_recorder_available', {}, facts.recorderAvailable ? 1 : 0);
  sink.set('maso_recorder_entries', {}, facts.entries);
  sink.set('maso_recorder_checkpoint_age_seconds', {}, Math.max(0, nowMs - facts.checkpointAtMs) / 1000);
  if (facts.cosignedAtMs !== null) {
    const ageMs = Math.max(0, nowMs - facts.cosignedAtMs);
    sink.set('maso_recorder_cosigned_age_seconds', {}, ageMs / 1000);
    sink.set('maso_recorder_witness_alarm', {}, facts.witnessAlarm ? 1 : 0);
  }
  sink.set('maso_queue_messages', {}, facts.queued);
  sink.set('maso_queue_longest_messages', {}, facts.queuedLongest);
  sink.set('maso_approvals_pending', {}, facts.pendingApprovals);
  sink.set('maso_agents_connected', {}, facts.connected);
  sink.set('maso_leases_held', {}, facts.leases);
}
