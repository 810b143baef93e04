// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';

type Change = readonly [from: string, to: string, file?: string];

/** Severity, code and place of everything said of the changed sample. */
function said(...changes: readonly Change[]): readonly string[] {
  const files: { [file: string]: string } = { ...sampleFiles, [sampleFile]: sampleText };
  for (const [from, to, file = sampleFile] of changes) {
    const text = files[file] ?? '';
    expect(text).toContain(from);
    files[file] = text.replace(from, () => to);
  }
  return loadFiles(files).diagnostics.map(({ severity, code, file, line, column }) =>
    `${severity} ${code} ${file.split('/').at(-1)}:${line}:${column}`);
}

const impact = (text: string): Change =>
  ['      caps: { amount', `      impact: { ${text} }\n      caps: { amount`];
const bounds = (text: string): Change => ['  edges:\n', `  bounds: { ${text} }\n  edges:\n`];
const spec = '/mesh/oispec/payments.yaml';
const boundary = (text: string): Change =>
  ['data_scope: [billing] }', `data_scope: [billing], time_boundary: ${text} }`, spec];

describe('what maso check says of bounds', () => {
  it('accepts bounds whose impacts are declared', () => {
    expect(said(impact('money: amount, records: 1'),
      bounds('agent: { money: { per_hour: 10 }, records: { per_day: 5 } }, task: { money: 9 }'))).toEqual([]);
  });

  it.each<[string, Change, string]>([
    ['a cap without a window', ['{ per_hour: 8000 }', '{}'], 'error MESH_BOUND_EMPTY security_mesh.yaml:30:15'],
    ['a bound without a window', bounds('subtree: { calls: {} }'),
      'error MESH_BOUND_EMPTY security_mesh.yaml:17:24'],
    ['an impact of no parameter', impact('money: amuont'),
      'error MESH_IMPACT_INVALID security_mesh.yaml:30:24'],
    ['an impact of text', impact('records: payee'), 'error MESH_IMPACT_INVALID security_mesh.yaml:30:26'],
    ['a bound that nothing counts towards', bounds('task: { records: 5 }'),
      'warning MESH_IMPACT_UNDECLARED security_mesh.yaml:17:21'],
    ['a bound that sums cannot hold', ['per_hour: 8000', 'per_hour: 1e15'],
      'error MESH_VALUE_INVALID security_mesh.yaml:30:35'],
    ['an unknown impact', bounds('agent: { tokens: { per_hour: 1 } }'),
      'error MESH_KEY_UNKNOWN security_mesh.yaml:17:22'],
    ['a time boundary that nothing can hold', boundary('until it is done'),
      'error MESH_TIME_BOUNDARY payments.yaml:8:127'],
  ])('refuses %s, at its place', (_, change, expected) => {
    expect(said(change)).toContain(expected);
  });

  it.each(['PT30M', '2026-01-01T00:00:00Z/2026-02-01T00:00:00Z', '{ max_duration_seconds: 60 }'])(
    'accepts the time boundary %s', (text) => {
      expect(said(boundary(text))).toEqual([]);
    });
});
