// SPDX-License-Identifier: Apache-2.0
// What a hop over three processes costs when nothing is looked at: each message is signed by the first, verified and
// kept on disk by the second, and again by the third. The time it takes is the machine's: beside it stands what
// the mesh takes in the same run.
import { fork, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bodyBytes, connected, frameBytes, framesOf } from './bare-relay.ts';
import { percentiles } from './machine.ts';

/** Latencies, in milliseconds, of messages that come at a fixed rate. */
export async function bareHops(perSecond: number, seconds: number) {
  const directory = mkdtempSync(join(tmpdir(), 'maso-bare-'));
  const at = (name: string): string => join(directory, name);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keys = [privateKey.export({ type: 'pkcs8', format: 'der' }), publicKey.export({ type: 'spki', format: 'der' })]
    .map((key) => key.toString('base64url'));
  const sentMs: number[] = [];
  const latenciesMs: number[] = [];
  const arrivals = createServer((socket) => framesOf(socket, (frame) => {
    latenciesMs.push(performance.now() - (sentMs[Number(frame.readBigUInt64BE())] ?? Number.NaN));
  }));
  await new Promise<void>((resolve) => arrivals.listen(at('load'), resolve));
  const relays: ChildProcess[] = [];
  try {
    // From the last to the first: each connects to the one behind it.
    for (const [name, next] of [['third', 'load'], ['second', 'third'], ['first', 'second']] as const) {
      const keeps = name === 'first' ? '' : at(`${name}.log`);
      relays.push(await relay([at(name), at(next), keeps, ...keys]));
    }
    const line = await connected(at('first'));
    await sendAll(line, sentMs, perSecond, seconds);
    const untilMs = performance.now() + 10_000;
    while (latenciesMs.length < sentMs.length && performance.now() < untilMs) await pause(5);
    if (latenciesMs.length < sentMs.length) throw new Error('The bare path lost messages.');
    line.destroy();
    return percentiles(latenciesMs);
  } finally {
    for (const one of relays) one.kill();
    arrivals.close();
    rmSync(directory, { recursive: true });
  }
}

async function relay(args: readonly string[]): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'bare-relay.ts'), args);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (status) => reject(new Error(`A relay ended with ${status}.`)));
  });
  return child;
}

async function sendAll(line: Socket, sentMs: number[], perSecond: number, seconds: number): Promise<void> {
  const startedMs = performance.now();
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const dueMs = startedMs + (number * 1000) / perSecond;
    while (performance.now() < dueMs) await pause(1);
    const frame = Buffer.alloc(frameBytes);
    frame.writeBigUInt64BE(BigInt(number));
    frame.fill(number % 251, 8, bodyBytes);
    sentMs.push(performance.now());
    line.write(frame);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
