// SPDX-License-Identifier: Apache-2.0
import type { Counter, Gauge, Histogram, Meter } from '@opentelemetry/api';
import { metricShapes, type Labels, type MetricName, type MetricSink } from '../exporter/metrics.ts';
import { otlpScope, type OtlpLibrary, type OtlpResource } from './otlp-library.ts';

/** The metrics of the catalogue on OpenTelemetry instruments, collected when they are to be sent. */
export class OtlpMetrics implements MetricSink {
  readonly #library: OtlpLibrary;
  readonly #collect: () => ReturnType<InstanceType<OtlpLibrary['metrics']['MetricReader']>['collect']>;
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #close: () => Promise<void>;

  constructor(library: OtlpLibrary, resource: OtlpResource) {
    this.#library = library;
    const { MeterProvider, MetricReader } = library.metrics;
    class PulledReader extends MetricReader {
      protected override async onShutdown(): Promise<void> {}
      protected override async onForceFlush(): Promise<void> {}
    }
    const reader = new PulledReader();
    const provider = new MeterProvider({ resource, readers: [reader] });
    this.#collect = () => reader.collect();
    this.#close = () => provider.shutdown();
    this.#make(provider.getMeter(otlpScope.name));
  }

  add(name: MetricName, labels: Labels, by: number): void {
    this.#counters.get(name)?.add(by, labels);
  }

  observe(name: MetricName, labels: Labels, value: number): void {
    this.#histograms.get(name)?.record(value, labels);
  }

  set(name: MetricName, labels: Labels, value: number): void {
    this.#gauges.get(name)?.record(value, labels);
  }

  /** All metrics as the body of one request; null when there is nothing to send. */
  async serialise(): Promise<Uint8Array | null> {
    const { resourceMetrics } = await this.#collect();
    const { JsonMetricsSerializer } = this.#library.transformer;
    return JsonMetricsSerializer.serializeRequest(resourceMetrics) ?? null;
  }

  close(): Promise<void> {
    return this.#close();
  }

  #make(meter: Meter): void {
    for (const { name, kind, help, buckets = [] } of metricShapes) {
      const options = { description: help };
      if (kind === 'counter') {
        this.#counters.set(name, meter.createCounter(name, options));
      } else if (kind === 'gauge') {
        this.#gauges.set(name, meter.createGauge(name, options));
      } else {
        const advice = { explicitBucketBoundaries: [...buckets] };
        this.#histograms.set(name, meter.createHistogram(name, { ...options, unit: 's', advice }));
      }
    }
  }
}
