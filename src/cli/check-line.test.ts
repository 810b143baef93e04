// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleFiles } from '../../test/mesh-files/sample.ts';
import { checkLine, type CheckLine } from './check-line.ts';

const example = fileURLToPath(new URL('../../examples/mail-to-bank', import.meta.url));
const file = 'security_mesh.yaml';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-check-line-'));
  for (const [path, text] of Object.entries(sampleFiles)) {
    const place = join(directory, path.slice('/mesh/'.length));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

async function run(line: Partial<CheckLine>, from = example) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (text: string) => out.push(text), err: (text: string) => err.push(text), directory: from,
  };
  const exit = await checkLine({ file: undefined, test: false, json: false, ...line }, io);
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

describe('maso check --explain', () => {
  it.each<[string, Partial<CheckLine>]>([
    ['no file', { explain: ['triage', 'pay_invoice'] }],
    ['no action', { file, explain: ['triage'] }],
    ['a file twice', { file, explain: ['triage', 'pay_invoice', file] }],
    ['a name too many', { explain: ['triage', 'pay_invoice', file, 'x'] }],
    ['tests at once', { file, explain: ['triage', 'pay_invoice'], test: true }],
  ])('exits 2 with its usage for %s', async (_, line) => {
    expect(await run(line)).toMatchObject({ exit: 2, out: '' });
    expect((await run(line)).err).toContain('usage: maso check');
  });

  it('exits 2 and says what an unknown name may have meant', async () => {
    const { exit, err } = await run({ explain: ['trage', 'pay_invoce', file] });
    expect(exit).toBe(2);
    expect(err).toContain('MESH_AGENT_UNKNOWN "trage" is not declared under agents; ' +
      'did you mean "triage"?');
    expect(err).toContain('did you mean "pay_invoice"?');
    expect(await run({ file, explain: ['__proto__', 'constructor'] })).toMatchObject({ exit: 2 });
  });

  it('exits 1 for a mesh that is refused, and lists why', async () => {
    const { exit, out } = await run({ file: 'none.yaml', explain: ['triage', 'pay_invoice'] });
    expect(exit).toBe(1);
    expect(out).toContain('none.yaml:1:1 MESH_FILE_MISSING');
  });

  it('exits 1 where the agent may not ask, naming each rule with its place', async () => {
    const { exit, out } = await run({ explain: ['triage', 'pay_invoice', file] });
    expect(exit).toBe(1);
    expect(out).toContain('triage may not request pay_invoice');
    expect(out).toMatch(/refuses edge +security_mesh\.yaml:\d+:\d+ .*\[POLICY_EDGE_DENIED\]/);
    expect(out).toMatch(/refuses cedar +policies\/payments\.cedar:13:1 .*mail-readers-never-pay/);
  });

  it('exits 0 where it may, and says the same as JSON', async () => {
    const { exit, out } = await run({ file, explain: ['orchestrator', 'pay_invoice'] });
    expect(exit).toBe(0);
    expect(out).toContain('orchestrator may request pay_invoice');
    expect(out).toMatch(/allows +oispec +oispec\/payments\.yaml:\d+:\d+ /);
    const asJson = await run({ file, explain: ['orchestrator', 'pay_invoice'], json: true });
    expect(JSON.parse(asJson.out)).toMatchObject({
      outcome: 'GO', ways: [{ executor: 'payments', domain: 'billing', outcome: 'GO' }],
    });
  });
});

describe('maso check --test', () => {
  const cases = 'payments.policy-test.yaml';
  const sound = `cases:
  - name: a payee without a source
    requester: triage
    executor: payments
    action: pay_invoice
    parameters: { invoice: "42", payee: ACME, amount: 1 }
    expect: NO-GO
`;

  it('exits 1 when there is nothing to run', async () => {
    const { exit, out } = await run({ file, test: true }, directory);
    expect(exit).toBe(1);
    expect(out).toContain('POLICY_TEST_NONE');
  });

  it('exits 1 for a failing case, a file that cannot be read, and a broken mesh', async () => {
    writeFileSync(join(directory, cases), sound.replace('NO-GO', 'GO'));
    const failing = await run({ file, test: true }, directory);
    expect(failing.exit).toBe(1);
    expect(failing.out).toMatch(/^payments\.policy-test\.yaml:7:13 POLICY_TEST_FAILED /m);
    expect(failing.out).toContain('0 passed, 1 failed');
    writeFileSync(join(directory, cases), sound.replace('requester', 'requestor'));
    const broken = await run({ file, test: true }, directory);
    expect(broken).toMatchObject({ exit: 1 });
    expect(broken.out).toContain('payments.policy-test.yaml:3:5 MESH_KEY_UNKNOWN');
    expect(broken.out).toContain('1 of 1 files not run');
    writeFileSync(join(directory, cases), new Uint8Array([0xff, 0xfe]));
    expect((await run({ file, test: true }, directory)).exit).toBe(1);
    expect((await run({ file: 'none.yaml', test: true }, directory)).exit).toBe(1);
  });

  it('exits 0 when every case passes, and says the same as JSON', async () => {
    writeFileSync(join(directory, cases), sound);
    expect(await run({ file, test: true }, directory))
      .toMatchObject({ exit: 0, out: '1 passed, 0 failed' });
    const asJson = await run({ file, test: true, json: true }, directory);
    expect(JSON.parse(asJson.out)).toMatchObject({
      ok: true, files: [{ file: cases, results: [{ passed: true, outcome: 'NO-GO' }] }],
    });
  });

  it("passes the example's own tests", async () => {
    expect(await run({ file, test: true })).toMatchObject({ exit: 0 });
  });
});
