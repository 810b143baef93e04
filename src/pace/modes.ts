// SPDX-License-Identifier: Apache-2.0

/** What a control does when it cannot do its work, declared before it happens. */
export type FailureMode = {
  readonly control: string;
  /** When it counts as failed. */
  readonly fails: string;
  /** What the mesh does then. */
  readonly safeState: string;
  /** Code in the record; null where the failure is said in another way. */
  readonly code: string | null;
  /** What goes on meanwhile. */
  readonly keeps: string;
};

/**
 * Every control with its failure mode and its safe state. None fails open: what is unknown, late or
 * malformed is a refusal, an escalation to a person, or a stop.
 */
export const failureModes: readonly FailureMode[] = [
  {
    control: 'scanner',
    fails: 'a rule does not compile; its budget is spent on one text',
    safeState: 'the start is refused; the text is escalated',
    code: 'SCAN_BUDGET',
    keeps: 'everything else',
  },
  {
    control: 'semantic firewall',
    fails: 'the configured model is late, throws or answers no number',
    safeState: 'NO-GO for HIGH and CRITICAL, ESCALATE for the rest',
    code: 'FIREWALL_LATE',
    keeps: 'LOW and MEDIUM go on with the doubt on record',
  },
  {
    control: 'policy compliance check',
    fails: 'a policy does not parse; a rule cannot be decided',
    safeState: 'the start is refused; the action is refused',
    code: 'POLICY_CEDAR_ERROR',
    keeps: 'actions that the check can decide',
  },
  {
    control: 'model-as-judge',
    fails: 'it is not configured, late or malformed',
    safeState: 'a person decides, else the action is denied when its time is over',
    code: 'JUDGE_NOT_CONFIGURED',
    keeps: 'LOW and MEDIUM',
  },
  {
    control: 'people',
    fails: 'nobody decides within limits.approval_timeout_ms; too much waits for one agent',
    safeState: 'denied',
    code: 'OVERSIGHT_APPROVAL_EXPIRED',
    keeps: 'what needs no person',
  },
  {
    control: 'bus',
    fails: 'the node hangs, is down, or cannot write',
    safeState: 'nothing is admitted; without a lease no tool is called, after 5 s at most',
    code: 'PACE_LEASE_EXPIRED',
    keeps: 'what sidecars hold durably, to be sent later',
  },
  {
    control: 'lease',
    fails: 'it ends, is forged, answers another question, or stands for an older PACE',
    safeState: 'no tool is called, reads included',
    code: 'PACE_LEASE_EXPIRED',
    keeps: 'nothing that acts',
  },
  {
    control: 'revocation list',
    fails: 'a step is missing, or the node knows fewer than before',
    safeState: 'the lease ends',
    code: 'SIDECAR_LEASE_EXPIRED',
    keeps: 'nothing that acts',
  },
  {
    control: 'caps and bounds',
    fails: 'their owner does not answer',
    safeState: 'the call is refused',
    code: 'BOUNDS_OWNER_UNREACHABLE',
    keeps: 'reads that were allotted ahead, while the lease lasts',
  },
  {
    control: 'circuit breaker',
    fails: 'a tool operation or an agent fails too often',
    safeState: 'its calls are refused until probes succeed',
    code: 'BOUNDS_BREAKER_OPEN',
    keeps: 'other tools and agents',
  },
  {
    control: 'tool gate',
    fails: 'intent or record is not durable; the tool dies or is late',
    safeState: 'the call is refused before, or IN-DOUBT after, and never repeated',
    code: 'TOOL_STORE_UNAVAILABLE',
    keeps: 'calls of other tools',
  },
  {
    control: 'tool pins',
    fails: 'a program or a description is not the one that was approved',
    safeState: 'the tool is not started',
    code: 'TOOL_PIN_MISMATCH',
    keeps: 'other tools',
  },
  {
    control: 'identities',
    fails: 'an SVID is not renewed in time; two hold one identity',
    safeState: 'the sidecar ends; the identity is revoked',
    code: 'IDENTITY_CERTIFICATE_EXPIRED',
    keeps: 'other agents',
  },
  {
    control: 'flight recorder',
    fails: 'the disk refuses, or the log does not verify',
    safeState: 'HIGH and CRITICAL stop',
    code: 'RECORDER_NOT_DURABLE',
    keeps: 'LOW and MEDIUM, into a bounded local spool',
  },
  {
    control: 'witness',
    fails: 'nobody cosigned for recorder.witness_age_max_ms',
    safeState: 'an alarm; nothing stops',
    code: 'RECORDER_WITNESS_LATE',
    keeps: 'everything',
  },
  {
    control: 'contagion monitor',
    fails: 'a node starts anew and has no memory of texts',
    safeState: 'texts are followed from then on',
    code: null,
    keeps: 'everything',
  },
  {
    control: 'PACE',
    fails: 'its state cannot be made durable, or its view cannot be asked',
    safeState: 'what tightens holds in memory; what loosens does not hold; unknown is stopped',
    code: 'PACE_UNAVAILABLE',
    keeps: 'what the stricter of both states allows',
  },
  {
    control: 'kill',
    fails: 'the node does not answer; the second person does not come',
    safeState: 'leases end within 5 s, and the order lies at the door; the window ends in the kill',
    code: 'PACE_KILLED',
    keeps: 'nothing within its scope',
  },
];
