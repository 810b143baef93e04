// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';
import type { NewestEntries } from './state-at.ts';

/** Entries of one kind of one process that are looked at; more are said to be left out. */
const actsMax = 1000;
/** Sidecars write with clocks of their own, and what is spooled is recorded late. */
const lateMs = 120_000;
const endless = 8.64e15;

type Moment = { readonly agent: string; readonly at: number };
type Session = { readonly openedAt: number; readonly endedAt: number };

/**
 * What one process of an agent was given, and what it did, in whatever task. An entry names as its
 * causes what was given for its task; a process that was taken over may act in another one. Executors
 * have no process that remembers, and are left out.
 */
export class AgentProcesses {
  readonly #newest: NewestEntries;
  readonly #sessions = new Map<string, Promise<readonly Session[]>>();
  readonly #acts = new Map<string, Promise<readonly RecordedEntry[]>>();
  /** Whether more was there than is looked at. */
  cut = false;

  constructor(newest: NewestEntries) {
    this.#newest = newest;
  }

  /** Ids of what the process that sent this had been given before, newest first. */
  async givenBefore(sent: RecordedEntry): Promise<readonly string[]> {
    const agent = nameIn(sent.actor);
    const session = (await this.#sessionsOf(agent)).find(({ openedAt }) => openedAt <= sent.at);
    if (session === undefined) return [];
    const window = { since: session.openedAt - lateMs, until: sent.recordedAt + lateMs };
    const given = await this.#entries(agent, window, [
      { kind: 'message.delivered', actor: `sidecar:${agent}` },
      { kind: 'tool.outcome', actor: `agent:${agent}` },
      { kind: 'memory.read', actor: 'node' },
      { kind: 'knowledge.read', actor: 'node' },
    ]);
    const before = given.filter(({ at }) => at >= session.openedAt && at <= sent.at);
    return idsOf(before.filter((entry) => reading(entry) !== null));
  }

  /** Ids of what the processes that were given this sent, did and kept afterwards. */
  async doneAfter(own: readonly RecordedEntry[]): Promise<readonly string[]> {
    const readings = own.map(reading).filter((moment) => moment !== null);
    const done = await Promise.all(readings.map((moment) => this.#doneAfter(moment)));
    return [...new Set(done.flat())];
  }

  async #doneAfter({ agent, at }: Moment): Promise<readonly string[]> {
    // What waits for a process is read by the next one.
    const session = (await this.#sessionsOf(agent)).findLast(({ endedAt }) => endedAt >= at);
    if (session === undefined) return [];
    const acts = await this.#actsOf(agent, session);
    return idsOf(acts.filter((act) => act.at > at && act.at <= session.endedAt));
  }

  #actsOf(agent: string, { openedAt, endedAt }: Session): Promise<readonly RecordedEntry[]> {
    const key = `${openedAt} ${agent}`;
    let acts = this.#acts.get(key);
    if (acts === undefined) {
      acts = this.#entries(agent, { since: openedAt - lateMs, until: endedAt + lateMs }, [
        { kind: 'message.outbound', actor: `agent:${agent}` },
        { kind: 'tool.intent', actor: `agent:${agent}` },
        { kind: 'memory.written', actor: 'node' },
      ]);
      this.#acts.set(key, acts);
    }
    return acts;
  }

  async #entries(
    agent: string,
    window: { readonly since: number; readonly until: number },
    asked: readonly { readonly kind: string; readonly actor: string }[],
  ): Promise<readonly RecordedEntry[]> {
    const found = await Promise.all(asked.map((one) => this.#newest({ ...one, ...window }, actsMax)));
    if (found.some(({ length }) => length >= actsMax)) this.cut = true;
    return found.flat().filter(({ actor, detail }) => actor !== 'node' || detail['agent'] === agent);
  }

  /** Newest first. */
  #sessionsOf(agent: string): Promise<readonly Session[]> {
    let sessions = this.#sessions.get(agent);
    if (sessions === undefined) {
      sessions = this.#readSessions(`agent:${agent}`);
      this.#sessions.set(agent, sessions);
    }
    return sessions;
  }

  async #readSessions(actor: string): Promise<readonly Session[]> {
    const opened = await this.#newest({ kind: 'session.opened', actor }, actsMax);
    const ended = await this.#newest({ kind: 'session.ended', actor }, actsMax);
    if (opened.length >= actsMax) this.cut = true;
    const endOf = new Map(ended.map(({ detail, at }) => [detail['incarnation'], at]));
    return opened.map(({ detail, at }, newer) => ({
      openedAt: at,
      // A process that was killed ended at the latest when the next one began.
      endedAt: endOf.get(detail['incarnation']) ?? opened[newer - 1]?.at ?? endless,
    }));
  }
}

/** Who was given something by this step, and when; null where it gave nothing to an agent. */
function reading({ kind, actor, at, outcome, detail }: RecordedEntry): Moment | null {
  if (outcome === 'NO-GO') return null;
  switch (kind) {
    case 'message.delivered':
      return { agent: nameIn(actor), at };
    case 'tool.outcome':
      return typeof detail['action'] === 'string' ? null : { agent: nameIn(actor), at };
    case 'memory.read':
    case 'knowledge.read':
      // A sidecar that was taken over names whom it likes; the node names whom it gave something.
      return actor !== 'node' ? null : { agent: String(detail['agent'] ?? ''), at };
    default:
      return null;
  }
}

function idsOf(entries: readonly RecordedEntry[]): readonly string[] {
  const newestFirst = entries.toSorted((a, b) => b.sequence - a.sequence);
  const ids = newestFirst.map(({ kind, message, detail }) =>
    kind === 'memory.written' && typeof detail['item'] === 'string' ? detail['item'] : message);
  return [...new Set(ids.filter((id) => id !== null))];
}

function nameIn(actor: string): string {
  return actor.slice(actor.indexOf(':') + 1);
}
