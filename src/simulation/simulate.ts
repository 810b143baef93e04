// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { CedarPolicies } from '../policy/cedar.ts';
import type { SchemaRegistry } from '../scanner/schema-registry.ts';
import { parseEntry } from '../verifier/entry.ts';
import { Findings } from '../verifier/findings.ts';
import { Writers } from '../verifier/writers.ts';
import { Faults } from './faults.ts';
import type { Ground } from './ground.ts';
import type { Identities } from './identities.ts';
import { Network } from './network.ts';
import { Observed, type Violation } from './observed.ts';
import { SimulatedAgents } from './simulated-agents.ts';
import { SimulatedNode } from './simulated-node.ts';
import { SimulatedPeople } from './simulated-people.ts';
import { SimulatedSidecar } from './simulated-sidecar.ts';
import { Weakening, type Weakness } from './weaken.ts';
import { World, beginMs, type Settle } from './world.ts';

/** What every run of a batch shares. */
export type Stage = {
  readonly mesh: Mesh;
  readonly cedar: CedarPolicies | null;
  readonly schemas: SchemaRegistry;
  readonly identities: Identities;
  readonly settle: Settle;
};

export type SimulationOptions = {
  readonly seed: number;
  /** Of simulated time in which things break; afterwards all is mended, and a minute passes. */
  readonly forMs: number;
  /** Guard to break on purpose; null: none. */
  readonly weakness: Weakness | null;
  /** Told of what happens, for a replay; absent: nobody is. */
  readonly told?: (line: string) => void;
};

export type SimulationReport = {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly steps: number;
  readonly simulatedMs: number;
  /** Over everything that was done: the same for the same seed. */
  readonly trace: string;
  readonly faults: { readonly [kind: string]: number };
  readonly entries: number;
  readonly toolCalls: number;
  readonly accepted: number;
  /** What components said went wrong; no violation by itself. */
  readonly reports: number;
};

const mendedMs = 24_000;
const violationsMax = 20;

/**
 * One run: a small fleet whose agents do their worst, on machines that crash, under people who decide, for
 * a while; then everything works again. After every step all is held against what is promised.
 */
export async function simulate(stage: Stage, options: SimulationOptions): Promise<SimulationReport> {
  const world = new World(options.seed, stage.settle, options.told);
  const { mesh, cedar, identities, schemas } = stage;
  const observed = new Observed(world, mesh, identities);
  let reports = 0;
  const weaken = new Weakening(options.weakness);
  const ground: Ground = {
    world, mesh, cedar, identities, observed, weaken,
    schemas: weaken.schemas(schemas),
    network: new Network(world),
    report: (who, failure) => {
      reports += 1;
      const text = failure instanceof Error ? `${failure.name}: ${failure.message}` : String(failure);
      observed.said(text);
      world.note(`${who} reports ${text.slice(0, 80)}`);
    },
  };
  const run = new Run(ground);
  await run.begin();
  const steps = await run.until(beginMs + options.forMs) + (await run.mend());
  await run.close();
  return {
    seed: options.seed,
    violations: observed.violations.slice(0, violationsMax),
    steps,
    simulatedMs: world.nowMs - beginMs,
    trace: world.digest(),
    faults: Object.fromEntries([...run.faults.counts].sort()),
    entries: observed.entries,
    toolCalls: observed.handed.size,
    accepted: observed.accepted.size,
    reports,
  };
}

class Run {
  readonly faults: Faults;
  readonly #ground: Ground;
  readonly #node: SimulatedNode;
  readonly #sidecars = new Map<string, SimulatedSidecar>();
  readonly #agents: SimulatedAgents;
  readonly #people: SimulatedPeople;
  #isOver = false;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#node = new SimulatedNode(ground);
    for (const name of ground.mesh.agents.keys()) {
      this.#sidecars.set(name, new SimulatedSidecar(name, ground, this.#node));
    }
    this.#agents = new SimulatedAgents(ground, this.#sidecars);
    this.#people = new SimulatedPeople(ground, this.#node, this.#sidecars);
    this.faults = new Faults(ground, this.#node, this.#sidecars);
  }

  async begin(): Promise<void> {
    const { world } = this.#ground;
    this.#node.start().catch((failure: unknown) => this.#ground.report('node', failure));
    await world.settled();
    for (const sidecar of this.#sidecars.values()) sidecar.start();
    this.#again(20, 160, () => this.#agents.act());
    this.#again(100, 700, () => this.#people.act());
    this.#again(300, 3_000, () => this.#people.revive());
    this.#again(500, 4_500, () => this.faults.strike());
  }

  async until(untilMs: number): Promise<number> {
    const { world, observed } = this.#ground;
    let steps = 0;
    while (observed.violations.length < violationsMax && (await world.step(untilMs))) {
      steps += 1;
      this.#look();
    }
    return steps;
  }

  /** No more faults, and everybody who was stopped is led back: nothing that was promised may be missing then. */
  async mend(): Promise<number> {
    const { world, network, observed } = this.#ground;
    this.#isOver = true;
    for (const agent of this.#sidecars.keys()) network.heal(agent);
    for (let round = 0; round < 9; round += 1) {
      world.after(round * 2_000, null, () => this.#people.leadBack());
      world.after(round * 2_000 + 1_000, null, () => this.#people.revive());
    }
    const steps = await this.until(world.nowMs + mendedMs);
    if (observed.violations.length > 0) return steps;
    observed.atTheEnd((body) => this.#isKept(body.to, body.id));
    for (const [key, { operation }] of observed.handed) {
      const kept = this.#sidecars.get('payments')?.run?.intents.find(key) ?? null;
      if (kept === null && observed.hadEffect(key)) observed.violated('G10', `${operation} had an effect that nobody remembers`);
    }
    this.#missNone();
    await this.#tamper();
    return steps;
  }

  async close(): Promise<void> {
    this.#agents.end();
    await this.#ground.world.settled();
    this.#node.crash();
    for (const sidecar of this.#sidecars.values()) sidecar.crash();
    this.#node.file.close();
    for (const sidecar of this.#sidecars.values()) sidecar.file.close();
  }

  #look(): void {
    const run = this.#node.run;
    this.#ground.observed.look(this.#node.log.lines, run === null ? null : {
      paceVersion: run.keeper.version,
      revocationVersion: run.revocations.list.version,
      allows: (agent) => run.keeper.clamp(agent).allows,
    });
  }

  /** In the inbox, or still in the queue: for a recipient that never came back it waits there. */
  #isKept(to: string, id: string): boolean {
    if ((this.#sidecars.get(to)?.run?.store.message(id) ?? null) !== null) return true;
    const waiting = this.#node.run?.context.queue.pending(to, new Set(), 10_000) ?? [];
    return waiting.some((message) => message.id === id);
  }

  /** G8: the verifier misses no entry that a sidecar was told is on record, and none is numbered wrongly. */
  #missNone(): void {
    const findings = new Findings(violationsMax);
    const writers = new Writers(findings);
    for (const line of this.#node.log.lines) {
      const entry = parseEntry(Buffer.from(line));
      if (entry !== null) writers.look(entry);
    }
    for (const { code, sequence } of findings.inOrder()) {
      this.#ground.observed.violated('G8', `${code} at ${sequence}`);
    }
  }

  /** G8: an operator with the disk in hand cuts the log, or writes into it. Opening it must say so. */
  async #tamper(): Promise<void> {
    const { observed } = this.#ground;
    const lines = this.#node.log.lines;
    const cut = lines.slice(0, Math.floor(lines.length / 2));
    const written = lines.map((line, index) =>
      (index === lines.length >> 2 ? line.replace(/"at":\d+/, '"at":1') : line));
    for (const [how, forged] of [['cut', cut], ['rewritten', written]] as const) {
      if (await this.#node.opens(forged)) observed.violated('G8', `a log that was ${how} was taken for whole`);
    }
  }

  #again(fromMs: number, toMs: number, act: () => void): void {
    const { world } = this.#ground;
    world.after(world.chance.between(fromMs, toMs), null, () => {
      if (this.#isOver) return;
      act();
      this.#again(fromMs, toMs, act);
    });
  }
}
