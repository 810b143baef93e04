// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scanCommand, type ScanOptions } from './scan.ts';

const token = ['glpat', 'aB3dE5gH7jK9mN1pQ2sT'].join('-');
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-scan-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function scan(changes: Partial<ScanOptions> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const code = scanCommand(
    { target: '.', json: false, sarif: false, classification: 'internal', failOn: 'escalate', person: false, ...changes },
    { out: (line) => out.push(line), err: (line) => err.push(line), directory },
  );
  return { code, out, err };
}

function saidWith(code: number, changes: Partial<ScanOptions> = {}): string {
  const told = scan(changes);
  expect(told).toMatchObject({ code, out: [] });
  return told.err.join('\n');
}

function write(name: string, text: string | Uint8Array): void {
  writeFileSync(join(directory, name), text);
}

describe('maso scan', () => {
  it('is a usage error without a file, with two formats, or with a broken mesh file', () => {
    expect(scan({ target: 'missing' }).code).toBe(2);
    expect(scan({ json: true, sarif: true }).code).toBe(2);
    expect(scan({ failOn: 'sometimes' }).code).toBe(2);
    expect(scan({ classification: 'secret' }).code).toBe(2);
    write('mesh.yaml', 'security_mesh: [');
    expect(scan({ mesh: 'mesh.yaml' }).code).toBe(2);
  });

  it.skipIf(process.getuid?.() === 0)('is an error when a file or a folder cannot be read', () => {
    write('locked.txt', 'x');
    chmodSync(join(directory, 'locked.txt'), 0o000);
    expect(saidWith(2)).toMatch(/^maso scan: CONTROL_FILE_UNUSABLE: .*locked\.txt/);
    rmSync(join(directory, 'locked.txt'));
    mkdirSync(join(directory, 'locked'), { mode: 0o000 });
    expect(saidWith(2)).toMatch(/^maso scan: CONTROL_FILE_UNUSABLE: .*locked/);
  });

  it('says of all that ends it a code and a mend', () => {
    expect(saidWith(2, { target: 'missing' })).toMatch(/^maso scan: CONTROL_FILE_UNUSABLE: .*missing.* \(.+\.\)$/);
    expect(saidWith(2, { json: true, sarif: true })).toMatch(/^maso scan: SCAN_OPTIONS_INVALID: .+ \(.+\.\)$/);
    expect(saidWith(2, { mesh: 'none.yaml' })).toMatch(/^none\.yaml:1:1 MESH_FILE_MISSING .+ \(.+\.\)\nmaso scan: MESH_REFUSED: .+ \(.+\.\)$/);
    write('mesh.yaml', 'security_mesh: [');
    expect(saidWith(2, { mesh: 'mesh.yaml' })).toMatch(/^mesh\.yaml:1:\d+ MESH_SYNTAX [^]+\nmaso scan: MESH_REFUSED: /);
  });

  it('exits with 0 where nothing is, and with 1 where something is, without showing it', () => {
    write('a.txt', 'An ordinary note to ops@example.org.');
    expect(scan()).toMatchObject({ code: 0 });
    expect(scan({ failOn: 'note' }).code).toBe(1);
    write('b.txt', `first line\nkey ${token}\n`);
    const found = scan();
    expect(found.code).toBe(1);
    expect(found.out[1]).toBe('b.txt:2:5 no-go SCAN_SECRET secret/gitlab-token');
    expect(found.out.join('\n')).not.toContain(token);
  });

  it('finds what lies across two parts of a long file, once', () => {
    write('long.txt', `${'word '.repeat(52_428)} ${token} ${'word '.repeat(60_000)}`);
    const report = JSON.parse(scan({ json: true }).out[0] ?? '');
    expect(report.findings.map((item: { rule: string }) => item.rule)).toEqual(['secret/gitlab-token']);
  });

  it('tells eight places of one rule, and counts all for its exit code', () => {
    write('many.txt', `${Array.from({ length: 40 }, (_, index) => `ops${index}@example.org`).join('\n')}\n${token}`);
    const { code, out } = scan();
    expect(out.filter((line) => line.endsWith('personal/e-mail'))).toHaveLength(8);
    expect({ code, last: out.at(-1) }).toEqual({ code: 1, last: '1 files scanned, 0 skipped, 9 findings' });
  });

  it('shows no sign in the name of a file that a terminal obeys', () => {
    write('a\u001b[2K\u001b[1A\nb.txt', `use ${token}`);
    write('c\u009b1A\u202e.bin', new Uint8Array([1, 0, 2]));
    const { code, out, err } = scan();
    expect(code).toBe(1);
    expect(out[0]).toMatch(/^a.*b\.txt:1:5 no-go SCAN_SECRET secret\/gitlab-token$/);
    // oxlint-disable-next-line no-control-regex -- what is looked for
    expect([...out, ...err].join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('skips binary files, links and what others installed', () => {
    write('a.bin', new Uint8Array([1, 0, 2]));
    symlinkSync('/etc/hostname', join(directory, 'link'));
    mkdirSync(join(directory, 'node_modules'));
    write('node_modules/x.txt', token);
    expect(scan()).toMatchObject({ code: 0, out: ['0 files scanned, 2 skipped, 0 findings'] });
  });

  it('names what it left out, and why', () => {
    for (const name of ['a.bin', 'b.bin', 'c.bin', 'd\n.bin']) write(name, new Uint8Array([1, 0, 2]));
    write('long.txt', 'x'.repeat(16 * 1024 * 1024 + 1));
    const { code, err } = scan();
    expect(code).toBe(0);
    expect(err.sort()).toEqual([
      expect.stringMatching(/^note SCAN_FILE_LEFT_OUT Not scanned \(binary\): "a\.bin", "b\.bin", "c\.bin" and 1 more\. \(.+\.\)$/),
      expect.stringMatching(/^note SCAN_FILE_LEFT_OUT Not scanned \(over 16 MiB\): "long\.txt"\. \(.+\.\)$/),
    ]);
    rmSync(join(directory, 'a.bin'));
    rmSync(join(directory, 'b.bin'));
    rmSync(join(directory, 'long.txt'));
    expect(scan().err).toEqual([expect.stringContaining('"c.bin", "d\\n.bin".')]);
  });

  it('writes SARIF 2.1.0 with a place and a level for each finding', () => {
    write('b c.txt', `first line\nkey ${token}\n`);
    const { code, out } = scan({ sarif: true });
    expect(code).toBe(1);
    const sarif = JSON.parse(out[0] ?? '');
    expect(sarif.version).toBe('2.1.0');
    const [run] = sarif.runs;
    expect(run.tool.driver.rules).toMatchObject([{ id: 'secret/gitlab-token' }]);
    expect(run.results).toMatchObject([
      {
        ruleId: 'secret/gitlab-token',
        ruleIndex: 0,
        level: 'error',
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'b%20c.txt' },
              region: { startLine: 2, startColumn: 5, endColumn: 5 + token.length },
            },
          },
        ],
      },
    ]);
    expect(out[0]).not.toContain(token);
  });

  it('obeys the packs and suppressions of a mesh file until they end', () => {
    write('pack.yaml', 'name: own\nversion: "1"\nrules:\n  - { id: falcon, kind: data, severity: high, pattern: "(?i)project falcon" }\n');
    write('note.txt', `about Project Falcon, ${token}`);
    const mesh = (expires: string): string =>
      'security_mesh:\n  scanner:\n    rule_packs: [pack.yaml]\n    suppressions:\n' +
      `      - { rule: secret/*, reason: "made up for a test", by: alice, expires: ${expires} }\n`;
    write('mesh.yaml', mesh('2099-12-31'));
    const rules = (): unknown =>
      JSON.parse(scan({ json: true, target: 'note.txt', mesh: 'mesh.yaml' }).out[0] ?? '').findings.map(
        (item: { rule: string; grade: string }) => `${item.rule} ${item.grade}`,
      );
    expect(rules()).toEqual(['pack/own.falcon no-go', 'secret/gitlab-token note']);
    const results = JSON.parse(scan({ sarif: true, target: 'note.txt', mesh: 'mesh.yaml' }).out[0] ?? '').runs[0].results;
    expect(results.map((result: { suppressions?: unknown }) => result.suppressions)).toEqual([
      undefined, [{ kind: 'external', status: 'accepted', justification: 'made up for a test (alice)' }],
    ]);
    write('mesh.yaml', mesh('2020-12-31'));
    expect(rules()).toEqual(['secret/gitlab-token no-go', 'pack/own.falcon no-go']);
  });

  it('lets a suppression name files, below the folder of the mesh file, until it ends', () => {
    mkdirSync(join(directory, 'rules'));
    mkdirSync(join(directory, 'rules/samples'));
    for (const name of ['rules/samples/a.txt', 'rules/samples/a.md', 'rules/b.txt', 'c.txt']) write(name, token);
    const scanned = (file: string, expires = '2099-12-31') => {
      write('rules/mesh.yaml', 'security_mesh:\n  scanner:\n    suppressions:\n' +
        `      - { rule: secret/*, ${file}, reason: "made up for a test", by: alice, expires: ${expires} }\n`);
      const { code, out } = scan({ json: true, mesh: 'rules/mesh.yaml' });
      if (code === 2) return code;
      return JSON.parse(out[0] ?? '').findings.flatMap((item: { file: string; grade: string }) =>
        item.grade === 'note' ? [item.file] : []);
    };
    const none: readonly string[] = [];
    expect(scanned('file: "samples/*.txt"')).toEqual(['rules/samples/a.txt']);
    expect(scanned('file: "**/*.txt"')).toEqual(['rules/b.txt', 'rules/samples/a.txt']);
    expect(scanned('file: b.txt')).toEqual(['rules/b.txt']);
    expect(scanned('file: rules/b.txt')).toEqual(none);
    expect(scanned('file: "**"')).toEqual(['rules/b.txt', 'rules/samples/a.md', 'rules/samples/a.txt']);
    expect(scanned('file: b.txt', '2020-12-31')).toEqual(none);
    expect(scanned('path: /b.txt')).toEqual(none);
    for (const broken of ['file: /b.txt', 'file: ../c.txt', 'file: a//b', 'file: ""', 'file: "a\\\\b"', 'file: b.txt, path: /b']) {
      expect(scanned(broken), broken).toBe(2);
    }
  });
});

describe('maso scan, of the suppressions of a mesh file', () => {
  const day = (fromNow: number): string => new Date(Date.now() + fromNow * 86_400_000).toISOString().slice(0, 10);
  const mesh = (...suppressions: readonly string[]): void => write('mesh.yaml',
    'security_mesh:\n  scanner:\n    suppressions:\n' +
    suppressions.map((own) => `      - { ${own}, reason: "made up for a test", by: alice }\n`).join(''));

  beforeEach(() => {
    write('note.txt', 'An ordinary note.');
    mesh(
      `rule: secret/*, expires: ${day(-3)}`,
      `rule: injection/*, file: "*.md", expires: ${day(3)}`,
      `rule: secret/gitlab-tokens, expires: ${day(90)}`,
      `rule: secret/*, path: /note, expires: ${day(-3)}`,
      `rule: personal/*, expires: ${day(90)}`,
    );
  });

  it('names those that ended, end soon or name no rule, where they stand', () => {
    const { code, out, err } = scan({ target: 'note.txt', mesh: 'mesh.yaml' });
    expect({ code, out }).toEqual({ code: 0, out: ['1 files scanned, 0 skipped, 0 findings'] });
    expect(err).toEqual([
      expect.stringMatching(/^mesh\.yaml:4:\d+ warning SCAN_SUPPRESSION_ENDED .*secret\/\* .* \(.+\)$/),
      expect.stringMatching(/^mesh\.yaml:5:\d+ note SCAN_SUPPRESSION_ENDING .*injection\/\* .* \(.+\)$/),
      expect.stringMatching(/^mesh\.yaml:6:\d+ warning SCAN_SUPPRESSION_UNMATCHED .*"secret\/gitlab-token"\? \(.+\)$/),
    ]);
  });

  it('says the same in JSON and as notifications in SARIF', () => {
    const report = JSON.parse(scan({ json: true, target: 'note.txt', mesh: 'mesh.yaml' }).out[0] ?? '');
    expect(report.notices).toMatchObject([
      { code: 'SCAN_SUPPRESSION_ENDED', level: 'warning', place: { file: 'mesh.yaml', line: 4 } },
      { code: 'SCAN_SUPPRESSION_ENDING', level: 'note' },
      { code: 'SCAN_SUPPRESSION_UNMATCHED', level: 'warning' },
    ]);
    const [run] = JSON.parse(scan({ sarif: true, target: 'note.txt', mesh: 'mesh.yaml' }).out[0] ?? '').runs;
    expect(run.tool.driver.notifications.map(({ id }: { id: string }) => id))
      .toEqual(['SCAN_SUPPRESSION_ENDED', 'SCAN_SUPPRESSION_ENDING', 'SCAN_SUPPRESSION_UNMATCHED']);
    expect(run.invocations).toMatchObject([{
      executionSuccessful: true,
      toolExecutionNotifications: [
        {
          descriptor: { id: 'SCAN_SUPPRESSION_ENDED' },
          level: 'warning',
          locations: [{ physicalLocation: { artifactLocation: { uri: 'mesh.yaml' }, region: { startLine: 4 } } }],
        },
        { descriptor: { id: 'SCAN_SUPPRESSION_ENDING' }, level: 'note' },
        { descriptor: { id: 'SCAN_SUPPRESSION_UNMATCHED' }, level: 'warning' },
      ],
    }]);
  });
});
