// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';

function load(exporters: string) {
  return loadFiles({ ...sampleFiles, [sampleFile]: `${sampleText}  exporters:\n${exporters}` });
}

/** `CODE at column` of each error, all of them on the last lines of the file. */
function errorsOf(exporters: string): readonly string[] {
  const loaded = load(exporters);
  if (loaded.ok) return [];
  const first = sampleText.split('\n').length + 1;
  return loaded.diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ code, line, column }) => `${code} ${line - first}:${column}`);
}

describe('exporters of a mesh file', () => {
  test('without a kind, or with two, are refused at their name', () => {
    expect(errorsOf('    one: {}\n')).toEqual(['MESH_EXPORTER_KIND 0:5']);
    const two = '    one: { prometheus: { port: 9464 }, siem_file: { path: a.jsonl } }\n';
    expect(errorsOf(two)).toEqual(['MESH_EXPORTER_KIND 0:5']);
  });

  test('send nothing without TLS but on loopback, and hold no credential in an address', () => {
    const at = (kind: string, endpoint: string): readonly string[] =>
      errorsOf(`    one:\n      ${kind}:\n        endpoint: ${endpoint}\n`);
    const insecure = ['MESH_EXPORTER_URL_INSECURE 2:19'];
    expect(at('otlp', 'http://collector.example.org')).toEqual(insecure);
    expect(at('siem_http', 'http://10.0.0.1/events')).toEqual(insecure);
    expect(at('siem_http', 'https://user:word@siem.example.org')).toEqual(insecure);
    expect(at('otlp', 'ftp://siem.example.org')).toEqual(insecure);
    expect(at('otlp', 'not an address')).toEqual(insecure);
    expect(at('otlp', 'http://127.0.0.1:4318')).toEqual([]);
    expect(at('siem_http', 'https://siem.example.org/events')).toEqual([]);
  });

  test('with an unknown key, a wrong value or a missing one are refused in place', () => {
    expect(errorsOf('    one: { prometheus: { prt: 9464 } }\n').map((one) => one.split(' ')[0]))
      .toEqual(['MESH_KEY_MISSING', 'MESH_KEY_UNKNOWN']);
    expect(errorsOf('    one: { prometheus: { port: 0 } }\n')).toEqual(['MESH_VALUE_INVALID 0:32']);
    expect(errorsOf('    One: { prometheus: { port: 9464 } }\n')).toContain('MESH_NAME_INVALID 0:5');
  });

  test('that give a client certificate give its key too', () => {
    const half = '    one: { siem_syslog: { host: siem.example.org, certificate_file: c.pem } }\n';
    expect(errorsOf(half)).toEqual(['MESH_EXPORTER_KEY_PAIR 0:25']);
  });

  test('have absolute paths and the defaults filled in', () => {
    const loaded = load(
      '    traces: { otlp: { endpoint: "https://collector.example.org:4318", ca_file: ca.pem } }\n' +
      '    events: { siem_syslog: { host: siem.example.org } }\n' +
      '    file: { siem_file: { path: out/events.jsonl } }\n',
    );
    const exporters = loaded.ok ? loaded.mesh.exporters : null;
    expect(exporters?.get('traces')).toEqual({
      name: 'traces', kind: 'otlp', endpoint: 'https://collector.example.org:4318',
      signals: ['traces', 'metrics', 'logs'], metricsIntervalMs: 15_000, credentialFile: null,
      caFile: '/mesh/ca.pem',
    });
    expect(exporters?.get('events')).toMatchObject({ port: 6514, caFile: null });
    expect(exporters?.get('file')).toMatchObject({ path: '/mesh/out/events.jsonl' });
  });
});
