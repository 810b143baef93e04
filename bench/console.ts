// SPDX-License-Identifier: Apache-2.0
// The console in a real browser over a mesh of 10,000 agents that makes 1,000 entries a second:
// `npm run bench:console -- --json`. Options: --agents N, --rate N, --seconds N. The pages, their
// server, the fold of the live feed and the map of the mesh are the product's; what the node would
// say is made up here, so that only the console is measured. Needs Debian's Chromium.
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { serveConsole } from '../src/adapters/console-http.ts';
import type { ConsoleApi } from '../src/console/console-api.ts';
import { Invites } from '../src/console/invites.ts';
import { groupKey, meshMap } from '../src/console/mesh-map.ts';
import type { Passkey } from '../src/console/passkeys.ts';
import { Sessions } from '../src/console/sessions.ts';
import type { JsonObject } from '../src/message/json.ts';
import { consoleFolder } from '../src/process/node-console.ts';
import type { RecordedEntry } from '../src/recorder/entry.ts';
import { launch } from '../test/console/browser.ts';
import { largeMesh, madeEntry } from './console-mesh.ts';
import { machine, numberOption, percentiles, print, rounded } from './machine.ts';

const agentCount = numberOption('agents', 10_000);
const rate = numberOption('rate', 1_000);
const seconds = numberOption('seconds', 12);
const folder = consoleFolder();
if (folder === null) throw new Error('Build the pages first: npm run build:console.');

const { agents, edges } = largeMesh(agentCount);
const groups = new Map(agents.map((agent) => [agent.name, groupKey(agent)]));
const log: RecordedEntry[] = [];
const clock = { nowMs: () => Date.now() };
const bytes = (count: number): Uint8Array => randomBytes(count);
const sessions = new Sessions(clock, bytes);
const passkey: Passkey = {
  credential: 'bench', operator: 'bench', coseKey: '', publicKey: {}, counter: 0, createdAt: 0, endorsement: 'bench',
};
let serverMs = 0;

const api: ConsoleApi = {
  viewer: (operator) => ({ operator, roles: ['operator'], may: () => true }),
  view: async (name, _id, _viewer, place) => {
    const startedAt = performance.now();
    const shown = viewOf(name, place);
    if (name === 'mesh') serverMs = Math.max(serverMs, performance.now() - startedAt);
    return shown;
  },
  groupOf: (agent) => groups.get(agent) ?? null,
  approvals: () => ({ approvals: [], total: 0 }),
  entries: async () => ({ entries: [] }),
  take: async () => ({ code: 'CONSOLE_UNKNOWN' }),
  log: {
    size: () => log.length,
    read: async function* (from, to) {
      yield* log.slice(from, to);
    },
    lines: async function* () {
      yield* [];
    },
    file: async () => null,
  },
  passkeys: { all: () => [passkey], get: () => passkey, save: async () => undefined },
  endorse: () => null,
  note: () => undefined,
};

function viewOf(name: string, place: Parameters<ConsoleApi['view']>[3]): JsonObject | null {
  if (name === 'overview') return overview();
  if (name === 'mesh') return { ...meshMap(agents, edges, place) } as unknown as JsonObject;
  if (name === 'pace') return { units: [], stops: [], reports: [], workflows: [], rollback: [], observer: null };
  if (name !== 'agents') return null;
  const found = agents.filter(({ name: own }) => own.includes(place.search));
  return {
    total: found.length,
    agents: found.slice(0, 100).map(({ name: own, role, zone }) => ({
      name: own, role, zone, sponsor: null, spiffeId: null, isolation: 'uid', connectedSince: 1, expiresAt: 1, revoked: false,
      children: [], phase: 'PRIMARY', allows: 'all', draining: false, breaker: 'closed',
    })),
  };
}

function overview(): JsonObject {
  return {
    name: 'bench', mode: 'enforce', autonomyTier: 2, development: false, policy: { version: 1, digest: 'd' }, nowMs: clock.nowMs(),
    pending: 0, changes: 0, agents: agents.length, connected: agents.length, away: { count: 0, names: [] }, stopped: { count: 0, names: [] },
    isolationNone: 0, deselected: [], recorder: { state: 'available', code: null, entries: log.length, cosignedAgeMs: null, witnesses: 0 },
  };
}

const served = await serveConsole({
  api, sessions, invites: new Invites(clock, bytes), bytes, nowMs: clock.nowMs, folder, port: 0,
  report: (failure) => process.stderr.write(`${String(failure)}\n`),
});
const growing = setInterval(grow, 10);
const startedAt = performance.now();
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
await context.addCookies([{
  name: `maso_session_${served.port}`, value: sessions.open('bench', 'open', 'bench'), domain: 'localhost', path: '/',
}]);
await context.addInitScript(watchFrames);
const page = await context.newPage();
const rows = [];
for (const [name, path] of Object.entries({
  now: '/', mesh: '/mesh', 'one zone': '/mesh?zone=zone-1', 'one type': '/mesh?zone=zone-1&type=worker-3', agents: '/agents', stops: '/stops',
  traces: '/trace',
})) rows.push(await measured(page, name, path));
clearInterval(growing);
await browser.close();
await served.close();
const met = rows.every(({ usefulMs, longestTaskMs, frameGapP99Ms }) => usefulMs < 1_000 && longestTaskMs < 500 && frameGapP99Ms < 200);
print({
  bench: 'console', machine: machine(), agents: agents.length, edges: edges.length, entries: log.length,
  rate: Math.round((log.length / (performance.now() - startedAt)) * 1000), meshViewServerMaxMs: rounded(serverMs), rows, met,
});
process.exit(0);

/** As many entries as the time that passed asks for, whenever the timer gets its turn. */
function grow(): void {
  const wanted = Math.floor(((performance.now() - startedAt) / 1000) * rate);
  while (log.length < wanted) log.push(madeEntry(log.length, agents, edges, clock.nowMs()));
}

/** One view, opened anew and watched while the log grows; then a click to another view is timed. */
async function measured(on: Page, name: string, path: string) {
  await on.goto(served.url + path);
  await on.locator('#page-title').waitFor();
  await on.waitForTimeout(seconds * 1000);
  const seen = await on.evaluate(() => Reflect.get(globalThis, 'masoSeen')) as Seen;
  const clickedAt = performance.now();
  await on.getByRole('link', { name: 'Controls', exact: true }).click();
  await on.getByRole('heading', { name: 'Controls' }).waitFor();
  const clickMs = performance.now() - clickedAt;
  const gaps = percentiles(seen.gaps);
  return {
    view: name,
    firstPaintMs: rounded(seen.firstPaint), usefulMs: rounded(seen.useful),
    longTasks: seen.long.length, longestTaskMs: rounded(Math.max(0, ...seen.long)),
    busyShare: rounded(seen.long.reduce((sum, one) => sum + one, 0) / (seconds * 1000)),
    framesPerSecond: rounded(gaps.count / seconds), frameGapP99Ms: gaps.p99, frameGapMaxMs: gaps.max,
    clickToViewMs: rounded(clickMs),
  };
}

type Seen = { readonly firstPaint: number; readonly useful: number; readonly long: readonly number[]; readonly gaps: readonly number[] };

/** Runs in the page: when it showed something to use, tasks over 50 ms, and the time between frames. */
function watchFrames(): void {
  const seen = { firstPaint: NaN, useful: NaN, long: [] as number[], gaps: [] as number[] };
  Reflect.set(globalThis, 'masoSeen', seen);
  type Watched = { readonly entryType: string; readonly name: string; readonly duration: number; readonly startTime: number };
  const Observer = Reflect.get(globalThis, 'PerformanceObserver') as unknown as
    new (told: (list: { readonly getEntries: () => readonly Watched[] }) => void) => { readonly observe: (what: object) => void };
  new Observer((list) => {
    for (const { entryType, name, duration, startTime } of list.getEntries()) {
      if (entryType === 'longtask') seen.long.push(duration);
      else if (name === 'first-contentful-paint') seen.firstPaint = startTime;
    }
  }).observe({ entryTypes: ['longtask', 'paint'] });
  let last = performance.now();
  const frame = (at: number): void => {
    const page: unknown = Reflect.get(globalThis, 'document');
    const find: unknown = Reflect.get(page as object, 'querySelector');
    const has = (find as (selector: string) => unknown).call(page, 'main .tiles, main .graph-node, main table tbody tr, main .stops li');
    // The page before it had anything to show is not counted as a frozen one.
    if (has !== null && Number.isNaN(seen.useful)) seen.useful = at;
    else if (has !== null) seen.gaps.push(at - last);
    last = at;
    (Reflect.get(globalThis, 'requestAnimationFrame') as (next: (at: number) => void) => void)(frame);
  };
  (Reflect.get(globalThis, 'requestAnimationFrame') as (next: (at: number) => void) => void)(frame);
}
