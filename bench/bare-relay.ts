// SPDX-License-Identifier: Apache-2.0
// One of the three processes of `bare-path.ts`: `bare-relay.ts OWN NEXT KEPT PRIVATE PUBLIC`. Without a file to
// keep messages in it signs them.
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

export const bodyBytes = 1024;
const signatureBytes = 64;
export const frameBytes = bodyBytes + signatureBytes;

export async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

export function framesOf(socket: Socket, take: (frame: Buffer) => void): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk as Buffer]);
    for (; waiting.length >= frameBytes; waiting = waiting.subarray(frameBytes)) take(waiting.subarray(0, frameBytes));
  });
}

if (process.argv[1] === import.meta.filename) await serve(process.argv.slice(2));

async function serve([own = '', next = '', kept = '', privateKey = '', publicKey = '']: readonly string[]): Promise<void> {
  const der = (key: string): Buffer => Buffer.from(key, 'base64url');
  const signing = createPrivateKey({ key: der(privateKey), type: 'pkcs8', format: 'der' });
  const verifying = createPublicKey({ key: der(publicKey), type: 'spki', format: 'der' });
  const file = kept === '' ? null : openSync(kept, 'a');
  const line = await connected(next);
  const server = createServer((socket) => framesOf(socket, (frame) => {
    const body = frame.subarray(0, bodyBytes);
    if (file === null) {
      line.write(Buffer.concat([body, sign(null, body, signing)]));
      return;
    }
    if (!verify(null, body, verifying, frame.subarray(bodyBytes))) throw new Error('A signature is wrong.');
    writeSync(file, frame);
    fdatasyncSync(file);
    line.write(frame);
  }));
  server.listen(own, () => process.send?.('ready'));
}
