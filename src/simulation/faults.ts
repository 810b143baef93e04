// SPDX-License-Identifier: Apache-2.0
import type { Ground } from './ground.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedSidecar } from './simulated-sidecar.ts';

export const faultKinds = [
  'crash-sidecar', 'crash-node', 'partition', 'clock', 'slow-disk', 'disk-refuses', 'duplicates', 'reorder', 'latency',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What breaks, how long for, and how often it did. Every fault ends by itself. */
export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #ground: Ground;
  readonly #node: SimulatedNode;
  readonly #sidecars: ReadonlyMap<string, SimulatedSidecar>;

  constructor(ground: Ground, node: SimulatedNode, sidecars: ReadonlyMap<string, SimulatedSidecar>) {
    this.#ground = ground;
    this.#node = node;
    this.#sidecars = sidecars;
  }

  strike(): void {
    const { world } = this.#ground;
    const { chance } = world;
    const [first, ...others] = this.#sidecars.values();
    if (first === undefined) return;
    const sidecar = chance.pick([first, ...others]);
    const kind = chance.pick(faultKinds);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    world.note(`fault: ${kind} ${sidecar.agent}`);
    this.#begin(kind, sidecar, chance.between(100, 6_000));
  }

  #begin(kind: FaultKind, sidecar: SimulatedSidecar, forMs: number): void {
    const { world, network } = this.#ground;
    const { chance } = world;
    const { weather } = network;
    const { mood } = chance.hits(0.5) ? this.#node.file : sidecar.file;
    const { clock } = chance.hits(0.3) ? this.#node : sidecar;
    switch (kind) {
      case 'crash-sidecar':
        return this.#crash(sidecar, forMs);
      case 'crash-node':
        return this.#crashNode(forMs);
      case 'partition':
        network.cut(sidecar.agent);
        return this.#then(forMs, () => network.heal(sidecar.agent));
      case 'clock':
        clock.offMs = chance.pick([-5_000, -900, 400, 900, 5_000]);
        return this.#then(forMs, () => {
          clock.offMs = 0;
        });
      case 'slow-disk':
        mood.slowMs = chance.between(20, 1_500);
        return this.#then(forMs, () => {
          mood.slowMs = 1;
        });
      case 'disk-refuses':
        this.#node.file.mood.refuses = true;
        return this.#then(forMs, () => {
          this.#node.file.mood.refuses = false;
        });
      case 'duplicates':
        weather.twice = 0.5;
        return this.#then(forMs, () => {
          weather.twice = 0;
        });
      case 'reorder':
        weather.overtaking = 0.4;
        return this.#then(forMs, () => {
          weather.overtaking = 0;
        });
      case 'latency':
        weather.latencyMs = chance.between(50, 900);
        return this.#then(forMs, () => {
          weather.latencyMs = 4;
        });
      default:
        return kind satisfies never;
    }
  }

  #crash(sidecar: SimulatedSidecar, forMs: number): void {
    if (sidecar.run === null) return;
    sidecar.crash();
    this.#ground.network.dropAll(({ agent }) => agent === sidecar.agent);
    this.#then(forMs, () => sidecar.start());
  }

  #crashNode(forMs: number): void {
    if (this.#node.run === null) return;
    this.#node.crash();
    this.#ground.network.dropAll(() => true);
    this.#then(forMs, () => {
      this.#node.start().catch((failure: unknown) => this.#ground.report('node', failure));
    });
  }

  #then(afterMs: number, run: () => void): void {
    this.#ground.world.after(afterMs, null, run);
  }
}
