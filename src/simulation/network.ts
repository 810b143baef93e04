// SPDX-License-Identifier: Apache-2.0
import type { Line } from '../bus/control-port.ts';
import { parseNodeFrame, parseSidecarFrame } from '../wire/parse-frame.ts';
import type { NodeFrame, SidecarFrame } from '../wire/frame.ts';
import type { World } from './world.ts';

/** What a node does with one connected sidecar. */
export type Accepted = {
  readonly receive: (frame: SidecarFrame) => void;
  readonly closed: () => void;
};

export type Acceptor = {
  /** Null while it is down, or where it does not take that identity. */
  accept(chainPem: string, line: Line): Accepted | null;
};

/** The sidecar's end of a line. */
export type DialledLine = {
  readonly send: (frame: SidecarFrame) => void;
  readonly close: () => void;
};

export type LineEvents = {
  readonly frame: (frame: NodeFrame) => void;
  readonly lost: (code: string) => void;
};

/** How the network is just now; the faults of a run set it. */
export type Weather = {
  latencyMs: number;
  /** Share of deliveries and publications that arrive twice. */
  twice: number;
  /** Share of frames that may overtake others. */
  overtaking: number;
  /** Agents whose lines lead nowhere. */
  readonly cut: Set<string>;
};

/** Kinds that an attacker on the way, or a node that restarts, brings again. */
const repeated: ReadonlySet<string> = new Set(['deliver', 'publish']);
/** Kinds that mean something by their place on the line, which TCP keeps. */
const inOrder: ReadonlySet<string> =
  new Set(['hello', 'welcome', 'revocations', 'policy', 'delivered', 'lease']);

/**
 * Lines between sidecars and a node. Frames go through the real writing and parsing; they are late, come
 * twice or out of order, or never, as the weather says.
 */
export class Network {
  readonly weather: Weather = { latencyMs: 4, twice: 0, overtaking: 0, cut: new Set() };
  readonly #world: World;
  readonly #open = new Set<SimulatedLine>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Calls `lost` soon where nobody answers. */
  dial(agent: string, chainPem: string, node: Acceptor, events: LineEvents): DialledLine {
    const line = new SimulatedLine(agent, this.#world, this.weather, events, (gone) => this.#open.delete(gone));
    this.#open.add(line);
    this.#world.after(this.weather.latencyMs, null, () => line.connect(chainPem, node));
    return line;
  }

  /** The lines of an agent lead nowhere until `heal`; both ends find out some time later. */
  cut(agent: string): void {
    this.weather.cut.add(agent);
    for (const line of this.#open) {
      if (line.agent !== agent) continue;
      line.sever();
      this.#world.after(this.#world.chance.between(300, 4_000), null, () => line.end('SIDECAR_BUS_UNREACHABLE'));
    }
  }

  heal(agent: string): void {
    this.weather.cut.delete(agent);
  }

  /** A process crashed: its sockets are closed by its machine. */
  dropAll(of: (line: { readonly agent: string }) => boolean): void {
    for (const line of this.#open) if (of(line)) line.end('SIDECAR_BUS_UNREACHABLE');
  }
}

class SimulatedLine implements DialledLine {
  readonly agent: string;
  readonly #world: World;
  readonly #weather: Weather;
  readonly #events: LineEvents;
  readonly #gone: (line: SimulatedLine) => void;
  /** By the header of the envelopes that it proves. */
  readonly #chains = new Map<string, string>();
  #accepted: Accepted | null = null;
  readonly #early: SidecarFrame[] = [];
  #ended = false;
  /** Nothing arrives any more, also when the network is mended: a connection loses no frame in its midst. */
  #severed = false;
  #lastToNode = 0;
  #lastToSidecar = 0;

  constructor(
    agent: string,
    world: World,
    weather: Weather,
    events: LineEvents,
    gone: (line: SimulatedLine) => void,
  ) {
    this.agent = agent;
    this.#world = world;
    this.#weather = weather;
    this.#events = events;
    this.#gone = gone;
  }

  connect(chainPem: string, node: Acceptor): void {
    if (this.#ended) return;
    const isCut = this.#weather.cut.has(this.agent);
    this.#accepted = isCut ? null : node.accept(chainPem, {
      send: (frame) => this.#toSidecar(frame),
      drop: (code) => void this.#world.after(this.#weather.latencyMs, null, () => this.end(code)),
      isAlive: async () => {
        await this.#world.wait(this.#weather.latencyMs * 2, null);
        return !this.#ended && !this.#weather.cut.has(this.agent);
      },
    });
    if (this.#accepted === null) this.end('SIDECAR_BUS_UNREACHABLE');
    else this.#opened();
  }

  send(frame: SidecarFrame): void {
    const bytes = Buffer.from(JSON.stringify(frame));
    if (this.#accepted === null) {
      this.#early.push(frame);
      return;
    }
    this.#lastToNode = this.#carry(frame.kind, this.#lastToNode, () => {
      const parsed = parseSidecarFrame(bytes);
      if (parsed.ok) this.#accepted?.receive(parsed.frame);
      else this.end('BUS_FRAME_MALFORMED');
    });
  }

  #opened(): void {
    for (const frame of this.#early.splice(0)) this.send(frame);
  }

  sever(): void {
    this.#severed = true;
  }

  close(): void {
    this.end('closed');
  }

  end(code: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gone(this);
    this.#accepted?.closed();
    this.#events.lost(code);
  }

  #toSidecar(given: NodeFrame): void {
    const frame = given.kind === 'deliver' ? { ...given, chain: this.#chainOf(given) } : given;
    const bytes = Buffer.from(JSON.stringify(frame));
    this.#lastToSidecar = this.#carry(frame.kind, this.#lastToSidecar, () => {
      const parsed = parseNodeFrame(bytes);
      if (parsed.ok) this.#events.frame(parsed.frame);
      else this.end('BUS_FRAME_MALFORMED');
    });
  }

  /** A node shows each chain once on a line, and trusts the line's order; here frames overtake each other. */
  #chainOf({ envelope, chain }: Extract<NodeFrame, { kind: 'deliver' }>): string | null {
    const [header = ''] = envelope.split('.');
    if (chain !== null) this.#chains.set(header, chain);
    return this.#chains.get(header) ?? null;
  }

  #carry(kind: string, lastMs: number, arrive: () => void): number {
    const { chance } = this.#world;
    const { latencyMs, twice, overtaking, cut } = this.#weather;
    const bring = (atMs: number): void => void this.#world.after(atMs - this.#world.nowMs, null, () => {
      if (!this.#ended && !this.#severed && !cut.has(this.agent)) arrive();
    });
    const soonest = this.#world.nowMs + chance.between(1, latencyMs);
    const mayOvertake = !inOrder.has(kind) && chance.hits(overtaking);
    const atMs = mayOvertake ? soonest + chance.between(0, 200) : Math.max(soonest, lastMs);
    bring(atMs);
    if (repeated.has(kind) && chance.hits(twice)) bring(atMs + chance.between(0, 2_000));
    return mayOvertake ? lastMs : atMs;
  }
}
