// SPDX-License-Identifier: Apache-2.0
// Kept payloads through a live mesh and the command line: who can open them, and who cannot.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { combine } from 'shamir-secret-sharing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createCustodianKey, generateCustodianKey, openFrom,
} from '../../src/adapters/custodian-shares.ts';
import type { CustodianKey } from '../../src/adapters/custodian-shares.ts';
import { buildProgram } from '../../src/cli/program.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { parseOpeningRequest, releaseShare } from '../../src/process/payload-opening.ts';
import type { OpeningRequest } from '../../src/process/payload-opening.ts';
import { shareBinding } from '../../src/recorder/payload-epoch.ts';
import { keyCommitment } from '../../src/recorder/payload-seal.ts';
import { parseVerifierKey } from '../../src/verifier/checkpoint.ts';
import { agentRequests } from '../../src/sidecar/agent-requests.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { MeshFolder } from '../mesh-harness/running-mesh.ts';

const names = ['carol', 'dave', 'erin'];
const planted = 'the account is DE89370400440532013000';

describe('kept payloads', () => {
  let folder: MeshFolder;
  let mesh: MeshInProcess;
  let tasks: string[] = [];
  const keys = new Map<string, CustodianKey>();

  beforeAll(async () => {
    const people = makePeople();
    const files = attackMesh(people);
    folder = await MeshFolder.create({});
    for (const name of names) {
      keys.set(name, await createCustodianKey(join(folder.directory, `${name}.jwk`)));
    }
    const custodians = names.map((name) => ({ name, key: keys.get(name)?.publicKey }));
    const text = (files['security_mesh.yaml'] ?? '')
      .replace('development: false', 'development: true');
    const recorder = `  recorder: { forensic: { custodians: ${JSON.stringify(custodians)}, threshold: 2 } }\n`;
    for (const [name, content] of Object.entries({ ...files, 'security_mesh.yaml': `${text}${recorder}` })) {
      mkdirSync(join(folder.directory, name, '..'), { recursive: true });
      writeFileSync(join(folder.directory, name), content);
    }
    writeFileSync(join(folder.directory, 'alice.jwk'), JSON.stringify(
      people.alice.privateKey.export({ format: 'jwk' })), { mode: 0o600 });
    mesh = await MeshInProcess.start(folder, ['desk', 'planner', 'reader']);
    await mesh.fresh('desk');
    await mesh.fresh('planner');
    await mesh.fresh('reader');
    tasks = [];
    for (const prompt of [planted, 'nothing much', 'also nothing']) {
      const { body } = await mesh.startTask('desk', 'planner', { text: prompt });
      tasks.push(String(body['task']));
    }
    const asked = agentRequests.callTool.parse({ tool: 'notes', operation: 'read' });
    expect((await mesh.api('reader').callTool(asked, mesh.memory('reader'))).status).toBe(200);
  }, 60_000);
  afterAll(async () => {
    await mesh?.close();
    await folder?.remove();
  });

  async function run(...args: readonly string[]) {
    const out: string[] = [];
    const err: string[] = [];
    let exit = -1;
    const io = {
      out: (line: string) => out.push(line), err: (line: string) => err.push(line), directory: folder.directory,
    };
    await (await buildProgram(io, (code) => (exit = code))).parseAsync(['node', 'maso', ...args]);
    return { out: out.join('\n'), err: err.join('\n'), exit };
  }
  const signed = (...args: readonly string[]) => run(
    ...args, '--state', folder.state, '--as', 'alice', '--key', join(folder.directory, 'alice.jwk'),
    '--reason', 'incident 17', '--json',
  );
  const vkey = () => join(folder.state, 'checkpoints/recorder.vkey');
  const release = (request: string, name: string) => run(
    'custodian', 'release', request, '--key', `${name}.jwk`, '--log-key', vkey(),
  );
  const store = () => join(folder.state, 'payload-keys/keys.sqlite');
  const requestOf = (name: string): OpeningRequest =>
    parseOpeningRequest(readFileSync(join(folder.directory, `${name}.json`), 'utf8'));
  const trusted = () => {
    const log = parseVerifierKey(readFileSync(vkey(), 'utf8'));
    if (log === null) throw new Error('The log has no key.');
    return { log, witnesses: [], quorum: 0 };
  };
  const keyOf = (name: string): CustodianKey => keys.get(name) ?? generateCustodianKey();
  const payloadsIn = (name: string): readonly JsonObject[] =>
    readFileSync(join(folder.directory, `${name}.payloads.jsonl`), 'utf8')
      .split('\n').slice(0, -1).map((line) => JSON.parse(line) as JsonObject);

  it('stand nowhere in clear in the log, and the log verifies', async () => {
    const entries = await folder.entries();
    const intent = entries.find(({ kind, actor }) => kind === 'tool.intent' && actor === 'agent:reader');
    expect(intent?.verdicts.map(({ control }) => control)).toContain('policy-compliance');
    const kept = entries.filter(({ kind }) => kind === 'payload.kept');
    expect(kept.map(({ task }) => task)).toEqual(expect.arrayContaining(tasks));
    for (const file of filesUnder(join(folder.state, 'log'))) {
      expect(readFileSync(file, 'latin1'), file).not.toContain('DE8937');
    }
    for (const file of filesUnder(join(folder.state, 'payload-keys'))) {
      expect(readFileSync(file, 'latin1'), file).not.toContain('DE8937');
    }
    expect((await run('recorder', 'verify', '--state', folder.state)).exit).toBe(0);
  });

  it('stay shut for whoever has the whole disk and one share too few', async () => {
    await signed('recorder', 'open', '1', '--out', 'lone');
    const { record } = requestOf('lone');
    const carol = record.shares.find(({ name }) => name === 'carol');
    const share = carol === undefined ? null
      : await openFrom(carol, keyOf('carol').privateKey, shareBinding(record, 'carol'));
    expect(share).not.toBeNull();
    // One share and any other: the key does not come out of it.
    for (let at = 1; at < 20; at += 1) {
      const guess = new Uint8Array(share?.length ?? 0).fill(at);
      guess[guess.length - 1] = (share?.at(-1) ?? 0) === at ? at + 1 : at;
      const made = await combine([share ?? new Uint8Array(0), guess]).catch(() => new Uint8Array(0));
      expect(keyCommitment(made)).not.toBe(record.commitment);
    }
    expect((await release('lone.json', 'carol')).exit).toBe(0);
    await expect(signed('recorder', 'open', '1', '--out', 'lone', '--share', 'lone.carol.share'))
      .rejects.toMatchObject({ code: 'RECORDER_SHARES_MISSING' });
    // The same share twice is one share.
    await expect(signed('recorder', 'open', '1', '--out', 'lone',
      '--share', 'lone.carol.share', 'lone.carol.share'))
      .rejects.toMatchObject({ code: 'RECORDER_SHARES_MISSING' });
  }, 60_000);

  it('are opened by two of three, on record before anything is shown', async () => {
    expect((await signed('recorder', 'open', '1', '--out', 'two')).exit).toBe(0);
    for (const name of ['carol', 'erin']) expect((await release('two.json', name)).exit).toBe(0);
    const told = await signed('recorder', 'open', '1', '--out', 'two',
      '--share', 'two.carol.share', 'two.erin.share');
    expect(told.exit).toBe(0);
    expect(JSON.parse(told.out)).toMatchObject({ custodians: ['carol', 'erin'] });
    const opened = payloadsIn('two').filter(({ state }) => state === 'opened');
    expect(opened.map(({ task }) => task)).toEqual(expect.arrayContaining(tasks));
    expect(JSON.stringify(opened.find(({ task }) => task === tasks[0]))).toContain(planted);
    const read = opened.find(({ schema }) => schema === 'notes.read');
    expect(read).toMatchObject({ from: 'reader', to: 'reader', payload: { arguments: {} } });
    expect(JSON.stringify(read)).toContain('"title"');
    expect(statSync(join(folder.directory, 'two.payloads.jsonl')).mode & 0o077).toBe(0);
    expect((await folder.entries()).findLast(({ kind }) => kind === 'payload.opened')?.detail).toMatchObject({
      custodians: ['carol', 'erin'], operator: 'alice', reason: 'incident 17',
    });
  }, 60_000);

  it('get no share for an opening that is not proven to be on record', async () => {
    await signed('recorder', 'open', '1', '--out', 'real');
    const real = requestOf('real');
    const mine = generateCustodianKey();
    const entry = real.entry.replace(real.recipient, mine.publicKey);
    for (const forged of [
      { ...real, recipient: mine.publicKey },
      { ...real, entry, recipient: mine.publicKey },
      { ...real, proof: '' },
      { ...real, record: { ...real.record, epoch: 2 } },
      { ...real, record: { ...real.record, log: 'another' } },
    ]) {
      await expect(releaseShare(forged, keyOf('carol'), trusted()))
        .rejects.toMatchObject({ code: 'RECORDER_OPENING_REFUSED' });
    }
    const witnessed = { ...trusted(), quorum: 1 };
    await expect(releaseShare(real, keyOf('carol'), witnessed))
      .rejects.toMatchObject({ code: 'RECORDER_OPENING_REFUSED' });
    await expect(releaseShare(real, generateCustodianKey(), trusted()))
      .rejects.toMatchObject({ code: 'RECORDER_OPENING_REFUSED' });
    await expect(releaseShare(real, keyOf('carol'), trusted())).resolves.toBeDefined();
  }, 60_000);

  it('give no share of one custodian for another, nor one for another opening', async () => {
    await signed('recorder', 'open', '1', '--out', 'swap');
    const real = requestOf('swap');
    const [first, second, third] = real.record.shares;
    if (first === undefined || second === undefined || third === undefined) throw new Error('shares');
    const swapped = { ...first, enc: second.enc, sealed: second.sealed };
    const record = { ...real.record, shares: [swapped, second, third] };
    await expect(releaseShare({ ...real, record }, keyOf('carol'), trusted()))
      .rejects.toMatchObject({ code: 'RECORDER_EPOCH_FORGED' });
    // Carol's release for an earlier opening, to the same operator.
    cpSync(join(folder.directory, 'two.carol.share'), join(folder.directory, 'old.share'));
    await release('swap.json', 'erin');
    await expect(signed('recorder', 'open', '1', '--out', 'swap', '--share', 'old.share', 'swap.erin.share'))
      .rejects.toMatchObject({ code: 'RECORDER_SHARES_MISSING' });
  }, 60_000);

  it('do not open with keys that were exchanged between tasks, nor with a record of other shares', async () => {
    const backup = join(folder.directory, 'backup.sqlite');
    withStore((db) => db.exec(`VACUUM INTO '${backup}'`));
    withStore((db) => {
      const rows = db.prepare('SELECT rowid, wrapped FROM task_key WHERE task IN (?, ?)')
        .all(tasks[1] ?? '', tasks[2] ?? '');
      const [a, b] = rows;
      const put = db.prepare('UPDATE task_key SET wrapped = ? WHERE rowid = ?');
      put.run(String(b?.['wrapped']), Number(a?.['rowid']));
      put.run(String(a?.['wrapped']), Number(b?.['rowid']));
    });
    await signed('recorder', 'open', '1', '--out', 'exchanged');
    for (const name of ['dave', 'erin']) await release('exchanged.json', name);
    const open = () => signed('recorder', 'open', '1', '--out', 'exchanged',
      '--share', 'exchanged.dave.share', 'exchanged.erin.share');
    expect((await open()).exit).toBe(0);
    const states = payloadsIn('exchanged').map(({ task, state }) => [task, state]);
    expect(states).toContainEqual([tasks[0], 'opened']);
    expect(states).toContainEqual([tasks[1], 'key-missing']);
    expect(states).toContainEqual([tasks[2], 'key-missing']);
    const request = join(folder.directory, 'exchanged.json');
    const forged = readFileSync(request, 'utf8').replace('"endsAt":', '"endsAt":1');
    writeFileSync(request, forged);
    await expect(open()).rejects.toMatchObject({ code: 'RECORDER_EPOCH_FORGED' });
    restore(backup);
  }, 60_000);

  it('that were erased stay shut, also with their keys put back, and no proof breaks', async () => {
    const [task = ''] = tasks;
    const backup = join(folder.directory, 'before-erasure.sqlite');
    withStore((db) => db.exec(`VACUUM INTO '${backup}'`));
    const wrapped = withStore((db) =>
      String(db.prepare('SELECT wrapped FROM task_key WHERE task = ?').get(task)?.['wrapped']));
    expect(JSON.parse((await signed('recorder', 'erase', task)).out)).toMatchObject({ erased: 1 });
    for (const file of filesUnder(join(folder.state, 'payload-keys'))) {
      expect(readFileSync(file, 'latin1'), file).not.toContain(wrapped);
    }
    await signed('recorder', 'open', '1', '--out', 'erased');
    for (const name of names) await release('erased.json', name);
    const shares = names.map((name) => `erased.${name}.share`);
    const look = async (): Promise<unknown> => {
      rmSync(join(folder.directory, 'erased.payloads.jsonl'), { force: true });
      await signed('recorder', 'open', '1', '--out', 'erased', '--share', ...shares);
      return payloadsIn('erased').find((one) => one['task'] === task);
    };
    expect(await look()).toMatchObject({ state: 'erased', payload: null });
    restore(backup);
    expect(await look()).toMatchObject({ state: 'erased', payload: null });
    expect(payloadsIn('erased').find((one) => one['task'] === tasks[1])).toMatchObject({ state: 'opened' });
    expect((await run('recorder', 'verify', '--state', folder.state)).exit).toBe(0);
  }, 60_000);

  it('are asked for and erased by operators alone, for this log alone', async () => {
    const people = makePeople();
    writeFileSync(join(folder.directory, 'eve.jwk'), JSON.stringify(
      people.alice.privateKey.export({ format: 'jwk' })), { mode: 0o600 });
    const forged = await run('recorder', 'erase', tasks[1] ?? '', '--state', folder.state,
      '--as', 'alice', '--key', join(folder.directory, 'eve.jwk'), '--reason', 'x', '--json');
    expect(JSON.parse(forged.out)).toEqual({ code: 'IDENTITY_DECISION_SIGNATURE_INVALID' });
    expect(JSON.parse((await signed('recorder', 'open', '77')).out)).toEqual({ code: 'RECORDER_EPOCH_UNKNOWN' });
    const { body } = await folder.control('POST', '/v1/recorder/orders', { signed: 'x' });
    expect(body).toMatchObject({ code: 'IDENTITY_RECORDER_ORDER_MALFORMED' });
  });

  function withStore<Value>(look: (db: DatabaseSync) => Value): Value {
    const db = new DatabaseSync(store());
    db.exec('PRAGMA busy_timeout = 2000');
    try {
      return look(db);
    } finally {
      db.close();
    }
  }

  /** What an operator who kept a copy would do, while the node runs. */
  function restore(backup: string): void {
    withStore((db) => {
      db.exec(`ATTACH '${backup}' AS backup`);
      db.exec('DELETE FROM task_key; INSERT INTO task_key SELECT * FROM backup.task_key');
    });
  }
});

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((file) => join(directory, file))
    .filter((file) => statSync(file).isFile());
}
