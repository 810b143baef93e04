// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCompactModel, shippedModelFile } from '../../src/adapters/firewall-model-file.ts';
import { CompactInjectionModel } from '../../src/adapters/injection-model-compact.ts';
import { composeRows } from '../../src/firewall/training/compose.ts';
import { seededDraw } from '../../src/firewall/training/seeded-random.ts';
import { readFragments } from '../../src/process/labelled-rows.ts';
import type { Channel } from '../../src/message/channel.ts';
import { channels } from '../../src/message/channel.ts';

/** Wall time, and CPU time, which does not count what other work on the machine took. */
export type Taken = { readonly p50Us: number; readonly p99Us: number; readonly p99CpuUs: number };

export type Times = {
  readonly loadMs: number;
  /** Memory of the process that loading the model added. */
  readonly residentMiB: number;
  /** Mean over ordinary traffic: guides, source code, harmless lines. */
  readonly cpuUsPerKiB: number;
  /** Mean where half of the texts are attacks, which are read twice. */
  readonly cpuUsPerKiBAttacked: number;
  readonly kib1: Taken;
  readonly kib8: Taken;
  /** Texts of 64 KiB made to be slow to read: the worst of all forms. */
  readonly hostile64KibMs: number;
};

/** MiB that the thread for long texts takes once it has read one: resident memory before and after. */
export async function measureThread(): Promise<number> {
  // The thread alone does not keep the process.
  const awake = setInterval(() => undefined, 1000);
  const before = process.memoryUsage().rss;
  const model = new CompactInjectionModel({ file: shippedModelFile(), report: () => undefined });
  await model.classify({ text: 'A long and dull text. '.repeat(1000), channel: 'document' });
  const took = (process.memoryUsage().rss - before) / 1024 / 1024;
  await model.close();
  clearInterval(awake);
  return Math.round(took * 10) / 10;
}

export type Answered = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share answered by the deadline of 50 ms. */
  readonly withinDeadline: number;
};

const deadlineMs = 50;
const classifications = 300;

/** From the question to the answer as a sidecar waits for it, by the loop or by the thread: wall time. */
export async function measureAnswers(): Promise<{
  readonly kib1: Answered;
  readonly kib8: Answered;
  /** Too long for the loop. */
  readonly kib16: Answered;
}> {
  const awake = setInterval(() => undefined, 1000);
  const model = new CompactInjectionModel({ file: shippedModelFile(), report: () => undefined });
  const all = textsOfRepository();
  const answered = async (length: number): Promise<Answered> => {
    const draw = seededDraw(length + 1);
    const times: number[] = [];
    for (let round = 0; round < classifications + 20; round += 1) {
      const from = Math.floor(draw() * (all.length - length));
      const text = all.slice(from, from + length);
      const at = performance.now();
      await model.classify({ text, channel: channels[round % channels.length] ?? 'user' });
      if (round >= 20) times.push(performance.now() - at);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 100) / 100;
    const inTime = times.filter((time) => time <= deadlineMs).length / times.length;
    return { p50Ms: at(0.5), p99Ms: at(0.99), withinDeadline: Math.round(inTime * 1e4) / 1e4 };
  };
  const report = { kib1: await answered(1024), kib8: await answered(8192), kib16: await answered(16_384) };
  await model.close();
  clearInterval(awake);
  return report;
}

/** Attacks, and harmless texts that were written to look like them. */
function textsOfRepository(): string {
  const english = readFragments('train/firewall/texts').filter(({ language }) => language === 'en');
  return composeRows(english, 1).map(({ text }) => text).join('\n');
}

/** What agents hand on mostly: documents, code, and lines of users, tools, mails and agents, a KiB at a time. */
function ordinaryTexts(): readonly { readonly text: string; readonly channel: Channel }[] {
  const files = (folder: string, suffix: string) =>
    readdirSync(folder).filter((name) => name.endsWith(suffix)).sort().map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const lines = (kind: string) => readFragments('train/firewall/texts').filter((each) => each.kind === kind).map(({ text }) => text).join('\n');
  const pieces = (all: string, channel: Channel) =>
    Array.from({ length: Math.min(100, Math.floor(all.length / 1024)) }, (_, at) => ({ text: all.slice(at * 1024, at * 1024 + 1024), channel }));
  return [
    ...pieces(files('docs/guides', '.md'), 'document'),
    ...pieces(files('src/bus', '.ts'), 'code'),
    ...pieces(lines('user-benign'), 'user'),
    ...pieces(lines('tool-benign'), 'tool_result'),
    ...pieces(lines('agent-benign'), 'agent_message'),
    ...pieces(lines('email-benign'), 'email'),
  ];
}

const rounds = 400;

/** Times of the shipped model on texts of this repository. */
export function measureTimes(): Times {
  const before = process.memoryUsage().rss;
  const startedAt = performance.now();
  const model = loadCompactModel(shippedModelFile());
  const loadMs = performance.now() - startedAt;
  model.read('warm', 'user');
  const residentMiB = (process.memoryUsage().rss - before) / 1024 / 1024;
  const all = textsOfRepository();
  const timed = (length: number): Taken => {
    const draw = seededDraw(length);
    const spent: number[] = [];
    const times = Array.from({ length: rounds }, (_, round) => {
      const from = Math.floor(draw() * (all.length - length));
      const text = all.slice(from, from + length);
      const cpu = process.cpuUsage();
      const at = performance.now();
      model.read(text, channels[round % channels.length] ?? 'user');
      const wallUs = (performance.now() - at) * 1000;
      const { user, system } = process.cpuUsage(cpu);
      if (round >= rounds / 4) spent.push(user + system);
      return wallUs;
    }).slice(rounds / 4).sort((a, b) => a - b);
    spent.sort((a, b) => a - b);
    const p99CpuUs = Math.round(spent[Math.floor(spent.length * 0.99)] ?? 0);
    return { p99CpuUs, p50Us: Math.round(times[times.length >> 1] ?? 0), p99Us: Math.round(times[Math.floor(times.length * 0.99)] ?? 0) };
  };
  const kib1 = timed(1024);
  const kib8 = timed(8192);
  const meanOver = (texts: ReturnType<typeof ordinaryTexts>): number => {
    const cpu = process.cpuUsage();
    for (const { text, channel } of texts) model.read(text, channel);
    return Math.round(process.cpuUsage(cpu).user / texts.length);
  };
  const attacked = Array.from({ length: rounds }, (_, at) => ({
    text: all.slice(at * 1024, at * 1024 + 1024), channel: channels[at % channels.length] ?? 'user',
  }));
  const [cpuUsPerKiBAttacked, cpuUsPerKiB] = [meanOver(attacked), meanOver(ordinaryTexts())];
  const memory = { loadMs: Math.round(loadMs), residentMiB: Math.round(residentMiB * 10) / 10 };
  return { ...memory, cpuUsPerKiB, cpuUsPerKiBAttacked, kib1, kib8, hostile64KibMs: hostile(model) };
}

function hostile(model: ReturnType<typeof loadCompactModel>): number {
  const forms = ['a', 'a ', '.', '忘', '\u0301', 'aé', '&#x41;', '%41', '<b>', 'QUJD', '41 42 ', '\n', 'İ', '😀', '\\u0041'];
  const times = forms.map((form) => {
    const text = form.repeat(Math.ceil(65_536 / form.length)).slice(0, 65_536);
    const at = performance.now();
    model.read(text, 'web');
    return performance.now() - at;
  });
  return Math.round(Math.max(...times) * 10) / 10;
}
