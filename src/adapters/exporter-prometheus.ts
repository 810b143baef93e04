// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ExporterError } from '../exporter/exporter-error.ts';
import {
  measure, metricShapes, type Labels, type MetricName, type MetricSink,
} from '../exporter/metrics.ts';
import type { Delivery, ExportedEntry, Exporter } from '../recorder/exporter.ts';

const loopback = '127.0.0.1';

/** The metrics of the catalogue in a registry of its own. */
class PrometheusMetrics implements MetricSink {
  readonly registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    const registers = [this.registry];
    for (const { name, kind, help, labels, buckets = [] } of metricShapes) {
      const options = { name, help, labelNames: [...labels], registers };
      if (kind === 'counter') this.#counters.set(name, new Counter(options));
      else if (kind === 'gauge') this.#gauges.set(name, new Gauge(options));
      else this.#histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }));
    }
  }

  add(name: MetricName, labels: Labels, by: number): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  observe(name: MetricName, labels: Labels, value: number): void {
    this.#histograms.get(name)?.observe(labels, value);
  }

  set(name: MetricName, labels: Labels, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }
}

/**
 * Metrics to be scraped: GET /metrics on loopback, without a credential, for whatever collects on
 * this machine. No browser gets them: an Origin, or a Host that is not this address, is refused.
 */
export class PrometheusExporter implements Exporter {
  readonly batchEntriesMax = 1000;
  readonly #metrics = new PrometheusMetrics();
  readonly #server: Server;
  readonly #hosts: ReadonlySet<string>;

  /** Rejects with `ExporterError` EXPORT_PORT_TAKEN. */
  static async listen(port: number): Promise<PrometheusExporter> {
    const exporter = new PrometheusExporter(port);
    await new Promise<void>((resolve, reject) => {
      exporter.#server.once('error', (cause) => {
        const message = `The port ${port} of the Prometheus endpoint cannot be listened on.`;
        reject(new ExporterError('EXPORT_PORT_TAKEN', message, { cause }));
      });
      exporter.#server.listen(port, loopback, () => resolve());
    });
    return exporter;
  }

  private constructor(port: number) {
    this.#hosts = new Set([`${loopback}:${port}`, `localhost:${port}`]);
    this.#server = createServer({ requestTimeout: 5_000 }, (request, response) => {
      if (!this.#isScrape(request)) {
        response.writeHead(403).end();
        return;
      }
      this.#metrics.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': this.#metrics.registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
  }

  get sink(): MetricSink {
    return this.#metrics;
  }

  async deliver(entries: readonly ExportedEntry[], signal: AbortSignal): Promise<Delivery> {
    if (signal.aborted || !this.#server.listening) {
      return { ok: false, code: 'EXPORT_CLOSED', retryAfterMs: null };
    }
    for (const entry of entries) measure(entry, this.#metrics);
    return { ok: true, rejected: 0 };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #isScrape({ method, url, headers }: IncomingMessage): boolean {
    const local = headers.origin === undefined && headers['sec-fetch-site'] === undefined;
    return method === 'GET' && url === '/metrics' && local && this.#hosts.has(headers.host ?? '');
  }
}
