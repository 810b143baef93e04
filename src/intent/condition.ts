// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { IntentCode } from './codes.ts';
import { departuresOf } from './plan.ts';
import type { PlacedMark } from './progress.ts';

/** Who asks for which action, of whom. */
export type Asked = { readonly action: string; readonly requester: string; readonly executor: string };

export type Condition = {
  readonly outcome: 'NO-GO' | 'ESCALATE';
  readonly code: IntentCode;
  /** What it waits for: an agent, an action, or a phase of a workflow. */
  readonly of: string;
};

/**
 * What the task, as far as it has come, says against an action; refusals first. Empty: nothing. Order
 * of actions (OI-2.1), plans (PG-3.4), challengers (PG-3.5), questions that are open (PG-2.10), and
 * phases of workflows that are in doubt (OI-2.3) or that nobody has judged yet.
 */
export function conditionsAgainst(
  asked: Asked,
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Condition[] {
  const { action, requester, executor } = asked;
  const found = [
    ...orderAgainst(action, [requester, executor], marks, mesh),
    ...departuresOf(asked, marks, mesh),
    ...questionsIn(marks),
    ...challengesAgainst(action, marks, mesh),
    ...doubtsAgainst([requester, executor], marks, mesh),
    ...judgedAgainst(asked, marks, mesh),
  ];
  return [...found.filter(({ outcome }) => outcome === 'NO-GO'), ...found.filter(({ outcome }) => outcome !== 'NO-GO')];
}

function orderAgainst(
  action: string,
  agents: readonly string[],
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Condition[] {
  const order = agents.flatMap((name) => mesh.agents.get(name)?.oispec?.actionOrder ?? []);
  const before = order.filter((one) => one.action === action).flatMap(({ after }) => after);
  const done = new Set(marks.flatMap(({ mark }) => (mark.kind === 'action' ? [mark.action] : [])));
  return [...new Set(before)]
    .filter((one) => !done.has(one))
    .map((of) => ({ outcome: 'NO-GO', code: 'INTENT_ORDER', of }));
}

/** A claim made after a challenger's answer is one that it has not answered. */
function challengesAgainst(
  action: string,
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Condition[] {
  const challengers = mesh.actions.get(action)?.assurance?.challengedBy ?? [];
  const claims = marks.filter(({ mark }) => mark.kind === 'claim').map(({ place }) => place);
  const newestClaim = Math.max(0, ...claims);
  return challengers.flatMap((of): readonly Condition[] => {
    const answer = marks.find(({ mark }) => mark.kind === 'challenge' && mark.by === of);
    const standing = answer?.mark.kind === 'challenge' ? answer.mark.standing : null;
    if (answer === undefined || standing === null || !(answer.place > newestClaim)) {
      return [{ outcome: 'NO-GO', code: 'INTENT_CHALLENGE_MISSING', of }];
    }
    switch (standing) {
      case 'stands':
        return [];
      case 'doubtful':
        return [{ outcome: 'ESCALATE', code: 'INTENT_CHALLENGE_DOUBTFUL', of }];
      case 'falls':
        return [{ outcome: 'NO-GO', code: 'INTENT_CHALLENGE_FELL', of }];
      default:
        return standing satisfies never;
    }
  });
}

/**
 * Whoever could not know what was wanted, and whoever asked and was not answered yet, has not
 * understood the task: nothing is done in it on a guess. An answer counts from whoever instructed.
 */
function questionsIn(marks: readonly PlacedMark[]): readonly Condition[] {
  const isAnswered = (agent: string, by: string, since: number): boolean =>
    marks.some(({ mark, place }) => mark.kind === 'clarified' && mark.agent === agent &&
      mark.by === by && place > since);
  return marks.flatMap(({ mark, place }): readonly Condition[] => {
    if (mark.kind === 'unclear' && !isAnswered(mark.to, mark.from, place)) {
      return [{ outcome: 'ESCALATE', code: 'INTENT_UNCLEAR', of: mark.to }];
    }
    const isOpen = mark.kind === 'clarification' && !isAnswered(mark.by, mark.of, place);
    return isOpen ? [{ outcome: 'ESCALATE', code: 'INTENT_CLARIFICATION_OPEN', of: mark.by }] : [];
  });
}

/** A phase that ended other than well; what takes part in its workflow waits for a person from then on. */
function doubtsAgainst(
  agents: readonly string[],
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Condition[] {
  return marks.flatMap(({ mark }): readonly Condition[] => {
    if (mark.kind !== 'evaluated' || mark.outcome === 'GO') return [];
    const workflow = mesh.workflows?.get(mark.workflow);
    if (workflow !== undefined && !agents.some((one) => workflow.agents.includes(one))) return [];
    const of = `workflow/${mark.workflow}/${mark.phase}`;
    return mark.outcome === 'NO-GO'
      ? [{ outcome: 'NO-GO', code: 'INTENT_CRITERION_BROKEN', of }]
      : [{ outcome: 'ESCALATE', code: 'INTENT_CRITERION_UNSHOWN', of }];
  });
}

/**
 * What judges said of phases as a whole. Where they have not said anything usable, what cannot be
 * undone waits for a person, and the rest goes on (DESIGN 6.1).
 */
function judgedAgainst(
  { action, requester, executor }: Asked,
  marks: readonly PlacedMark[],
  mesh: Mesh,
): readonly Condition[] {
  const risk = mesh.actions.get(action)?.risk ?? 'CRITICAL';
  const isPrivileged = risk === 'HIGH' || risk === 'CRITICAL';
  return marks.flatMap(({ mark }): readonly Condition[] => {
    if (mark.kind !== 'judged') return [];
    const agents = mesh.workflows?.get(mark.workflow)?.agents ?? [requester];
    if (!agents.includes(requester) && !agents.includes(executor)) return [];
    const of = `workflow/${mark.workflow}/${mark.phase}`;
    switch (mark.outcome) {
      case 'GO':
        return [];
      case 'PENDING':
      case 'NONE':
        return isPrivileged ? [{ outcome: 'ESCALATE', code: 'INTENT_PHASE_UNJUDGED', of }] : [];
      case 'ESCALATE':
        return [{ outcome: 'ESCALATE', code: 'INTENT_PHASE_DOUBTED', of }];
      case 'NO-GO':
        return [{ outcome: 'NO-GO', code: 'INTENT_PHASE_REFUSED', of }];
      default:
        return mark satisfies never;
    }
  });
}
