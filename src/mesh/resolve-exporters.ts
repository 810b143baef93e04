// SPDX-License-Identifier: Apache-2.0
import type { Entry, Loading } from './loading.ts';
import { entryShapes, namePattern, type EntryOf } from './mesh-file.ts';
import type { ExporterManifest } from './mesh.ts';
import { isSecureUrl } from './secure-url.ts';

/** Where entries go besides the log. Each has exactly one kind; addresses are TLS, or loopback. */
export function resolveExporters(
  loading: Loading,
  raw: { readonly [name: string]: unknown },
): Map<string, ExporterManifest> {
  const exporters = new Map<string, ExporterManifest>();
  const entries = loading.entries('exporters', raw, entryShapes.exporters, namePattern);
  for (const entry of entries) {
    const manifest = manifestOf(loading, entry);
    if (manifest !== null) exporters.set(entry.name, manifest);
  }
  return exporters;
}

function manifestOf(
  loading: Loading,
  { name, path, value }: Entry<EntryOf<'exporters'>>,
): ExporterManifest | null {
  const { otlp, prometheus, siem_http: http, siem_syslog: syslog, siem_file: file } = value;
  const given = [otlp, prometheus, http, syslog, file].filter((kind) => kind !== undefined);
  if (given.length !== 1) {
    loading.reportKey('MESH_EXPORTER_KIND', path);
    return null;
  }
  const absolute = (given: string | undefined): string | null =>
    given === undefined ? null : loading.absolute(given);
  const check = (kind: string, address: string): void => {
    if (!isSecureUrl(address)) loading.report('MESH_EXPORTER_URL_INSECURE', [...path, kind, 'endpoint']);
  };
  if (otlp !== undefined) {
    check('otlp', otlp.endpoint);
    return {
      name, kind: 'otlp', endpoint: otlp.endpoint, signals: otlp.signals,
      metricsIntervalMs: otlp.metrics_interval_ms,
      credentialFile: absolute(otlp.credential_file), caFile: absolute(otlp.ca_file),
    };
  }
  if (http !== undefined) {
    check('siem_http', http.endpoint);
    return {
      name, kind: 'siem_http', endpoint: http.endpoint,
      credentialFile: absolute(http.credential_file), caFile: absolute(http.ca_file),
    };
  }
  if (syslog !== undefined) {
    const { host, port, certificate_file: certificate, key_file: key } = syslog;
    if ((certificate === undefined) !== (key === undefined)) {
      loading.report('MESH_EXPORTER_KEY_PAIR', [...path, 'siem_syslog']);
    }
    return {
      name, kind: 'siem_syslog', host, port, caFile: absolute(syslog.ca_file),
      certificateFile: absolute(certificate), keyFile: absolute(key),
    };
  }
  if (file !== undefined) return { name, kind: 'siem_file', path: loading.absolute(file.path) };
  return { name, kind: 'prometheus', port: prometheus?.port ?? 0 };
}
