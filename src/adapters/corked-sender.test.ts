// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { corkedSender, unreadBytesMax } from './corked-sender.ts';

function unread(bytes: number): { readonly socket: WebSocket; readonly sent: string[] } {
  const sent: string[] = [];
  const socket: unknown = {
    readyState: WebSocket.OPEN,
    bufferedAmount: bytes,
    send: (text: string) => void sent.push(text),
  };
  return { socket: socket as WebSocket, sent };
}

it('tells once that a peer does not read, and sends it nothing more', () => {
  const { socket, sent } = unread(unreadBytesMax + 1);
  let told = 0;
  const send = corkedSender(socket, () => void (told += 1));
  for (let number = 0; number < 3; number += 1) send({ number });
  expect([told, sent]).toEqual([1, ['{"number":0}']]);
});

it('goes on while what is unread stays within the bound', () => {
  const { socket, sent } = unread(unreadBytesMax);
  let told = 0;
  const send = corkedSender(socket, () => void (told += 1));
  for (let number = 0; number < 3; number += 1) send({ number });
  expect([told, sent.length]).toEqual([0, 3]);
});

it('sends what is urgent at once, with what waited, and the rest of the turn at its end', async () => {
  const { socket, sent } = unread(0);
  const left: number[] = [];
  let corks = 0;
  Reflect.set(socket, '_socket', {
    cork: () => void (corks += 1),
    uncork: () => {
      corks -= 1;
      if (corks === 0) left.push(sent.length);
    },
  });
  const send = corkedSender(socket, () => undefined);
  send({ number: 0 });
  send({ number: 1 }, true);
  expect(left).toEqual([2]);
  send({ number: 2 });
  send({ number: 3 });
  expect(left).toEqual([2]);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect([left.at(-1), corks]).toEqual([4, 0]);
});
