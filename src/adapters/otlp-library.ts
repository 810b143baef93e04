// SPDX-License-Identifier: Apache-2.0
import { ExporterError } from '../exporter/exporter-error.ts';
import type { StepLog, StepSpan } from '../exporter/telemetry.ts';

type Transformer = typeof import('@opentelemetry/otlp-transformer');
type Resources = typeof import('@opentelemetry/resources');
type SdkMetrics = typeof import('@opentelemetry/sdk-metrics');
type ReadableSpan = Parameters<Transformer['JsonTraceSerializer']['serializeRequest']>[0][number];
type ReadableLogRecord = Parameters<Transformer['JsonLogsSerializer']['serializeRequest']>[0][number];

export type OtlpLibrary = {
  readonly transformer: Transformer;
  readonly resources: Resources;
  readonly metrics: SdkMetrics;
};

/**
 * The OpenTelemetry libraries, loaded only where an exporter asks for them: they are optional.
 * Rejects with EXPORT_LIBRARY_MISSING. Their wire format is used, not their processors: those drop
 * what they cannot keep in memory, and here the log is the queue.
 */
export async function loadOtlpLibrary(): Promise<OtlpLibrary> {
  try {
    const [transformer, resources, metrics] = await Promise.all([
      import('@opentelemetry/otlp-transformer'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-metrics'),
    ]);
    return { transformer, resources, metrics };
  } catch (cause) {
    const message = 'An exporter uses otlp and the OpenTelemetry libraries are not installed.';
    throw new ExporterError('EXPORT_LIBRARY_MISSING', message, { cause });
  }
}

export type OtlpResource = ReturnType<Resources['resourceFromAttributes']>;

export const otlpScope = { name: 'maso' };
const sampled = 1;
const spanKinds = { internal: 0, producer: 3, consumer: 4 } as const;
const statusError = 2;
const statusUnset = 0;
const severityTexts: { readonly [severity in StepLog['severity']]: string } = {
  9: 'INFO', 13: 'WARN', 17: 'ERROR',
};

/** A step in the form that the library serialises. */
export function readableSpan(step: StepSpan, resource: OtlpResource): ReadableSpan {
  const { traceId, spanId, parentSpanId, link } = step;
  const context = (id: string) => ({ traceId, spanId: id, traceFlags: sampled });
  return {
    name: step.name,
    kind: spanKinds[step.kind],
    spanContext: () => context(spanId),
    ...(parentSpanId === null ? {} : { parentSpanContext: context(parentSpanId) }),
    startTime: highResolution(step.startUs),
    endTime: highResolution(step.endUs),
    duration: highResolution(step.endUs - step.startUs),
    status: { code: step.failed ? statusError : statusUnset },
    attributes: { ...step.attributes },
    links: link === null ? [] : [{ context: { ...link, traceFlags: 0, isRemote: true } }],
    events: [],
    ended: true,
    resource,
    instrumentationScope: otlpScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

export function readableLog(step: StepLog, resource: OtlpResource): ReadableLogRecord {
  const { traceId, spanId } = step;
  return {
    hrTime: highResolution(step.timeMs * 1000),
    hrTimeObserved: highResolution(step.observedMs * 1000),
    ...(traceId === null || spanId === null
      ? {}
      : { spanContext: { traceId, spanId, traceFlags: sampled } }),
    severityNumber: step.severity,
    severityText: severityTexts[step.severity],
    body: step.name,
    eventName: `maso.${step.name}`,
    resource,
    instrumentationScope: otlpScope,
    attributes: { ...step.attributes },
    droppedAttributesCount: 0,
  };
}

/** Seconds and nanoseconds. */
function highResolution(us: number): [number, number] {
  return [Math.floor(us / 1e6), Math.round((us % 1e6) * 1000)];
}
