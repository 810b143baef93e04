// SPDX-License-Identifier: Apache-2.0
import { bytesPerAgent, Scorer } from '../src/anomaly/scorer.ts';
import { observed } from '../src/anomaly/signal.ts';
import { seeded } from '../src/anomaly/simulated-days.ts';
import { machine, numberOption, print } from './machine.ts';

/** 10,000 agents at 1,000 events a second of simulated time: CPU of one core, and memory of an agent. */
const agents = numberOption('agents', 10_000);
const perSecond = numberOption('rate', 1_000);
const seconds = numberOption('seconds', 1_800);
const next = seeded(7);
const names = Array.from({ length: agents }, (_none, index) => `agent${index}`);
const scorer = new Scorer((agent) => `role${agent.length % 5}`);
const heapBefore = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
const cpuBefore = process.cpuUsage();
let scores = 0;
for (let second = 0; second < seconds; second += 1) {
  for (let index = 0; index < perSecond; index += 1) {
    const agent = names[Math.floor(next() * agents)] ?? '';
    scores += scorer.take(observed(agent, second * 1_000 + index, {
      tool: 'read', failed: next() < 0.02, latencyMs: 100 * next(), cost: next(), quality: next(),
    })).length;
  }
  if (second % 300 === 299) scores += scorer.advance((second + 1) * 1_000).length;
}
const { user, system } = process.cpuUsage(cpuBefore);
const events = seconds * perSecond;
const cpuSeconds = (user + system) / 1e6;
const heap = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - heapBefore;
print({
  machine: machine(), agents: scorer.agents, perSecond, events, scores,
  cpuUsPerEvent: Math.round((cpuSeconds * 1e7) / events) / 10,
  shareOfOneCore: Math.round((cpuSeconds / seconds) * 1e4) / 1e4,
  bytesPerAgentStated: bytesPerAgent, bytesPerAgentMeasured: Math.round(heap / scorer.agents),
  holds: cpuSeconds / seconds < 1,
});
