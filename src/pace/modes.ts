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
  {
    control: 'standby',
    fails: 'none is declared, it failed as well, or no edge leads to it',
    safeState: 'messages for the stopped agent are refused',
    code: 'PACE_RECIPIENT_STOPPED',
    keeps: 'work that needs neither of them',
  },
  {
    control: 'snapshot',
    fails: 'the disk refuses, or there is more than one snapshot holds',
    safeState: 'the agent is stopped all the same; the account says that there is none, or what is left out',
    code: null,
    keeps: 'the digest of what the agent had read, and what its sidecar stores',
  },
  {
    control: 'rollback',
    fails: 'the executor is stopped too, the call is in doubt or changed, or nothing is declared that undoes it',
    safeState: 'it waits until the executor works again, or is left to people; nothing is undone twice',
    code: 'SIDECAR_UNDO_WAITS',
    keeps: 'the list of what was done, and what cannot be undone',
  },
  {
    control: 'observer',
    fails: 'it is silent for longer than pace.observer.silence_ms',
    safeState: 'leases cover neither HIGH nor CRITICAL',
    code: 'SIDECAR_LEASE_EXPIRED',
    keeps: 'LOW and MEDIUM',
  },
  {
    control: 'anomaly scores',
    fails: 'baselines cannot be kept, or are in another form after an update',
    safeState: 'what is kept in memory goes on to score; a fresh agent is not called usual before two weeks',
    code: null,
    keeps: 'everything; signs of compromise isolate without scores',
  },
  {
    control: 'mandates',
    fails: 'a chain does not verify, or the list of revocations is older than the lease',
    safeState: 'the request is refused',
    code: 'MANDATE_SNAPSHOT_STALE',
    keeps: 'requests under mandates that verify',
  },
  {
    control: 'data keys',
    fails: 'a key is not released, has expired, or the KMS is away',
    safeState: 'the message is neither sealed nor opened, and is refused',
    code: 'PROTECTION_UNAVAILABLE',
    keeps: 'domains without sealed payloads; keys that were released, for one lease',
  },
  {
    control: 'kept payloads',
    fails: 'no epoch is open, or its shares cannot be made durable',
    safeState: 'the message, or the read, that is to be kept is refused; the node does not start',
    code: 'RECORDER_PAYLOAD_UNAVAILABLE',
    keeps: 'risk classes whose payloads are not kept',
  },
  {
    control: 'policy version',
    fails: 'a new version cannot be read, is not signed, or does not reach a sidecar',
    safeState: 'the old version stays in force; a sidecar without the new one acts no more',
    code: 'SIDECAR_POLICY_STALE',
    keeps: 'sidecars that have it',
  },
  {
    control: 'sources of values',
    fails: 'a value has no source, or more were read than are remembered',
    safeState: 'the request is refused, or a person vouches for the value',
    code: 'POLICY_SOURCE_UNTRUSTED',
    keeps: 'requests whose values have a source',
  },
  {
    control: 'budgets of models',
    fails: 'a budget is spent, or what was spent cannot be made durable',
    safeState: 'the model is not asked; what a judge would have said, people decide',
    code: 'SIDECAR_MODEL_BUDGET',
    keeps: 'every control: none is cut for money',
  },
  {
    control: 'clock',
    fails: 'it jumps by more than limits.clock_skew_ms, or is no number',
    safeState: 'nothing of HIGH or CRITICAL runs, and messages from another time are refused',
    code: 'SIDECAR_CLOCK_JUMPED',
    keeps: 'LOW and MEDIUM',
  },
  {
    control: 'spawned agents',
    fails: 'their parent is away for ten seconds, or their node starts anew',
    safeState: 'the child ends, and its identity with it',
    code: 'IDENTITY_LINEAGE_ENDED',
    keeps: 'everything else',
  },
  {
    control: 'exporters',
    fails: 'an endpoint is away, or their own process ends',
    safeState: 'they stop at their place in the log, and go on from there; nothing is skipped',
    code: 'EXPORT_LAGGING',
    keeps: 'everything: the log does not wait for them',
  },
  {
    control: 'people told',
    fails: 'no webhook takes the message',
    safeState: 'what waits is denied when its time is over',
    code: 'OVERSIGHT_APPROVER_FAILED',
    keeps: 'decisions in console and terminal',
  },
  {
    control: 'console',
    fails: 'it does not answer, or a session ends',
    safeState: 'nothing is decided there',
    code: null,
    keeps: 'the same orders in a terminal, a kill with the node down included',
  },
];
