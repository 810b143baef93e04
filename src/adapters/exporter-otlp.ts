// SPDX-License-Identifier: Apache-2.0
import { measure, type MetricSink } from '../exporter/metrics.ts';
import { logOf, spanOf } from '../exporter/telemetry.ts';
import type { Delivery, ExportedEntry, Exporter } from '../recorder/exporter.ts';
import { HttpPoster, type PostTarget } from './export-http.ts';
import { readableLog, readableSpan, type OtlpLibrary, type OtlpResource } from './otlp-library.ts';
import { OtlpMetrics } from './otlp-metrics.ts';

export type OtlpOptions = PostTarget & {
  readonly signals: readonly ('traces' | 'metrics' | 'logs')[];
  readonly metricsIntervalMs: number;
  readonly library: OtlpLibrary;
  /** Name of the log: tells the instances of one service apart. */
  readonly instance: string;
};

type Rejections = { readonly partialSuccess?: object };

/**
 * OpenTelemetry over OTLP/HTTP with JSON. A batch counts as delivered when every signal of it was
 * taken; spans and records that come again have the same ids. Metrics are running sums, sent on an
 * interval of their own: one that is not taken is made good by the next.
 */
export class OtlpExporter implements Exporter {
  readonly batchEntriesMax = 512;
  readonly #options: OtlpOptions;
  readonly #poster: HttpPoster;
  readonly #resource: OtlpResource;
  readonly #metrics: OtlpMetrics | null;
  readonly #interval: NodeJS.Timeout | null;
  #closed = false;

  constructor(options: OtlpOptions) {
    const { library, signals, instance, metricsIntervalMs } = options;
    this.#options = options;
    this.#poster = new HttpPoster(options);
    this.#resource = library.resources.resourceFromAttributes({
      'service.name': 'maso',
      'service.instance.id': instance,
    });
    this.#metrics = signals.includes('metrics') ? new OtlpMetrics(library, this.#resource) : null;
    this.#interval = this.#metrics === null
      ? null
      : setInterval(() => void this.sendMetrics(), metricsIntervalMs).unref();
  }

  get sink(): MetricSink | null {
    return this.#metrics;
  }

  async deliver(entries: readonly ExportedEntry[], signal: AbortSignal): Promise<Delivery> {
    const { signals, library } = this.#options;
    const { JsonTraceSerializer, JsonLogsSerializer } = library.transformer;
    let rejected = 0;
    if (this.#closed) return { ok: false, code: 'EXPORT_CLOSED', retryAfterMs: null };
    if (signals.includes('traces')) {
      const steps = entries.map(spanOf).filter((step) => step !== null);
      const spans = steps.map((step) => readableSpan(step, this.#resource));
      const body = spans.length === 0 ? null : JsonTraceSerializer.serializeRequest(spans);
      const sent = await this.#send('/v1/traces', body ?? null, JsonTraceSerializer, signal);
      if (!sent.ok) return sent;
      rejected += sent.rejected;
    }
    if (signals.includes('logs')) {
      const steps = entries.map(logOf).filter((step) => step !== null);
      const records = steps.map((step) => readableLog(step, this.#resource));
      const body = records.length === 0 ? null : JsonLogsSerializer.serializeRequest(records);
      const sent = await this.#send('/v1/logs', body ?? null, JsonLogsSerializer, signal);
      if (!sent.ok) return sent;
      rejected += sent.rejected;
    }
    if (this.#metrics !== null) for (const entry of entries) measure(entry, this.#metrics);
    return { ok: true, rejected };
  }

  /** Sends the sums as they are now. Never rejects. */
  async sendMetrics(): Promise<void> {
    const signal = AbortSignal.timeout(Math.min(10_000, this.#options.metricsIntervalMs));
    try {
      const body = (await this.#metrics?.serialise()) ?? null;
      if (body !== null) await this.#poster.post('/v1/metrics', body, signal);
    } catch {
      // The sums are kept; the next interval sends them.
      return;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#poster.close();
    await this.#metrics?.close();
  }

  async #send(
    path: string,
    body: Uint8Array | null,
    serializer: { readonly deserializeResponse: (data: Uint8Array) => Rejections },
    signal: AbortSignal,
  ): Promise<Delivery> {
    if (body === null) return { ok: true, rejected: 0 };
    const posted = await this.#poster.post(path, body, signal);
    return posted.ok ? { ok: true, rejected: rejectedOf(posted.body, serializer) } : posted;
  }
}

/**
 * How many items the collector said it will not keep (OTLP, partial success). They must not be sent
 * again; an answer that cannot be read says nothing, and the status was a success.
 */
function rejectedOf(
  body: Uint8Array,
  serializer: { readonly deserializeResponse: (data: Uint8Array) => Rejections },
): number {
  try {
    const { partialSuccess = {} } = serializer.deserializeResponse(body);
    const counts = ['rejectedSpans', 'rejectedLogRecords'].map((name) =>
      Number(Reflect.get(partialSuccess, name) ?? 0),
    );
    const count = Math.max(...counts);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    // Not the answer of the protocol; the status alone counts.
    return 0;
  }
}
