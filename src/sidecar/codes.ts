// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const sidecarCodes = {
  SIDECAR_TOKEN_REFUSED: {
    means: 'The session token is unknown or no longer valid.',
    mend: 'Start the agent again through its sidecar; every process gets a token of its own.',
    agentSees: 'SESSION_ENDED',
  },
  SIDECAR_TOKEN_REUSED: {
    means: 'The session token was presented a second time, so two processes hold it.',
    mend: 'Find out who else read the token; the session was ended.',
    agentSees: 'SESSION_ENDED',
  },
  SIDECAR_SESSION_UNKNOWN: {
    means: 'The request carries no live session key.',
    mend: 'Open a session with the token the process was started with.',
    agentSees: 'SESSION_ENDED',
  },
  SIDECAR_ORIGIN_REFUSED: {
    means: 'The request came from a web page or under a foreign host name (DNS rebinding).',
    mend: 'Call the sidecar from the agent process, by its socket or 127.0.0.1.',
    agentSees: 'REFUSED',
  },
  SIDECAR_READ_NOT_KEPT: {
    means: 'What the tool gave could not be kept for the custodians, so the agent does not get it.',
    mend: 'See why the node does not record, or take LOW out of `recorder.forensic.keep`.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_REQUEST_INVALID: {
    means: 'The request to the sidecar does not have the documented shape.',
    mend: 'Read /openapi.json of the sidecar.',
    agentSees: 'INVALID',
  },
  SIDECAR_TASK_UNKNOWN: {
    means: 'The agent named a task that was never handed to it.',
    mend: 'Answer within a task that was delivered, or leave the task out.',
    agentSees: 'REFUSED',
  },
  SIDECAR_NOT_ORIGINATOR: {
    means: 'Only an originator may start a task with a prompt.',
    mend: 'Mark the agent originator: true if it relays a person and nothing else.',
    agentSees: 'REFUSED',
  },
  SIDECAR_ASSIGN_DENIED: {
    means: 'The agent instructed somebody to whom it has no right to assign work.',
    mend: 'Name the recipient under assigns of the agent if it should.',
    agentSees: 'REFUSED',
  },
  SIDECAR_WORKFLOW_DENIED: {
    means: 'The agent proposed a change to a workflow that it may not change.',
    mend: 'Name the workflow under may_change of the agent; look for an agent that was taken over.',
    agentSees: 'REFUSED',
  },
  SIDECAR_DOMAIN_UNDECIDED: {
    means: 'More than one data domain, or none, fits this hand-off and the agent named none.',
    mend: 'Name the domain in the message, or leave one edge between the two.',
    agentSees: 'INVALID',
  },
  SIDECAR_EXECUTOR_PROSE: {
    means: 'An executor was sent something other than a typed action request.',
    mend: 'Send an action request; executors read no prose.',
    agentSees: 'REFUSED',
  },
  SIDECAR_OUTCOME_FORGED: {
    means: 'An agent wrote the outcome of an action itself; only the tool gate may tell one.',
    mend: 'Treat the agent as compromised; its session was ended.',
    agentSees: 'REFUSED',
  },
  SIDECAR_MESSAGE_POISON: {
    means: 'Five processes of the agent had this message in hand and ended without acknowledging it.',
    mend: 'Look at what it says and why the agent ends on it; it is not handed over any more.',
    agentSees: 'REFUSED',
  },
  SIDECAR_QUARANTINED: {
    means: 'The message was in the hands of an agent when it left its typed interface; or the session had read what was put aside.',
    mend: 'Look at what it says before it is sent again; no other process was given it.',
    agentSees: 'REFUSED',
  },
  SIDECAR_RECIPIENT_MISMATCH: {
    means: 'A message for another agent was delivered to this sidecar.',
    mend: 'Look at the node: it routed wrongly or is compromised.',
    agentSees: 'REFUSED',
  },
  SIDECAR_EXPIRED: {
    means: 'The message had expired when it reached the recipient.',
    mend: 'Send it again; raise limits.message_lifetime_ms if recipients are away longer.',
    agentSees: 'REFUSED',
  },
  SIDECAR_TOOL_NOT_PERMITTED: {
    means: 'The agent asked for a tool or operation that its mesh file or OISpec does not give it.',
    mend: 'Add it to the agent and its OISpec if it is meant to have it.',
    agentSees: 'REFUSED',
  },
  SIDECAR_TOOL_NEEDS_ACTION: {
    means: 'The agent called a writing operation, or is an executor, without an action request.',
    mend: 'Request the action from its executor; writes go through the gate as actions.',
    agentSees: 'REFUSED',
  },
  SIDECAR_APPROVAL_INVALID: {
    means: 'The node reported an approval whose signatures do not hold.',
    mend: 'Treat the node as compromised; the action was not run.',
    agentSees: 'REFUSED',
  },
  SIDECAR_RECORD_UNAVAILABLE: {
    means: 'The step could not be recorded durably, and its class does not allow it to go on.',
    mend: 'Repair the recorder; see maso recorder verify.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_BUS_UNREACHABLE: {
    means: 'The bus node did not answer before the message expired.',
    mend: 'Start or repair the node; the message was not admitted as far as the sidecar knows.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_GOAL_CHANGED: {
    means: 'A message calls the goal of its task another than the one that the agent was given.',
    mend: 'Look at the sidecar that sent it: only one that was taken over stamps another goal.',
    agentSees: 'REFUSED',
  },
  SIDECAR_MODEL_NOT_CONFIGURED: {
    means: 'The agent asked for a model, and the mesh file gives it none.',
    mend: 'Give the agent a model in the mesh file if it is to think through its sidecar.',
    agentSees: 'REFUSED',
  },
  SIDECAR_MODEL_CLEARANCE: {
    means: 'The agent has read what is more sensitive than its model may be given.',
    mend: 'Raise the clearance of the model if its provider may see such data, or give it another.',
    agentSees: 'REFUSED',
  },
  SIDECAR_MODEL_BUDGET: {
    means: 'The budget of the agent\'s model, of the hour or of the task, is spent.',
    mend: 'Look at what the agent is doing; raise agents.NAME.model.budget if it is legitimate.',
    agentSees: 'RATE_LIMITED',
  },
  SIDECAR_MODEL_THROTTLED: {
    means: 'Nine tenths of the budget of the agent\'s model are spent: one call in ten seconds goes on.',
    mend: 'Look at what the agent is doing; raise agents.NAME.model.budget if it is legitimate.',
    agentSees: 'RATE_LIMITED',
  },
  SIDECAR_MODEL_UNAVAILABLE: {
    means: 'The agent\'s model gave no answer in time, or one without the form of a completion.',
    mend: 'Look at its endpoint and its credential.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_RATE_LIMITED: {
    means: 'The agent asks more of its sidecar than its limit allows.',
    mend: 'Raise limits.messages_per_second if the load is expected.',
    agentSees: 'RATE_LIMITED',
  },
  SIDECAR_REFUSAL_BUDGET: {
    means: 'The task had its fill of refused action requests; whoever probes learns no more.',
    mend: 'Look at what the task tried; a new task of the originator starts with a fresh budget.',
    agentSees: 'REFUSED',
  },
  SIDECAR_LEASE_EXPIRED: {
    means: 'The sidecar has no valid lease of its node, so nothing privileged runs.',
    mend: 'Repair the node or the way to it; the lease comes back by itself.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_POLICY_STALE: {
    means: 'A newer version of the policy is in force, and this sidecar could not take it in time.',
    mend: 'Look in the log of the sidecar for why it refused the new version.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_UNDO_FORGED: {
    means: 'The node asked to undo a call without an operator\'s kill that covers it, or long after the call.',
    mend: 'Look at who may write to the node; nothing was undone.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_UNDO_UNKNOWN: {
    means: 'The call that is to be undone is not known here as done the way it was asked for.',
    mend: 'It is in doubt, was changed before it ran, may be undone already, or is too old. Look at the tool.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_UNDO_UNDECLARED: {
    means: 'The version of the policy in force does not say what undoes this action.',
    mend: 'Undo it at the tool, or give the action an `undo` for the next time.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_UNDO_INVALID: {
    means: 'What the undone call was asked or answered does not make valid parameters of the action that undoes it.',
    mend: 'Undo it at the tool, and look at `undo.parameters` of the action.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_UNDO_WAITS: {
    means: 'The executor itself may not act freely now; what it is to undo waits until it may.',
    mend: 'Lead it back (maso pace recover), or undo the call at the tool.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_CLOCK_JUMPED: {
    means: 'The wall clock moved by more than the allowed skew, so nothing privileged runs.',
    mend: 'Synchronise the clock of this machine, then restart the sidecar.',
    agentSees: 'UNAVAILABLE',
  },
  SIDECAR_MANDATE_ABSENT: {
    means: 'An action was requested, or work passed on with terms, in a task without a mandate.',
    mend: 'Have an originator start the task, and let the agent act in that task.',
    agentSees: 'REFUSED',
  },
  SIDECAR_MANDATE_LIMIT: {
    means: 'The agent gave the recipient as many live mandates for the task as it may hold.',
    mend: 'Leave the terms out, which passes on what was given before; or start another task.',
    agentSees: 'RATE_LIMITED',
  },
  SIDECAR_OUTCOME_PENDING: {
    means: 'The action has no outcome yet; it is running or waits for a person.',
    mend: 'Look at maso approvals list; the outcome arrives in the inbox.',
    agentSees: 'HELD',
  },
  SIDECAR_SPAWN_DENIED: {
    means: 'The agent asked for a child of a template that it may not spawn.',
    mend: 'Name the template under spawn of the agent; look for an agent that was taken over.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type SidecarCode = keyof typeof sidecarCodes;
