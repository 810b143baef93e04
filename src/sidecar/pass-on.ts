// SPDX-License-Identifier: Apache-2.0
import type { MandateCode } from '../mandate/codes.ts';
import { depthDefault, depthMax, rightKey } from '../mandate/mandate.ts';
import type { EffectiveMandate, Right } from '../mandate/mandate.ts';
import { issueMandate, narrow, readUnverified, type IssuedMandate } from '../mandate/narrow.ts';
import { rightsWidening } from '../mandate/right.ts';
import { performRightsOf, requestRightsOf } from '../mandate/scope.ts';
import type { Agent } from '../mesh/mesh.ts';
import { parseActionRequest } from '../message/action-request-parse.ts';
import { actionRequestSchema } from '../message/action-request.ts';
import type { Outgoing } from '../message/envelope.ts';
import type { SidecarContext } from './context.ts';
import type { SidecarCode } from './codes.ts';
import type { HeldMandate } from './ports.ts';

/** Terms that the caller may set; what is left out is as wide as it can be. Only ever narrower. */
export type AskedMandate = {
  readonly rights: readonly Right[] | null;
  readonly lifetimeMs: number | null;
  readonly output: string | null;
  readonly maxDepth: number | null;
};

export type Passed =
  | { readonly ok: true; readonly chain: string | null }
  | { readonly ok: false; readonly code: MandateCode | SidecarCode };

/** Where the speaker stands: in which task, and what it holds for it, newest last. */
export type Standing = {
  readonly task: string;
  /** The speaker started this task for a person: the mandates for it begin with it. */
  readonly isOrigin: boolean;
  readonly held: readonly HeldMandate[];
};

/** Chains given to one delegate for one task that may live at a time; the node takes no more. */
const liveGivenMax = 16;

const nothing: Passed = { ok: true, chain: null };

/**
 * The mandate that a message takes along. An action request presents the one it acts under; another
 * instruction gives the recipient a narrower one, or a first one where the speaker is the
 * originator. Without terms of the caller, whatever cannot be passed on is not, and the recipient
 * can ask for nothing; terms that cannot be met are refused with their code. A chain is durable
 * before it leaves, so that a restart passes the same one on.
 */
export async function passOn(
  outgoing: Outgoing,
  standing: Standing,
  asked: AskedMandate | null,
  context: SidecarContext,
): Promise<Passed> {
  const to = context.mesh.agents.get(outgoing.to);
  if (outgoing.type !== 'instruction' || to === undefined) return unless(asked);
  const isOrigin = standing.isOrigin || startedHere(standing.task, context);
  if (outgoing.schema === actionRequestSchema) {
    const own = presentable(outgoing, standing.held, context);
    if (own !== null || !isOrigin || to.role !== 'EXECUTOR') return { ok: true, chain: own };
    // An originator that asks by itself lets the executor perform; nobody else holds the mandate.
    return issue(to, performRightsOf(context.mesh, context.agent.name, to), standing, null, context);
  }
  if (isOrigin) {
    const hops = (asked?.maxDepth ?? depthDefault) - 1;
    return issue(to, requestRightsOf(context.mesh, to, hops), standing, asked, context);
  }
  const own = newestOwn(standing.held, context);
  return own === null ? unless(asked) : handOn(own, to, standing, asked, context);
}

function unless(asked: AskedMandate | null): Passed {
  return asked === null ? nothing : { ok: false, code: 'SIDECAR_MANDATE_ABSENT' };
}

/** A restart forgets which tasks were started here, and not what was issued for them. */
function startedHere(task: string, { agent, store }: SidecarContext): boolean {
  if (!agent.originator) return false;
  return store.givenMandates(task).some(({ chain }) => {
    const read = readUnverified(chain);
    return read.ok && read.mandate.path[0] === `agent:${agent.name}`;
  });
}

/** Of the mandates held for the task, one that grants the action; else the newest. */
function presentable(
  outgoing: Outgoing,
  held: readonly HeldMandate[],
  context: SidecarContext,
): string | null {
  const request = parseActionRequest(outgoing.payload);
  const key = request.ok ? `request ${outgoing.to} ${request.request.action}` : '';
  const own = ownChains(held, context);
  const granting = own.findLast(({ mandate }) => mandate.rights.some((right) => rightKey(right) === key));
  return (granting ?? own.at(-1))?.chain ?? held.findLast(({ isOwn }) => isOwn)?.chain ?? null;
}

type Own = { readonly chain: string; readonly mandate: EffectiveMandate };

function newestOwn(held: readonly HeldMandate[], context: SidecarContext): Own | null {
  return ownChains(held, context).at(-1) ?? null;
}

function ownChains(held: readonly HeldMandate[], { clock }: SidecarContext): readonly Own[] {
  return held.flatMap(({ chain, isOwn }) => {
    const read = isOwn ? readUnverified(chain) : null;
    const lives = read?.ok === true && clock.nowMs() < read.mandate.expiresAt;
    return lives ? [{ chain, mandate: read.mandate }] : [];
  });
}

/** The first mandate of a task, signed with this agent's own identity. */
async function issue(
  to: Agent,
  widest: readonly Right[],
  { task }: Standing,
  asked: AskedMandate | null,
  context: SidecarContext,
): Promise<Passed> {
  const given = asked === null ? stillGood(task, to, null, context) : null;
  if (given !== null) return { ok: true, chain: given };
  const rights = asked?.rights ?? widest;
  const widening = rightsWidening(widest, rights);
  if (widening !== null) return { ok: false, code: widening };
  if (rights.length === 0) return unless(asked);
  const { agent, clock, mesh } = context;
  const credential = context.credential();
  const nowMs = clock.nowMs();
  const endsMs = asked?.lifetimeMs === undefined || asked.lifetimeMs === null
    ? credential.expiresAtMs
    : Math.min(credential.expiresAtMs, nowMs + asked.lifetimeMs);
  const maxDepth = asked?.maxDepth ?? depthDefault;
  if (maxDepth >= depthMax) return { ok: false, code: 'MANDATE_DEPTH_UNAPPROVED' };
  const issued = issueMandate({
    audience: to.name,
    task,
    sponsor: sponsorOf(agent),
    rights,
    // Another host's clock may be behind this one.
    notBefore: nowMs - mesh.limits.clockSkewMs,
    expiresAt: endsMs,
    output: asked?.output ?? null,
    maxDepth,
    approval: null,
    oispec: to.oispec?.digest ?? null,
  }, { kind: 'nhi', credential });
  return keep(issued, task, to, context);
}

/** The speaker's own mandate, narrowed for another agent. */
async function handOn(
  own: Own,
  to: Agent,
  { task }: Standing,
  asked: AskedMandate | null,
  context: SidecarContext,
): Promise<Passed> {
  const { agent, mesh } = context;
  const { mandate } = own;
  if (mandate.path.includes(`agent:${to.name}`)) {
    // It has a wider one already. The own one goes along to show under what it is asked.
    return asked === null ? { ok: true, chain: own.chain } : { ok: false, code: 'MANDATE_CYCLE' };
  }
  const hopsMax = agent.oispec?.canDelegate === true ? agent.oispec.maxDelegationDepth : 0;
  if (hopsMax < 1) return asked === null ? nothing : { ok: false, code: 'MANDATE_DELEGATION_FORBIDDEN' };
  const maxDepth = asked?.maxDepth ?? Math.min(mandate.maxDepth, mandate.depth + hopsMax);
  if (mandate.depth + 1 > maxDepth) {
    return asked === null ? nothing : { ok: false, code: 'MANDATE_DEPTH_EXCEEDED' };
  }
  const given = asked === null ? stillGood(task, to, mandate, context) : null;
  if (given !== null) return { ok: true, chain: given };
  const usable = new Set(
    requestRightsOf(mesh, to, maxDepth - mandate.depth - 1).map((right) => rightKey(right)),
  );
  const rights = asked?.rights ?? mandate.rights.filter((right) => usable.has(rightKey(right)));
  if (rights.length === 0) return unless(asked);
  const endsMs = asked?.lifetimeMs ?? null;
  const issued = narrow(
    own.chain,
    {
      audience: to.name,
      oispec: to.oispec?.digest ?? null,
      rights,
      maxDepth,
      ...(endsMs === null ? {} : { expiresAt: narrowedEnd(endsMs, mandate, context) }),
      ...(asked === null || asked.output === null ? {} : { output: asked.output }),
    },
    context.credential(),
  );
  if (!issued.ok && asked === null) return nothing;
  return keep(issued, task, to, context);
}

function narrowedEnd(lifetimeMs: number, mandate: EffectiveMandate, context: SidecarContext): number {
  const { expiresAtMs } = context.credential();
  return Math.min(context.clock.nowMs() + lifetimeMs, mandate.expiresAt, expiresAtMs);
}

/** What was given to this delegate before, while a quarter of its time or more is left. */
function stillGood(
  task: string,
  to: Agent,
  parent: EffectiveMandate | null,
  { store, clock }: SidecarContext,
): string | null {
  for (const { delegate, chain } of store.givenMandates(task)) {
    const read = delegate === to.name ? readUnverified(chain) : null;
    if (read?.ok !== true || read.mandate.lineage.at(-2) !== parent?.id) continue;
    const { notBefore, expiresAt, budgets } = read.mandate;
    const leftMs = expiresAt - clock.nowMs();
    // Limits are counted by mandate: a second one would start to count anew.
    if (leftMs > 0 && (budgets.length > 0 || leftMs * 4 >= expiresAt - notBefore)) return chain;
  }
  return null;
}

async function keep(
  issued: IssuedMandate,
  task: string,
  to: Agent,
  { store, clock }: SidecarContext,
): Promise<Passed> {
  if (!issued.ok) return { ok: false, code: issued.code };
  const live = store.givenMandates(task).filter(({ delegate, chain }) => {
    const read = delegate === to.name ? readUnverified(chain) : null;
    return read?.ok === true && clock.nowMs() < read.mandate.expiresAt;
  });
  if (live.length >= liveGivenMax) return { ok: false, code: 'SIDECAR_MANDATE_LIMIT' };
  await store.giveMandate({ task, delegate: to.name, chain: issued.chain }, clock.nowMs());
  return { ok: true, chain: issued.chain };
}

/** A sponsor in the mesh file is any text; in a mandate it is a name. */
function sponsorOf({ name, sponsor }: Agent): string {
  return /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/.test(sponsor ?? '') ? (sponsor ?? name) : name;
}
