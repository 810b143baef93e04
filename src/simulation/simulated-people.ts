// SPDX-License-Identifier: Apache-2.0
import { signPaceOrder } from '../pace/statement.ts';
import { signOperatorDecision } from '../identity/operator-signature.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { PaceOrder } from '../pace/book.ts';
import { agentUnit, type PaceUnit } from '../pace/unit.ts';
import type { Ground } from './ground.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedSidecar } from './simulated-sidecar.ts';

type Person = 'alice' | 'bob';

/** Operators: they decide what waits, often wrongly, and at times stop a part of the mesh or lead it back. */
export class SimulatedPeople {
  readonly #ground: Ground;
  readonly #node: SimulatedNode;
  readonly #sidecars: ReadonlyMap<string, SimulatedSidecar>;

  constructor(ground: Ground, node: SimulatedNode, sidecars: ReadonlyMap<string, SimulatedSidecar>) {
    this.#ground = ground;
    this.#node = node;
    this.#sidecars = sidecars;
  }

  act(): void {
    const { chance } = this.#ground.world;
    const [approval] = this.#node.pending();
    if (approval !== undefined && chance.hits(0.8)) return this.#decide(approval);
    if (chance.hits(0.07)) {
      const agent = chance.pick(['reader', 'planner', 'payments', 'mallory']);
      const unit: PaceUnit = chance.hits(0.15) ? { kind: 'zone', value: 'outside' } : agentUnit(agent);
      return this.#order(chance.pick<PaceOrder>([
        { op: 'kill', unit }, { op: 'raise', unit: agentUnit(agent), to: 'ALTERNATE' },
        { op: 'raise', unit: { kind: 'workflow', value: 'paying' }, to: 'CONTINGENCY' },
        { op: 'halt', unit: agentUnit(agent) },
      ]), 'alice');
    }
    if (chance.hits(0.9)) this.leadBack();
  }

  /** Whatever stands still is led back one step; what was ended comes back as another instance. */
  leadBack(): void {
    const { keeper } = this.#node.run ?? {};
    if (keeper === undefined) return;
    for (const stop of keeper.book.stops.values()) {
      if (stop.stage === 'suspended') this.#order({ op: 'confirm', stop: stop.id }, 'bob');
      else if (stop.stage === 'frozen' || stop.stage === 'drain') this.#order({ op: 'resume', stop: stop.id }, 'alice');
    }
    const [state] = [...keeper.book.units.values()].filter(({ phase }) => phase !== 'PRIMARY');
    if (state === undefined) return;
    const evidence = { rootCause: 'a hostile text', remediation: 'removed', baselines: 'taken anew' };
    this.#order({ op: 'recover', unit: state.unit, incident: state.incident ?? '', evidence }, 'alice');
  }

  /** Starts agents anew whose identities a kill ended, once PACE lets them. */
  revive(): void {
    const run = this.#node.run;
    if (run === null) return;
    for (const sidecar of this.#sidecars.values()) {
      const { spiffeId } = sidecar.credential;
      const isRevoked = run.revocations.list.isSenderRevoked(sidecar.agent, spiffeId);
      if (!isRevoked || run.keeper.clamp(sidecar.agent).allows === 'nothing' || !sidecar.reissue()) continue;
      this.#ground.world.note(`${sidecar.agent} comes back as another instance`);
      this.#ground.network.dropAll(({ agent }) => agent === sidecar.agent);
      sidecar.crash();
      sidecar.start();
    }
  }

  #decide(approval: ReturnType<SimulatedNode['pending']>[number]): void {
    const { world, identities, observed } = this.#ground;
    const { chance } = world;
    const operator: Person = chance.pick(['alice', 'bob']);
    const key = identities.operators.get(operator);
    if (key === undefined) return;
    const decision = chance.hits(0.8) ? 'approve' : 'deny';
    const { id, hold } = approval;
    if (decision === 'approve') {
      // Before it is answered: the executor may hear of it first.
      const known = observed.approvals.get(hold.message) ?? new Set();
      observed.approvals.set(hold.message, known.add(operator));
    }
    world.note(`${operator} says ${decision} to ${hold.action}`);
    this.#node.decide(signOperatorDecision(
      { approval: id, digest: hold.digest, decision, operator, at: this.#node.clock.nowMs(), reason: '' }, key,
    ))?.catch((failure: unknown) => this.#ground.report('people', failure));
  }

  #order(order: PaceOrder, operator: Person): void {
    const { world, identities } = this.#ground;
    const key = identities.operators.get(operator);
    if (key === undefined) return;
    world.note(`${operator} orders ${order.op}`);
    const at = this.#node.clock.nowMs();
    const signed = signPaceOrder({ id: mintUlid(this.#node.clock, world.chance), order, operator, at, reason: '' }, key);
    this.#node.order(signed)?.then(
      (answer) => world.note(`${order.op}: ${answer.ok ? 'done' : answer.code}`),
      (failure: unknown) => this.#ground.report('people', failure),
    );
  }
}
