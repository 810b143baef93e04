// SPDX-License-Identifier: Apache-2.0
import type { MetricSink } from '../exporter/metrics.ts';
import type { ExporterManifest } from '../mesh/mesh.ts';
import type { Exporter } from '../recorder/exporter.ts';
import { OtlpExporter } from './exporter-otlp.ts';
import { SiemFileExporter } from './exporter-siem-file.ts';
import { SiemHttpExporter } from './exporter-siem-http.ts';
import { SiemSyslogExporter } from './exporter-siem-syslog.ts';
import { loadOtlpLibrary } from './otlp-library.ts';

export type MadeExporter = { readonly exporter: Exporter; readonly sink: MetricSink | null };

/** The exporter that a manifest declares. Rejects with `ExporterError` when it cannot start. */
export async function makeExporter(
  manifest: ExporterManifest,
  logName: string,
): Promise<MadeExporter> {
  switch (manifest.kind) {
    case 'otlp': {
      const library = await loadOtlpLibrary();
      const exporter = new OtlpExporter({ ...manifest, library, instance: logName });
      return { exporter, sink: exporter.sink };
    }
    case 'prometheus': {
      const { PrometheusExporter } = await import('./exporter-prometheus.ts');
      const exporter = await PrometheusExporter.listen(manifest.port);
      return { exporter, sink: exporter.sink };
    }
    case 'siem_http':
      return { exporter: new SiemHttpExporter(manifest), sink: null };
    case 'siem_syslog':
      return { exporter: new SiemSyslogExporter(manifest), sink: null };
    case 'siem_file':
      return { exporter: new SiemFileExporter(manifest.path), sink: null };
    default:
      return manifest satisfies never;
  }
}

/** Where an exporter sends, without anything secret: addresses carry no credentials. */
export function placeOf(manifest: ExporterManifest): string {
  switch (manifest.kind) {
    case 'otlp':
    case 'siem_http':
      return manifest.endpoint;
    case 'prometheus':
      return `http://127.0.0.1:${manifest.port}/metrics`;
    case 'siem_syslog':
      return `${manifest.host}:${manifest.port}`;
    case 'siem_file':
      return manifest.path;
    default:
      return manifest satisfies never;
  }
}
