// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ReplayAgents } from './replay-agents.ts';
import { listenTo, sayTo, type ReplayAgent, type ReplayJob } from './replay-protocol.ts';

let directory = '';
let agents: ReplayAgents;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'maso-ra-'));
  agents = await ReplayAgents.listen(join(directory, 's'));
});
afterEach(() => {
  agents.close();
  rmSync(directory, { recursive: true });
});

const done = {
  kind: 'done',
  id: 'a',
  verdict: 'GO',
  code: null,
  startedUs: 1,
  endedUs: 2,
} as const;

test('does not ask again an agent that was lost with a job in its hands', async () => {
  let jobs = 0;
  join_('sender', (_job, socket) => {
    jobs += 1;
    socket.destroy();
  });
  expect(await agents.ask('sender', { number: 1, text: 'x' }, 5_000)).toBeNull();
  expect(jobs).toBe(1);
});

test('gives up on an agent that is silent, and takes no late answer for another job', async () => {
  join_('sender', (job, socket) => {
    if (job.number === 1) setTimeout(() => sayTo(socket, { ...done, number: 1 }), 60);
    else setTimeout(() => sayTo(socket, { ...done, number: 2, id: 'b' }), 120);
  });
  expect(await agents.ask('sender', { number: 1, text: 'x' }, 20)).toBeNull();
  expect(await agents.ask('sender', { number: 2, text: 'x' }, 5_000)).toMatchObject({ id: 'b' });
});

test('hands a job that an ended session could not take to the agent\'s next process', async () => {
  join_('sender', (job, socket) => {
    join_('sender', (next, line) => sayTo(line, { ...done, number: next.number }));
    socket.end(`${JSON.stringify({ kind: 'gone', number: job.number })}\n`);
  });
  expect(await agents.ask('sender', { number: 7, text: 'x' }, 5_000)).toMatchObject({ number: 7 });
  expect(agents.sessionsEnded).toBe(1);
});

test('has several jobs under way, and hands each that was not begun to the next process', async () => {
  const taken: number[] = [];
  join_('sender', (job, socket) => {
    if (job.number === 1) return;
    sayTo(socket, { kind: 'gone', number: 2 });
    sayTo(socket, { ...done, number: 1 });
    setTimeout(() => {
      socket.end();
      join_('sender', (next, line) => {
        taken.push(next.number);
        sayTo(line, { ...done, number: next.number });
      });
    }, 10);
  });
  const first = agents.ask('sender', { number: 1, text: 'x' }, 5_000);
  const second = agents.ask('sender', { number: 2, text: 'y' }, 5_000);
  expect(await Promise.all([first, second])).toMatchObject([{ number: 1 }, { number: 2 }]);
  expect(taken).toEqual([2]);
});

test('knows when a message was received, also before it asks, and when not', async () => {
  const socket = join_('recipient', () => undefined);
  sayTo(socket, { kind: 'received', id: 'm', atUs: 5 });
  expect(await agents.receivedAtUs('m', 5_000)).toBe(5);
  expect(await agents.receivedAtUs('n', 20)).toBeNull();
});

function join_(agent: ReplayAgent, hear: (job: ReplayJob, socket: Socket) => void): Socket {
  const socket = createConnection(join(directory, 's'));
  socket.on('error', () => undefined);
  sayTo(socket, { kind: 'joined', agent });
  listenTo<ReplayJob>(socket, (job) => hear(job, socket));
  return socket;
}
