// SPDX-License-Identifier: Apache-2.0
// Many escalations at once at one executor, with a judge that hangs: how long requests that need no
// judge take beside them, against the same number of requests that need none, and what memory it
// takes. `npm run bench:escalations -- --json`. Options: --requests N, --probes N.
import { systemJudgeTiming } from '../src/adapters/judge-timing.ts';
import { createPanel } from '../src/judge/panel.ts';
import { Spend } from '../src/judge/spend.ts';
import { AgentSidecar } from '../src/sidecar/agent-sidecar.ts';
import type { SignedEnvelope } from '../src/message/envelope.ts';
import { compatibleModel, judgeSettings } from '../test/judge-standin/settings.ts';
import { editSample, loadFiles } from '../test/mesh-files/sample.ts';
import { bodyOf, FakeSidecar, partyOf, random } from '../test/sidecar-fixture/sidecar.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const requests = numberOption('requests', 10_000);
const probes = numberOption('probes', 500);
const triage = partyOf('triage');
const settings = judgeSettings([compatibleModel('one', 'http://127.0.0.1:1/v1')], {
  holdTimeoutMs: 60_000, callTimeoutMs: 60_000, concurrency: 4, queueMax: 64,
});

const without = await load('ACME');
const beside = await load('shady');
print({
  requests,
  probes,
  withoutEscalations: without,
  besideEscalations: beside,
  p99Ratio: rounded(beside.goMs.p99 / without.goMs.p99),
  memoryRatio: rounded(beside.heapMiB / without.heapMiB),
  checks: [
    { name: 'GO p99 within 2x', holds: beside.goMs.p99 <= 2 * without.goMs.p99 },
    { name: 'memory within 512 MiB', holds: beside.heapMiB <= 512 },
    { name: 'questions at one time within their bound', holds: beside.askedAtOnce <= settings.concurrency },
  ],
  machine: machine(),
});

/** Requests for one payee at once, with others for ACME among them, evenly. */
async function load(payee: string) {
  const files = editSample('"project [a-z]+"', '"shady"');
  const loaded = loadFiles(files);
  if (!loaded.ok) throw new Error('The sample does not load.');
  const fake = new FakeSidecar('payments', {}, { ...loaded.mesh, judge: settings });
  let [askedAtOnce, asking] = [0, 0];
  const judge = createPanel({
    settings,
    models: new Map([['one', {
      ask: async (_prompt, signal) => {
        asking += 1;
        askedAtOnce = Math.max(askedAtOnce, asking);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        asking -= 1;
        throw new Error('gone');
      },
    }]]),
    spend: new Spend(settings.budget, { since: () => [], save: async () => undefined, drop: async () => undefined }, fake.clock),
    timing: systemJudgeTiming, clock: fake.clock, random,
  });
  const sidecar = new AgentSidecar({ ...fake.context, judge });
  fake.knows(triage);
  await sidecar.recover();
  const every = Math.max(1, Math.floor(requests / probes));
  const goMs: number[] = [];
  const sentMs = new Map<string, number>();
  fake.link.answer = () => ({ accepted: true });
  const heard = fake.link.publish.bind(fake.link);
  fake.link.publish = async (publication) => {
    const reply = bodyOf(publication.envelope).inReplyTo ?? '';
    const sent = sentMs.get(reply);
    if (sent !== undefined) goMs.push(performance.now() - sent);
    return heard(publication);
  };
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let peak = 0;
  const deliver = (envelope: SignedEnvelope): Promise<void> =>
    new Promise((resolve) => sidecar.deliver(envelope, null, () => resolve()));
  for (let number = 0; number < requests; number += 1) {
    const isProbe = number % every === 0;
    const parameters = { payee: isProbe ? 'ACME' : payee };
    const envelope = fake.requestFrom(triage, { key: `k${number}`, parameters });
    if (isProbe) sentMs.set(bodyOf(envelope).id, performance.now());
    await deliver(envelope);
    if (number % 500 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed - before);
  }
  while (goMs.length < sentMs.size) await new Promise((resolve) => setTimeout(resolve, 20));
  return { goMs: percentiles(goMs), askedAtOnce, heapMiB: rounded(peak / 2 ** 20), heldForPeople: fake.link.held.length };
}
