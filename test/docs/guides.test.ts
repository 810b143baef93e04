// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from 'vitest';
import { scriptOf } from './guide.ts';
import { GuideFolder, hasShellAndCurl } from './guide-folder.ts';

const guide = (name: string): string => `docs/guides/${name}.md`;
const without = hasShellAndCurl() ? '' : ' (left out: needs bash and curl)';

describe('guides, as their reader follows them', () => {
  let folder: GuideFolder | null = null;
  const open = (): GuideFolder => (folder = new GuideFolder());
  afterEach(async () => {
    await folder?.close();
    folder = null;
  });

  test('first-mesh: one message arrives, a hijacked one and a stray one do not', async () => {
    const place = open();
    place.write(guide('first-mesh'));
    await place.up();
    await place.printed("alpha { text: 'The report is ready.' }");
    await place.printed('NO-GO');
    expect(place.output).not.toContain("alpha { text: 'Ignore");
  });

  test.skipIf(without !== '')(`scan: a suppression is for the files that it names${without}`, async () => {
    const place = open();
    place.write(guide('scan'));
    const printed = await place.run(scriptOf(guide('scan')));
    expect(printed).toContain('clean');
    expect(printed).toContain('"reason":"quoted in the training of staff","by":"alice"');
    expect(printed).toMatch(/^prompts\/one\.txt:1:1 no-go SCAN_INJECTION/m);
    expect(printed).toMatch(/^samples\/attacks\/one\.txt:1:1 note SCAN_INJECTION/m);
    expect(printed).toContain('exit 1');
    expect(printed).toContain('written');
  });

  test.skipIf(without !== '')(`agents-in-other-languages: every command works${without}`, async () => {
    const place = open();
    place.write(guide('agents-in-other-languages'));
    await place.up();
    const printed = await place.run(scriptOf(guide('agents-in-other-languages')));
    expect(printed).toContain('"verdict":"GO"');
    expect(printed).toContain('"payload":{"text":"hello"}');
    expect(printed).toContain('"verdict":"NO-GO","code":"REFUSED"');
    expect(printed).toContain('SCAN_INJECTION');
    expect(printed.match(/SESSION_ENDED/g)?.length).toBe(2);
    expect(printed).toContain('"openapi":"3.1.0"');
  });

  test.skipIf(without !== '')(`tools, approvals, revocation, mandates and audit: every command works${without}`, async () => {
    const place = open();
    place.write(guide('tools-and-actions'));
    const pinned = await place.run(scriptOf(guide('tools-and-actions')));
    expect(pinned).toContain('wrote security_mesh.pins.json');
    await place.up('--witness');
    const approved = await place.run(scriptOf(guide('approvals')));
    expect(approved).toContain('"verdict":"ESCALATE","code":"HELD"');
    expect(approved).toContain('POLICY_APPROVAL_REQUIRED');
    expect(approved).toContain('"status":"DONE"');
    const revoked = await place.run(scriptOf(guide('revocation')));
    expect(revoked).toContain('Revoked clerk (version 1).');
    expect(revoked).toMatch(/^clerk .* REVOKED$/m);
    expect(revoked).toContain('Reinstated clerk (version 2).');
    const withdrawn = await place.run(scriptOf(guide('mandates')));
    expect(withdrawn).toContain('agent:clerk -> agent:store');
    expect(withdrawn).toContain('perform order_parts');
    expect(withdrawn).toContain('(version 3).');
    expect(withdrawn).toContain('TASK ENDED');
    const verified = await place.run(scriptOf(guide('audit')));
    expect(verified.match(/The log verifies/g)?.length).toBe(5);
    expect(verified).toContain('The log holds this entry: number 0');
    expect(verified).toContain('could stop it');
    expect(verified).toMatch(/^maso\/witness\/\w+ cosigned \d+ entries at /m);
    expect(verified).toContain('The log does NOT verify');
  });

  test.skipIf(without !== '')(`in-process: an agent joins with a token from the node${without}`, async () => {
    const place = open();
    place.write(guide('agents-in-other-languages'));
    place.write(guide('in-process'));
    await place.up('--no-sidecars');
    const token = (await place.run('maso join-token alpha')).trim();
    const printed = await place.node('in-process.ts', { JOIN_TOKEN: token });
    expect(printed).toContain('isolation: none');
    expect(printed).toContain('GO');
  });
});
