// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { maso, until } from '../mesh-harness/running-mesh.ts';
import { hasTerminal, inTerminal } from '../mesh-harness/terminal.ts';
import { accessibilityTests } from './accessibility.ts';
import { hasChromium, launch, Person } from './browser.ts';
import { ConsoleMesh, hostileFormula, hostileValue } from './console-mesh.ts';

const views = [
  '/', '/anomaly', '/anomaly/payments', '/intent', '/stops', '/approvals', '/mesh', '/trace', '/agents', '/agents/payments', '/contagion',
  '/controls', '/recorder', '/costs', '/log', '/workflows', '/find?search=planner',
];
const refund = (invoice: string): JsonObject =>
  ({ invoice, payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: `${invoice}-key` });

describe.skipIf(!hasChromium)('the console in a browser (needs chromium)', () => {
  let browser: Browser;
  let mesh: ConsoleMesh;
  let alice: Person;
  let bob: Person;
  let carol: Person;
  /** Message of the request that was approved first. */
  let approved = '';

  beforeAll(async () => {
    [browser, mesh] = await Promise.all([launch(), ConsoleMesh.start()]);
    alice = await mesh.signIn(browser, 'alice');
    bob = await mesh.signIn(browser, 'bob');
    carol = await mesh.signIn(browser, 'carol');
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });

  async function open(person: Person, id: string): Promise<void> {
    await person.page.goto(`${mesh.url}/approvals/${id}`);
    await person.page.getByRole('heading', { name: 'Held action' }).waitFor();
    await person.page.locator('.card').waitFor();
  }

  async function decide(person: Person, button: string, reason = 'looked at the invoice'): Promise<void> {
    await person.page.getByLabel(/What did you check/).fill(reason);
    const compared = person.page.getByLabel(/I compared the values/);
    if (await compared.count() > 0) await compared.check();
    await person.page.getByRole('button', { name: button, exact: true }).click();
  }

  const said = (person: Person, text: RegExp) => person.page.getByText(text).first().waitFor();

  it('is for nobody without a passkey, and for no other page', async () => {
    for (const path of ['/api/views/overview', '/api/approvals', '/api/stream', '/api/log/lines?from=0&to=1', '/api/entries']) {
      expect((await fetch(mesh.url + path)).status).toBe(401);
    }
    const headers = { 'content-type': 'application/json', 'x-maso': 'console', origin: mesh.url };
    const post = (path: string, change: object) =>
      fetch(mesh.url + path, { method: 'POST', body: '{"signed":"passkey.x"}', headers: { ...headers, ...change } });
    expect((await post('/api/decisions', {})).status).toBe(401);
    for (const change of [{ origin: 'http://evil.example' }, { 'x-maso': '' }, { 'content-type': 'text/plain' }]) {
      expect(await (await post('/api/session/end', change)).json()).toEqual({ code: 'CONSOLE_ORIGIN_REFUSED' });
    }
    const linked = await fetch(`${mesh.url}/api/session/link`, {
      method: 'POST', headers, body: JSON.stringify({ token: 'guessed-and-wrong-0123456789' }),
    });
    expect(await linked.json()).toEqual({ code: 'CONSOLE_LINK_REFUSED' });
  });

  it('signs in again with the passkey that was registered, after signing out', async () => {
    await alice.page.goto(mesh.url);
    await alice.page.getByRole('button', { name: 'Sign out' }).click();
    await alice.page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await alice.page.getByRole('heading', { name: 'Now' }).waitFor();
    await until('the session on record', async () =>
      (await mesh.folder.entries()).some(({ kind, actor }) => kind === 'session.opened' && actor === 'operator:alice'));
  });

  it('takes an approval from the card to the executed action', async () => {
    const held = await mesh.hold('refund', refund('good-0001'));
    await alice.page.goto(`${mesh.url}/approvals`);
    await alice.page.getByRole('link', { name: /refund/ }).first().click();
    await said(alice, /ACME-SUPPLIES/);
    await said(alice, /policy-compliance/);
    await decide(alice, 'Approve');
    await said(alice, /Approved and signed/);
    expect(await held.end).toMatchObject({ status: 'DONE' });
    const decided = (await mesh.folder.entries()).find(({ kind, detail }) =>
      kind === 'approval.decided' && detail['approval'] === held.id);
    expect(decided?.detail).toMatchObject({ operator: 'alice', decision: 'approve' });
    expect(String(decided?.detail['signed'])).toMatch(/^passkey\./);
    approved = held.message;
  });

  it('denies', async () => {
    const held = await mesh.hold('refund', refund('bad-0001'));
    await open(alice, held.id);
    await decide(alice, 'Deny', 'nobody ordered this');
    await said(alice, /Denied and signed/);
    expect(await held.end).toMatchObject({ status: 'REFUSED' });
  });

  it('plants a probe that looks like what waits, and that nobody can make execute anything', async () => {
    const { out } = await maso(['approvals', 'probe', '--state', mesh.folder.state]);
    expect(out).toMatch(/A probe waits/);
    const again = await maso(['approvals', 'probe', '--state', mesh.folder.state, '--json']);
    expect([again.status, JSON.parse(again.out)]).toEqual([1, { code: 'OVERSIGHT_PROBE_NONE' }]);
    const seen = (await mesh.folder.entries()).length;
    const [probe, ...more] = (await mesh.approvals()).filter(({ state }) => state === 'pending');
    expect([more, JSON.stringify(probe)]).toEqual([[], expect.not.stringMatching(/probe/i)]);
    const hold = probe?.['hold'] as JsonObject;
    await open(alice, String(probe?.['id']));
    // Its card has a past, as every other one has.
    await said(alice, /policy-compliance/);
    await alice.page.goto(`${mesh.url}/trace/${String(hold['message'])}`);
    await said(alice, /Step by step/);
    expect(await alice.page.content()).not.toMatch(/probe/i);
    await open(alice, String(probe?.['id']));
    await decide(alice, 'Approve');
    await said(alice, /This was a probe/);
    // No tool, no executor, no requester heard of it: the decision is all that came on record.
    const after = (await mesh.folder.entries()).slice(seen);
    expect(after.filter(({ kind }) => /^(tool|request|message)\./.test(kind))).toEqual([]);
    expect(after.filter(({ message }) => message === hold['message']).map(({ kind }) => kind)).toEqual(['approval.decided']);
    const decided = find(after, 'approval.decided', null);
    expect(decided?.detail).toMatchObject({ operator: 'alice', decision: 'approve', state: 'approved', probe: true, caught: false });
    expect((await mesh.approvals()).filter(({ state }) => state === 'pending')).toEqual([]);
  });

  it.skipIf(!hasTerminal)('shows in a terminal of 80 columns, without colour, what waits for whom', async () => {
    const held = await mesh.hold('refund', refund('terminal-1'));
    const state = ['--state', mesh.folder.state];
    const [status, top] = [await inTerminal(['status', ...state]), await inTerminal(['top', '--count', '2', '--every', '0.2', ...state])];
    // Something waits for a person, and `status` says so to scripts as well.
    expect([status.status, top.status]).toEqual([1, 0]);
    const screens = top.drawn.split('\u001b[2J\u001b[H');
    expect(screens).toHaveLength(3);
    for (const drawn of [status.drawn, ...screens]) {
      expect(drawn).not.toContain('\u001b');
      expect(drawn.split(/\r?\n/).filter((line) => line.length > 80)).toEqual([]);
    }
    expect(screens[2]?.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
    for (const drawn of [status.drawn, screens[2] ?? '']) {
      expect(drawn).toMatch(/agents +4 of 5 connected\r?\n {2}away +mallory/);
      expect(drawn).toMatch(new RegExp(`waiting +1 held action\\r?\\n {2}${held.id.slice(0, 12)} HIGH refund for planner, until`));
      expect(drawn).toMatch(/record +available, \d+ entries/);
    }
    expect(screens[2]).toMatch(/GO \d+\.\d\/s {3}ESCALATE \d+\.\d\/s {3}NO-GO \d+\.\d\/s/);
    expect(screens[2]).toMatch(/approval\.held +ESCALATE +node/);
    const { out } = await maso(['status', ...state, '--json']);
    expect(JSON.parse(out)).toMatchObject({ waitingInAll: 1, waiting: [{ id: held.id }] });
    await open(alice, held.id);
    await decide(alice, 'Deny');
    expect(await held.end).toMatchObject({ status: 'REFUSED' });
  });

  it('decides nothing while the authenticator does not confirm who is there', async () => {
    const held = await mesh.hold('refund', refund('unverified-1'));
    await open(bob, held.id);
    await bob.confirms(false);
    await decide(bob, 'Approve');
    await said(bob, /passkey was not used|did not come about/);
    await bob.confirms(true);
    expect((await mesh.approvals()).find(({ id }) => id === held.id)?.['state']).toBe('pending');
    await decide(bob, 'Deny');
    await held.end;
  });

  it('puts a modified request before another person, judged from the start', async () => {
    const held = await mesh.hold('refund', refund('much-0001'));
    await open(alice, held.id);
    await alice.page.getByLabel(/What did you check/).fill('half of it was delivered');
    await alice.page.getByRole('button', { name: 'Modify …' }).click();
    await alice.page.getByLabel('amount', { exact: true }).fill('5');
    await alice.page.getByRole('button', { name: 'Modify and hand on' }).click();
    await said(alice, /judged from the start/);
    const next = await until('the changed request', async () => (await mesh.approvals()).find(({ state, hold }) =>
      state === 'pending' && (hold as JsonObject)['message'] === held.message));
    await open(alice, String(next['id']));
    await said(alice, /Nobody approves what they set off or changed/);
    expect(await alice.page.getByRole('button', { name: 'Approve', exact: true }).isDisabled()).toBe(true);
    await open(bob, String(next['id']));
    await said(bob, /Changed by alice/);
    await decide(bob, 'Approve');
    const end = await held.end;
    expect(end).toMatchObject({ status: 'DONE', result: { amount: 5 } });
    const reviews = (await mesh.folder.entries()).filter(({ kind, message }) =>
      kind === 'request.reviewed' && message === held.message);
    expect(reviews.map(({ outcome }) => outcome)).toEqual(['ESCALATE', 'ESCALATE', 'GO']);
  });

  it('asks two people for a CRITICAL action, and refuses one of them twice', async () => {
    const held = await mesh.hold('close_account', { name: 'a' });
    await open(alice, held.id);
    await decide(alice, 'Approve');
    await said(alice, /Another person has to approve it too/);
    await open(alice, held.id);
    await said(alice, /OVERSIGHT_APPROVAL_SAME_PERSON/);
    expect(await alice.page.getByRole('button', { name: 'Approve', exact: true }).isDisabled()).toBe(true);
    await open(bob, held.id);
    await said(bob, /alice did/);
    await decide(bob, 'Approve');
    await said(bob, /The executor acts on it now/);
    await until('the call', async () => (await mesh.folder.entries()).some(({ kind, message }) =>
      kind === 'tool.outcome' && message === held.message));
  });

  it('lets what nobody decides expire, and says so', async () => {
    const held = await mesh.hold('count', { name: 'a' });
    await open(alice, held.id);
    expect(await held.end).toMatchObject({ status: 'REFUSED' });
    await said(alice, /This action is expired/);
    expect(find(await mesh.folder.entries(), 'approval.expired', 'OVERSIGHT_APPROVAL_EXPIRED')).toBeDefined();
  });

  it('lets an auditor look and not act, on the page and behind it', async () => {
    const held = await mesh.hold('refund', refund('audit-0001'));
    for (const view of views) {
      await carol.page.goto(mesh.url + view);
      await carol.page.locator('#page-title').waitFor();
    }
    await open(carol, held.id);
    await said(carol, /your role \(auditor\) does not decide/);
    await said(carol, /does not open the values/);
    expect(await carol.page.content()).not.toContain('audit-0001');
    const answers = await carol.page.evaluate(async () => {
      const statement = btoa(JSON.stringify({ operator: 'carol' })).replaceAll('=', '');
      const options = {
        method: 'POST', body: JSON.stringify({ signed: `passkey.${statement}.a.b.c.d.e.f` }),
        headers: { 'content-type': 'application/json', 'x-maso': 'console' },
      };
      const paths = ['/api/decisions', '/api/revocations', '/api/settlements', '/api/pace', '/api/releases', '/api/denials'];
      const answers = await Promise.all(paths.map(async (path) => (await fetch(path, options)).json()));
      return answers;
    });
    expect(answers).toEqual(Array(6).fill({ code: 'CONSOLE_RIGHT_MISSING' }));
    await open(alice, held.id);
    await decide(alice, 'Deny');
    await held.end;
  });

  it('opens a trace from a link, whole and for a newcomer', async () => {
    await bob.page.goto(`${mesh.url}/trace/${approved}`);
    await said(bob, /Step by step/);
    await bob.page.getByRole('heading', { name: /^DONE/ }).waitFor();
    await said(bob, /policy-compliance/);
    await said(bob, /planner/);
  });

  it('says of payloads behind a trace who may open them, and shows what was opened in this browser alone', async () => {
    await carol.page.goto(`${mesh.url}/trace/${approved}`);
    await said(carol, /sealed for dave, erin/);
    await said(carol, /Your role does not open payloads/);
    expect(await carol.page.locator('input[type=file]').count()).toBe(0);
    await bob.page.goto(`${mesh.url}/trace/${approved}`);
    await said(bob, /maso recorder open \d+ --as bob/);
    const sent: string[] = [];
    bob.page.on('request', (request) => void (request.method() === 'POST' && sent.push(request.url())));
    const line = (message: string, payload: string): string => JSON.stringify({
      message, from: 'planner', to: 'payments', schema: 'action-request/1', state: 'opened', payload: { payload },
    });
    const opened = [line(approved, hostileValue), line('01K74F0Z00ABCDEFGHJKMNPQRS', 'of another task')].join('\n');
    const file = (buffer: Buffer) => ({ name: 'opening-1.payloads.jsonl', mimeType: 'text/plain', buffer });
    await bob.page.locator('input[type=file]').setInputFiles(file(Buffer.from(opened)));
    await bob.page.getByText(/Written by planner: read with care/).click();
    await said(bob, /onerror=alert\(1\)/);
    expect(await bob.page.locator('main img').count()).toBe(0);
    expect(await bob.page.getByText(/of another task/).count()).toBe(0);
    await bob.page.locator('input[type=file]').setInputFiles(file(Buffer.from('no json')));
    await said(bob, /This is no file that maso recorder open wrote/);
    expect(sent).toEqual([]);
    const answer = await bob.page.evaluate(async () => (await fetch('/api/views/payloads/nothing')).json());
    expect(answer).toMatchObject({ mayOpen: true, messages: [], custodians: { names: ['dave', 'erin'], threshold: 2 } });
  });

  it('shows what an agent wrote letter by letter, and runs none of it', async () => {
    let alerted = false;
    for (const { page } of [alice, bob]) page.on('dialog', (dialog) => {
      alerted = true;
      void dialog.dismiss();
    });
    for (const value of [hostileValue, hostileFormula]) {
      const held = await mesh.hold('label', { name: value });
      await alice.page.goto(`${mesh.url}/approvals?search=label`);
      await alice.page.getByRole('link', { name: /label/ }).first().waitFor();
      await open(alice, held.id);
      const shown = alice.page.locator('.facts code').first();
      expect(await shown.textContent()).toBe(value);
      expect(await alice.page.locator('.card img, .card script, .card a[href^="javascript"]').count()).toBe(0);
      await alice.page.getByLabel(/What did you check/).fill(value);
      await alice.page.getByRole('button', { name: 'Deny', exact: true }).click();
      await said(alice, /Denied and signed/);
      await held.end;
      await bob.page.goto(`${mesh.url}/trace/${held.message}`);
      await said(bob, /Step by step/);
      expect(await bob.page.locator('main img').count()).toBe(0);
    }
    expect(alerted).toBe(false);
  });

  it('shows what agents made up in any other field as text, and links that somebody sent', async () => {
    const { page } = bob;
    const before = bob.complaints.length;
    const texts = [hostileValue, hostileFormula, '<script>alert(1)</script>', '[x](javascript:alert(1))'];
    for (const text of texts) {
      const fields = { to: text, action: text, schema: text, task: text, idempotencyKey: text, parameters: { [text]: text } };
      await mesh.planner.post('/v1/requests', { ...fields, waitMs: 1 });
      await mesh.planner.post('/v1/messages', { to: 'reader', schema: 'note/1', payload: { text }, epistemic: { confidence: 0.5, assumptions: [text], unknowns: [text] }, task: mesh.planner.task });
      await mesh.planner.post('/v1/messages', { ...fields, payload: { text } });
    }
    const sent = encodeURIComponent(hostileValue);
    const places = [
      '/', '/log', '/log?outcome=NO-GO', '/trace', `/trace/${mesh.planner.task}`, '/contagion', '/anomaly', '/intent', '/mesh', '/costs',
      `/log?actor=${sent}`, `/trace/${sent}`, `/mesh?zone=${sent}&type=${sent}&search=${sent}`, `/agents/${sent}`, `/approvals?search=${sent}`,
      `/approvals/${sent}`, `/anomaly/${sent}`, `/costs/${sent}`, `/stops?search=${sent}`, `/find?search=${sent}`, `/workflows/${sent}`, `/contagion/${sent}`, `/${sent}`,
    ];
    for (const place of places) {
      await page.goto(mesh.url + place);
      await page.locator('h1').waitFor();
      await page.locator('.spinner').first().waitFor({ state: 'detached' });
      expect([place, await page.locator('main img, main script, main iframe, a[href^="javascript"]').count()]).toEqual([place, 0]);
    }
    expect(bob.complaints.slice(before).filter((text) => !/status of 40[0-9]/.test(text))).toEqual([]);
  });

  it('stops an agent and lets it join again, by a signed statement', async () => {
    await alice.page.goto(`${mesh.url}/stops`);
    await alice.page.getByRole('button', { name: 'Revoke reader' }).click();
    await alice.page.getByLabel(/Why\?/).fill('drill');
    await alice.page.getByRole('button', { name: 'Revoke it now' }).click();
    await alice.page.locator('li.bad', { hasText: 'reader' }).waitFor();
    expect(find(await mesh.folder.entries(), 'identity.revoked', null)).toBeDefined();
    await alice.page.goto(`${mesh.url}/agents/reader`);
    await alice.page.getByRole('button', { name: 'Let reader join again' }).click();
    await alice.page.getByLabel(/Why\?/).fill('drill is over');
    await alice.page.getByRole('button', { name: 'Let it join', exact: true }).click();
    await alice.page.getByRole('button', { name: 'Revoke reader' }).waitFor();
  });

  it('halts an agent by a signed order, shows it, and resumes', async () => {
    await alice.page.goto(`${mesh.url}/stops`);
    await alice.page.getByRole('button', { name: 'Halt reader' }).click();
    await alice.page.getByLabel(/Why\?/).fill('drill');
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Halt reader' }).click();
    await alice.page.getByRole('button', { name: 'Resume' }).first().waitFor();
    expect((await mesh.folder.entries()).some(({ kind }) => kind === 'pace.stop')).toBe(true);
    await alice.page.getByRole('button', { name: 'Resume' }).first().click();
    await alice.page.getByLabel(/Why\?/).fill('drill is over');
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await said(alice, /Everything is as usual/);
  });

  it('kills an agent with a button: its line is cut, and it comes back with evidence only', async () => {
    const { page } = alice;
    await until('the agent to be there', async () => !(await isAway('reader')));
    await page.goto(`${mesh.url}/stops`);
    await page.getByRole('button', { name: 'Kill reader' }).click();
    await page.getByLabel(/Why\?/).fill('asks for odd things');
    await page.getByRole('dialog').getByRole('button', { name: 'Kill reader' }).click();
    await page.locator('li.bad', { hasText: 'reader' }).getByText(/EMERGENCY/).waitFor();
    await said(alice, /kill of agent:reader: [01] of 1 connected sidecars confirmed/);
    const killed = await until('the kill on record', async () => (await mesh.folder.entries()).find(({ kind, detail }) =>
      kind === 'pace.changed' && detail['unit'] === 'agent:reader' && detail['toPhase'] === 'EMERGENCY'));
    expect(String(killed.detail['signed'])).toMatch(/^passkey\./);
    await until('the agent to be cut off', () => isAway('reader'));
    await page.getByRole('button', { name: 'Lead agent:reader back …' }).click();
    const dialog = page.getByRole('dialog');
    const verb = dialog.getByRole('button', { name: 'Lead it back to PRIMARY' });
    await dialog.getByLabel(/Why\?/).fill('looked into');
    expect(await verb.isDisabled()).toBe(true);
    await dialog.getByLabel(/Root cause/).fill('a poisoned note');
    await dialog.getByLabel(/Remediation/).fill('the note was removed');
    await dialog.getByLabel(/Baselines/).fill('taken anew today');
    await verb.click();
    await said(alice, /Everything is as usual/);
    const back = await until('the evidence on record', async () => (await mesh.folder.entries()).find(({ kind, code }) =>
      kind === 'pace.changed' && code === 'PACE_RECOVERED'));
    expect(back.detail['evidence']).toEqual({
      rootCause: 'a poisoned note', remediation: 'the note was removed', baselines: 'taken anew today',
    });
    await until('the agent to be back', async () => !(await isAway('reader')));
  });

  async function isAway(agent: string): Promise<boolean> {
    const { body } = await mesh.folder.control('GET', '/v1/agents');
    return (body['agents'] as readonly JsonObject[]).find(({ name }) => name === agent)?.['connectedSince'] === null;
  }

  it('answers requests that are equal with one decision, each signed by itself', async () => {
    const first = await mesh.hold('label', { name: 'same' });
    const second = await mesh.hold('label', { name: 'same' });
    const other = await mesh.hold('label', { name: 'another' });
    await bob.page.goto(`${mesh.url}/approvals`);
    await bob.page.getByText('2 equal').nth(1).waitFor();
    await open(bob, other.id);
    expect(await bob.page.getByText(/equal to this one/).count()).toBe(0);
    await decide(bob, 'Deny');
    await said(bob, /Denied and signed/);
    await open(bob, first.id);
    await bob.page.getByLabel(/Decide all of them/).check();
    await decide(bob, 'Approve');
    await said(bob, /this one and 1 equal to it/);
    expect([(await first.end)['status'], (await second.end)['status'], (await other.end)['status']]).toEqual(['DONE', 'DONE', 'REFUSED']);
    const signed = (await mesh.folder.entries()).filter(({ kind, detail }) =>
      kind === 'approval.decided' && [first.id, second.id].includes(String(detail['approval'])));
    expect(new Set(signed.map(({ detail }) => detail['signed'])).size).toBe(2);
  });

  it('puts a change of a workflow in force by a signature in the browser, and denies another', async () => {
    const change = (open: readonly JsonObject[], close: readonly JsonObject[]) => mesh.planner.post('/v1/workflows/changes', {
      workflow: 'notes', task: mesh.planner.task, key: `key-${open.length}`, open, close,
    });
    const say = () => mesh.planner.post('/v1/messages', { to: 'desk', type: 'data', schema: 'note/1', payload: { text: 'a' }, task: mesh.planner.task });
    const edge = { from: 'planner', to: 'desk' };
    const [held, before] = [await change([edge], []), await say()];
    expect([held.status, before.status]).toEqual([202, 403]);
    const id = String(held.body['change']);
    await carol.page.goto(`${mesh.url}/workflows/${id}`);
    await said(carol, /does not change the policy/);
    await bob.page.goto(`${mesh.url}/approvals?search=planner+desk`);
    await bob.page.getByRole('link', { name: /notes.*planner opens planner → desk/ }).click();
    await said(bob, /added edge planner -> desk in work/);
    await bob.page.getByLabel(/What did you check/).fill('the desk wants to hear');
    await bob.page.getByRole('button', { name: 'Sign version 2' }).click();
    await said(bob, /In force with version 2/);
    const signed = find(await mesh.folder.entries(), 'policy.signed', null);
    expect([signed?.actor, String(signed?.detail['signed']).slice(0, 8)]).toEqual(['operator:bob', 'passkey.']);
    await until('the edge is open', async () => (await say()).status === 202);

    const second = String((await change([], [edge])).body['change']);
    await alice.page.goto(`${mesh.url}/workflows/${second}`);
    await alice.page.getByLabel(/What did you check/).fill('not today');
    await alice.page.getByRole('button', { name: 'Deny' }).click();
    await said(alice, /CONTROL_WORKFLOW_NOT_APPROVED/);
    expect((await say()).status).toBe(202);
    await alice.page.goto(`${mesh.url}/find?search=notes`);
    await said(alice, /effective: planner opens planner → desk/);
  });

  it('verifies the record in the browser, and finds nothing under a key that is not the log\'s', async () => {
    await bob.page.goto(`${mesh.url}/recorder`);
    await bob.page.getByRole('button', { name: 'Verify every entry' }).click();
    await said(bob, /The record holds/);
    const key = bob.page.getByLabel('Verifier key of the log');
    await key.fill(`${(await key.inputValue()).slice(0, -4)}AAAA`);
    await bob.page.getByRole('button', { name: 'Verify every entry' }).click();
    await said(bob, /Not verified/);
  });

  describe('in every view, for everybody', () => accessibilityTests(() => ({ mesh, alice })));

  it('says that the stream broke, and goes on where it was', async () => {
    const waits = await mesh.hold('close_account', { name: 'a' });
    await bob.comeBack(mesh.url);
    await bob.context.setOffline(true);
    await mesh.mesh.kill();
    await bob.page.locator('.stream.lost').waitFor({ timeout: 20_000 });
    await said(bob, /reconnecting/);
    await bob.context.setOffline(false);
    await mesh.restart();
    // A restart signs everybody out: nobody's session outlives the node. The page finds out by itself.
    await bob.page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor({ timeout: 60_000 });
    await bob.comeBack(mesh.url);
    // What waited when the node was killed waits still.
    await bob.page.goto(`${mesh.url}/approvals/${waits.id}`);
    await said(bob, /2 different people have to approve/);
    await bob.page.goto(mesh.url);
    const held = await mesh.hold('refund', refund('after-0001'));
    await bob.page.locator(`main a[href="/trace/${held.message}"]`).first().waitFor();
    await open(bob, held.id);
    await decide(bob, 'Deny');
    await held.end;
  });

  it('takes a kill of the mesh back when a second person declines it, and not when the first one does', async () => {
    const { page } = alice;
    // The restart before signed everybody out.
    for (const person of [bob, alice]) await person.comeBack(`${mesh.url}/stops`);
    await page.getByRole('button', { name: 'Kill the mesh' }).click();
    await page.getByLabel(/Why\?/).fill('drill');
    await page.getByRole('dialog').getByRole('button', { name: 'Kill the mesh' }).click();
    await said(alice, /kill, suspended/);
    expect((await maso(['status', '--state', mesh.folder.state])).out).toMatch(/pace +1 not as usual\n.*kill of the mesh, suspended, by operator:alice/);
    await page.getByRole('button', { name: 'Decline it' }).click();
    await page.getByLabel(/Why\?/).fill('alone');
    await page.getByRole('dialog').getByRole('button', { name: 'Decline it' }).click();
    await said(alice, /PACE_SECOND_PERSON/);
    await said(bob, /may do nothing/);
    await bob.page.getByRole('button', { name: 'Decline it' }).click();
    await bob.page.getByLabel(/Why\?/).fill('it was a drill');
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Decline it' }).click();
    await said(bob, /Everything is as usual/);
    // What stood still works again: agents in fresh processes, and people.
    await mesh.rejoin();
    const held = await mesh.hold('refund', refund('back-0001'));
    await open(bob, held.id);
    await decide(bob, 'Approve');
    expect(await held.end).toMatchObject({ status: 'DONE' });
  });

  it('shows what an emergency leaves to people, and who watches over the phases', async () => {
    const { page } = alice;
    await page.goto(`${mesh.url}/stops`);
    await said(alice, /Nobody outside the node watches over these phases/);
    await page.getByRole('button', { name: 'Kill planner' }).click();
    await page.getByLabel(/Why\?/).fill('asks for odd things');
    await page.getByRole('dialog').getByRole('button', { name: 'Kill planner' }).click();
    await page.getByRole('heading', { name: 'What is undone' }).waitFor();
    await said(alice, /left to people refund by payments for planner, done .* Nothing is declared that undoes it/);
    const rolled = JSON.parse((await maso(['pace', 'rollback', '--state', mesh.folder.state, '--json'])).out) as JsonObject;
    expect(rolled['rollback']).toEqual(expect.arrayContaining([expect.objectContaining({ action: 'refund', state: 'people' })]));
  });

  it('complained of nothing, and asked nobody else', () => {
    const known = /status of (401|403|404|409)|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/;
    for (const person of [alice, bob, carol]) {
      expect(person.complaints.filter((text) => !known.test(text))).toEqual([]);
      expect(person.strays).toEqual([]);
    }
  });

  it('has pages without inline script or style, under a policy that allows none', async () => {
    const page = await fetch(mesh.url);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*/);
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son[a-z]+=|style=/);
    expect(readFileSync(join(import.meta.dirname, '../../console/dist/index.html'), 'utf8')).toBe(html);
  });
});
