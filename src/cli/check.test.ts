// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleFile, sampleFiles } from '../../test/mesh-files/sample.ts';
import { checkCommand, type ExitCode } from './check.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maso-check-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let count = 0;
function write(files: { readonly [path: string]: string }): string {
  count += 1;
  const root = join(folder, String(count));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return join(root, 'mesh');
}

type Run = { readonly exit: ExitCode; readonly out: string; readonly err: string };

async function check(file: string | undefined, directory: string, json = false): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await checkCommand({ file, json }, {
    out: (line) => out.push(line), err: (line) => err.push(line), directory,
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

describe('maso check', () => {
  it('exits 2 with its usage when no file is named', async () => {
    const run = await check(undefined, folder);
    expect(run).toMatchObject({ exit: 2, out: '' });
    expect(run.err).toContain('usage: maso check');
  });

  it('exits 1 for a file that is not there, a folder, and bytes that are not UTF-8', async () => {
    const directory = write(sampleFiles);
    writeFileSync(join(directory, 'bytes.yaml'), new Uint8Array([0xff, 0xfe, 0xc0]));
    expect(await check('none.yaml', directory)).toMatchObject({ exit: 1 });
    expect((await check('none.yaml', directory)).out).toContain('none.yaml:1:1 MESH_FILE_MISSING');
    expect((await check('oispec', directory)).out).toContain('oispec:1:1 MESH_FILE_UNREADABLE');
    expect((await check('bytes.yaml', directory)).out).toContain('MESH_FILE_UNREADABLE');
  });

  it('prints every error as file:line:column with its mend, and exits 1', async () => {
    const text = (sampleFiles[sampleFile] ?? '').replace('role: RETRIEVER', 'role: READER')
      .replace('isolation: uid', 'isolation: none');
    const run = await check('security_mesh.yaml', write({ ...sampleFiles, [sampleFile]: text }));
    expect(run.exit).toBe(1);
    expect(run.out).toMatch(/^security_mesh\.yaml:\d+:\d+ MESH_VALUE_INVALID .+ \(.+\)$/m);
    expect(run.out).toMatch(/^security_mesh\.yaml:\d+:\d+ MESH_ISOLATION_NONE .+ \(.+\)$/m);
    expect(run.out).toContain('the mesh is refused: 2 errors');
  });

  it('points into the Cedar file', async () => {
    const cedar = '/mesh/policies/payments.cedar';
    const text = (sampleFiles[cedar] ?? '').replace('context.domain', 'context.domian');
    const run = await check('security_mesh.yaml', write({ ...sampleFiles, [cedar]: text }));
    expect(run.exit).toBe(1);
    expect(run.out).toMatch(/^policies\/payments\.cedar:9:\d+ POLICY_CEDAR_INVALID/m);
  });

  it.each([
    ['FIREWALL_MODEL_MISSING', 'none.model', 'a'.repeat(64)],
    ['FIREWALL_MODEL_CHANGED', 'own.model', 'a'.repeat(64)],
    ['FIREWALL_MODEL_MALFORMED', 'own.model', createHash('sha256').update('no model').digest('hex')],
    ['FIREWALL_MODEL_MISSING', 'own.onnx', 'a'.repeat(64)],
  ])('warns with %s of a model that the firewall cannot use', async (code, model, sha256) => {
    const text = (sampleFiles[sampleFile] ?? '')
      .replace('security_mesh:', `security_mesh:\n  firewall: { model: ${model}, sha256: ${sha256} }`);
    const files = { ...sampleFiles, [sampleFile]: text, '/mesh/own.model': 'no model' };
    const run = await check('security_mesh.yaml', write(files));
    expect(run.exit).toBe(0);
    expect(run.out).toMatch(new RegExp(`^security_mesh\\.yaml:2:\\d+ warning ${code} `, 'm'));
  });

  it('refuses a suppression that ends on a day that is in no calendar', async () => {
    const item = (expires: string): string => `security_mesh:\n  scanner:\n    suppressions:\n      - { rule: secret/*, reason: made up, by: alice, expires: ${expires} }`;
    const exits = await Promise.all(['2096-02-29', '2097-02-29', '2096-04-31'].map(async (expires) =>
      (await check('security_mesh.yaml', write({ ...sampleFiles, [sampleFile]: (sampleFiles[sampleFile] ?? '').replace('security_mesh:', item(expires)) }))).exit));
    expect(exits).toEqual([0, 1, 1]);
  });

  it('warns of suppressions that ended, end soon or name no rule, where they stand', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const item = (rule: string, expires: string): string =>
      `\n      - { rule: ${rule}, path: /a, reason: made up, by: alice, expires: ${expires} }`;
    const text = (sampleFiles[sampleFile] ?? '').replace('security_mesh:', 'security_mesh:\n  scanner:\n    suppressions:' +
      `${item('secret/*', '2020-12-31')}${item('hidden/*', tomorrow)}${item('hiden/*', '2099-12-31')}${item('output/*', '2099-12-31')}`);
    const run = await check('security_mesh.yaml', write({ ...sampleFiles, [sampleFile]: text }));
    expect(run.exit).toBe(0);
    expect(run.out.match(/^.*SCAN_SUPPRESSION_.*$/gm)).toEqual([
      expect.stringMatching(/^security_mesh\.yaml:4:\d+ warning SCAN_SUPPRESSION_ENDED .+ \(.+\)$/),
      expect.stringMatching(/^security_mesh\.yaml:5:\d+ warning SCAN_SUPPRESSION_ENDING .+ \(.+\)$/),
      expect.stringMatching(/^security_mesh\.yaml:6:\d+ warning SCAN_SUPPRESSION_UNMATCHED .+ \(.+\)$/),
    ]);
  });

  it('exits 0 for the sample and tells what the mesh is', async () => {
    const run = await check('security_mesh.yaml', write(sampleFiles));
    expect(run).toMatchObject({ exit: 0, err: '' });
    expect(run.out).toContain('domain billing: PLAINTEXT, provided');
    expect(run.out).toContain('PG-1.5');
    expect(run.out).toContain('separation of duties is proven over 3 agents');
  });

  it("exits 0 for the seed's file with a warning for each tier that is not there", async () => {
    const seed = fileURLToPath(new URL('../../examples/seed', import.meta.url));
    const run = await check('security_mesh.yaml', seed);
    expect(run.exit).toBe(0);
    expect(run.out.match(/warning MESH_TIER_UNAVAILABLE/g)).toHaveLength(2);
  });

  it('says the same as JSON', async () => {
    const seed = fileURLToPath(new URL('../../examples/seed', import.meta.url));
    const run = await check('security_mesh.yaml', seed, true);
    expect(JSON.parse(run.out)).toMatchObject({
      ok: true,
      diagnostics: [
        { code: 'MESH_TIER_UNAVAILABLE', severity: 'warning', line: 13, column: 13 }, {},
      ],
      mesh: {
        autonomyTier: 2,
        tiers: [{ domain: 'agent_memory', tier: 'RETRIEVAL', available: true }, {}, {}, {}],
      },
    });
  });
});
