// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createCustodianKey, loadCustodianKey } from '../adapters/custodian-shares.ts';
import { SqlitePayloadKeyStore } from '../adapters/payload-key-store-sqlite.ts';
import { digestOf } from '../control/recorder-orders.ts';
import { nodeDirectories } from '../process/directories.ts';
import { cosignedFile } from '../process/node-recorder.ts';
import {
  epochKeyFrom, openPayloads, parseOpeningRequest, parseRelease,
} from '../process/payload-opening.ts';
import type { OpenedPayload, OpeningRequest } from '../process/payload-opening.ts';
import { checkpointSize } from '../recorder/checkpoint.ts';
import { RecorderError } from '../recorder/entry.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import type { CommandIo } from './check.ts';
import { sayRefused } from './control.ts';
import { giveOrder, type OrderOptions } from './recorder-orders.ts';
import { proveEntry } from './recorder-prove.ts';
import { stateDirectoryOf } from './state.ts';
import { entriesOf } from './trace.ts';

export type OpenOptions = OrderOptions & {
  readonly epoch: string;
  /** Files of releases; none asks for them. */
  readonly share?: readonly string[];
  readonly out?: string;
};

const checkpointWithinMs = 15_000;

/**
 * `maso recorder open EPOCH`: without shares it puts on record that somebody asks for the epoch, and
 * writes the request for the custodians. With them it puts on record whose they are, makes the key of
 * this one epoch again, and writes what was sealed under it. Rejects with `RecorderError`.
 */
export async function recorderOpen(options: OpenOptions, io: CommandIo): Promise<number> {
  const base = options.out ?? `opening-${options.epoch}`;
  const paths = {
    request: resolve(io.directory, `${base}.json`),
    key: resolve(io.directory, `${base}.key`),
    payloads: resolve(io.directory, `${base}.payloads.jsonl`),
  };
  return options.share === undefined
    ? ask(options, paths, io) : openWith(options, options.share, paths, io);
}

type Paths = { readonly request: string; readonly key: string; readonly payloads: string };

async function ask(options: OpenOptions, paths: Paths, io: CommandIo): Promise<number> {
  const { epoch, json } = options;
  const directories = nodeDirectories(stateDirectoryOf(options.state, null));
  const record = withKeys(directories.payloadKeys, (store) => store.epoch(Number(epoch)));
  if (record === null) return sayRefused('RECORDER_EPOCH_UNKNOWN', json, io);
  const { publicKey: recipient } = existsSync(paths.key)
    ? await loadCustodianKey(paths.key) : await createCustodianKey(paths.key);
  const given = await giveOrder(options, {
    act: 'open', subject: epoch, digest: digestOf(recipient), attached: recipient,
  });
  if (!given.ok) return sayRefused(given.code, json, io);
  await checkpointOver(given.sequence, join(directories.log, 'checkpoint'));
  const { line, proof } = await proveEntry(given.sequence, directories.log, [
    join(directories.checkpoints, cosignedFile), join(directories.log, 'checkpoint'),
  ]);
  const entry = Buffer.from(line).toString();
  const request: OpeningRequest = { format: 'maso-opening/1', record, entry, proof, recipient };
  await writeFile(paths.request, `${JSON.stringify(request)}\n`);
  const custodians = record.shares.map(({ name }) => name);
  if (json) {
    const { sequence } = given;
    io.out(JSON.stringify({ request: paths.request, sequence, threshold: record.threshold, custodians }));
    return 0;
  }
  io.out(`wrote ${paths.request}; give it to ${record.threshold} of ${custodians.join(', ')}`);
  io.out('each answers with: maso custodian release REQUEST --key KEY --log-key recorder.vkey');
  return 0;
}

async function openWith(
  options: OpenOptions,
  shares: readonly string[],
  paths: Paths,
  io: CommandIo,
): Promise<number> {
  const directories = nodeDirectories(stateDirectoryOf(options.state, null));
  const request = parseOpeningRequest(await readFile(paths.request, 'utf8'));
  const { record } = request;
  if (String(record.epoch) !== options.epoch) {
    return sayRefused('RECORDER_OPENING_REFUSED', options.json, io);
  }
  const releases = await Promise.all(shares.map(async (path) =>
    parseRelease(await readFile(resolve(io.directory, path), 'utf8'))));
  const { privateKey } = await loadCustodianKey(paths.key);
  const logged = await loggedDigest(directories.log, record.epoch);
  const { key, custodians } = await epochKeyFrom(request, releases, privateKey, logged);
  // On record before anybody sees what was sealed.
  const asked = String(parseEntryLine(Buffer.from(request.entry))?.detail['order'] ?? '');
  const given = await giveOrder(options, {
    act: 'opened', subject: asked, digest: digestOf(custodians), attached: [...custodians],
  });
  if (!given.ok) return sayRefused(given.code, options.json, io);
  const wrapped = withKeys(directories.payloadKeys, (store) => store.keys(record.epoch));
  const counts = new Map<OpenedPayload['state'], number>();
  const lines: string[] = [];
  for await (const one of openPayloads(() => entriesOf(directories.log), record, key, wrapped)) {
    counts.set(one.state, (counts.get(one.state) ?? 0) + 1);
    lines.push(`${JSON.stringify(one)}\n`);
    if (lines.length >= 1000) await appendLines(paths.payloads, lines);
  }
  await appendLines(paths.payloads, lines);
  key.fill(0);
  const told = { payloads: paths.payloads, custodians, ...Object.fromEntries(counts) };
  if (options.json) io.out(JSON.stringify(told));
  else {
    io.out(`wrote ${paths.payloads}, with the shares of ${custodians.join(', ')}`);
    for (const [state, count] of counts) io.out(`  ${state}  ${count}`);
  }
  const bad = (counts.get('changed') ?? 0) + (counts.get('incomplete') ?? 0);
  return bad === 0 ? 0 : 1;
}

async function appendLines(path: string, lines: string[]): Promise<void> {
  await writeFile(path, lines.splice(0).join(''), { mode: 0o600, flag: 'a' });
}

/** The key store is read beside the node that writes it. */
function withKeys<Value>(path: string, read: (store: SqlitePayloadKeyStore) => Value): Value {
  const store = new SqlitePayloadKeyStore(path);
  try {
    return read(store);
  } finally {
    store.close();
  }
}

async function loggedDigest(log: string, epoch: number): Promise<string> {
  for await (const { kind, detail } of entriesOf(log)) {
    if (kind === 'payload.epoch' && detail['epoch'] === epoch) return String(detail['digest']);
  }
  throw new RecorderError('RECORDER_EPOCH_FORGED', 'The log knows no such epoch.');
}

/** The recorder signs about once a second. */
export async function checkpointOver(sequence: number, path: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < checkpointWithinMs; waitedMs += 100) {
    if (checkpointSize(await readFile(path, 'utf8')) > sequence) return;
    await delay(100);
  }
  throw new RecorderError('RECORDER_PROOF_RANGE', 'No checkpoint covers the order yet.');
}
