// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import type { Approval } from '../oversight/approvals.ts';
import { signOperatorDecision } from '../identity/operator-signature.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

type ListOptions = { readonly state: string; readonly all: boolean; readonly json: boolean };

type DecideOptions = {
  readonly id: string;
  readonly decision: 'approve' | 'deny';
  readonly state: string;
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
  readonly json: boolean;
};

/** `maso approvals list`: what waits for a person, with the facts to decide on. */
export async function approvalsList(options: ListOptions, io: CommandIo): Promise<number> {
  const approvals = await fetchApprovals(stateDirectoryOf(options.state, null));
  const shown = options.all ? approvals : approvals.filter((one) => one.state === 'pending');
  if (options.json) {
    io.out(JSON.stringify({ approvals: shown }));
    return 0;
  }
  if (shown.length === 0) io.out('No action waits for a person.');
  const nowMs = systemClock().nowMs();
  for (const approval of shown) for (const line of describe(approval, nowMs)) io.out(line);
  return 0;
}

/** `maso approvals approve|deny`: signs the decision with the operator's key, here, and sends it. */
export async function approvalsDecide(options: DecideOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const approvals = await fetchApprovals(stateDirectory);
  const matching = approvals.filter((one) => one.id.startsWith(options.id));
  const [approval] = matching;
  if (approval === undefined || matching.length > 1) {
    return sayRefused('OVERSIGHT_APPROVAL_UNKNOWN', options.json, io);
  }
  const key = await keyOfOperator(stateDirectory, options.key);
  const signed = signOperatorDecision(
    {
      approval: approval.id,
      digest: approval.hold.digest,
      decision: options.decision,
      operator: options.as,
      at: systemClock().nowMs(),
      reason: options.reason,
    },
    key,
  );
  const answer = await askNode(stateDirectory, 'POST', '/v1/approvals/decisions', { signed });
  if (answer.status !== 200) {
    return sayRefused(String(answer.body['code'] ?? 'OVERSIGHT_APPROVAL_UNKNOWN'), options.json, io);
  }
  const [now] = (await fetchApprovals(stateDirectory)).filter((one) => one.id === approval.id);
  if (options.json) io.out(JSON.stringify({ approval: approval.id, state: now?.state ?? null }));
  else io.out(`${options.decision === 'approve' ? 'Approved' : 'Denied'} ${approval.id}: ${stateText(now)}`);
  return 0;
}

function stateText(approval: Approval | undefined): string {
  if (approval?.state !== 'pending') return `the action is ${approval?.state ?? 'unknown'}.`;
  const missing = approval.hold.approvalsNeeded - approval.decisions.length;
  return `${missing} more person${missing === 1 ? '' : 's'} must approve.`;
}

function describe(approval: Approval, nowMs: number): readonly string[] {
  const { hold } = approval;
  const leftSeconds = Math.max(0, Math.round((hold.expiresAt - nowMs) / 1000));
  return [
    `${approval.id}  ${approval.state}  ${hold.risk}  ${hold.action}  (${hold.reversibility})`,
    `  asked by   ${hold.requester} of ${hold.executor}, set off by ${hold.rootOrigin}`,
    `  because    ${hold.reasons.join(', ') || 'the policy asks for a person'}`,
    ...Object.entries(hold.parameters).map(
      ([name, value]) => `  ${name.padEnd(10)} ${JSON.stringify(value)}`,
    ),
    ...(hold.endorse ?? []).map(({ pointer, sources, origins }) =>
      `  endorse    ${pointer} ${sources.length > 0
        ? `came from ${sources.join(', ')}`
        : `has no source; its requester has read ${origins.join(', ')}`}`),
    `  approvals  ${approval.decisions.length} of ${hold.approvalsNeeded}` +
      (approval.state === 'pending' ? `, ${leftSeconds} s left` : ''),
    `  trace      maso trace ${hold.message}`,
    '',
  ];
}

async function fetchApprovals(stateDirectory: string): Promise<readonly Approval[]> {
  const answer = await askNode(stateDirectory, 'GET', '/v1/approvals');
  return (answer.body['approvals'] ?? []) as unknown as readonly Approval[];
}
