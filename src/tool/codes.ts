// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const toolCodes = {
  TOOL_ABORTED: {
    means: 'PACE stopped the agent while its call was under way; the tool was killed or told to stop.',
    mend: 'A write is in doubt: look at the tool, then maso calls settle.',
    agentSees: 'IN_DOUBT',
  },
  TOOL_NOT_ADMITTED: {
    means: 'A tool call was not admitted, was admitted elsewhere, or was used before.',
    mend: 'Treat the caller as compromised; only an admitted request calls a tool, and only once.',
    agentSees: 'REFUSED',
  },
  TOOL_ADMISSION_INVALID: {
    means: 'A request was admitted with a member that is missing or outside its bounds.',
    mend: 'Report it: the sidecar admits only what it has checked.',
    agentSees: 'REFUSED',
  },
  TOOL_GATE_NOT_READY: {
    means: 'The gate has not yet looked through the calls that a crash may have interrupted.',
    mend: 'Wait for the sidecar to be ready.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_UNKNOWN: {
    means: 'The mesh file has no such tool, or no such operation of it.',
    mend: 'Add the tool or the operation to the mesh file if it is wanted.',
    agentSees: 'REFUSED',
  },
  TOOL_WRITE_UNDECLARED: {
    means: 'The operation writes, and the request was admitted as a read.',
    mend: 'Declare the action as a write in the mesh file.',
    agentSees: 'REFUSED',
  },
  TOOL_UNGUARDED: {
    means: 'The tool cannot tell the gate from anybody else, and the action is HIGH or CRITICAL.',
    mend: 'Give the tool a credential that only the gate has, or lower the risk of the action.',
    agentSees: 'REFUSED',
  },
  TOOL_KEY_REUSED: {
    means: 'The idempotency key was used before for a different call.',
    mend: 'Use a new key for a new call.',
    agentSees: 'INVALID',
  },
  TOOL_CALL_RUNNING: {
    means: 'A call with this idempotency key was begun and its end could not be made durable.',
    mend: 'Look at the disk of the sidecar and restart it; the call then shows as IN-DOUBT.',
    agentSees: 'IN_DOUBT',
  },
  TOOL_STORE_UNAVAILABLE: {
    means: 'The gate could not make the intent or the outcome of a call durable.',
    mend: 'Look at the disk of the sidecar; a call that was made stays IN-DOUBT.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_NOT_RECORDED: {
    means: 'The intent could not be recorded, and without a record this call is not made.',
    mend: 'Repair the recorder; reads of low risk go on without it.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_ADMISSION_LATE: {
    means: 'Recording took so long that the call would begin outside of what it was allotted for.',
    mend: 'Look at the load of the host and the line to the node; the request can be made again.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_STANDING_UNKNOWN: {
    means: 'It could not be told right before the call whether the request still stands.',
    mend: 'Look at the log of the sidecar; the request can be made again.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_TIMEOUT: {
    means: 'The tool was called and did not answer in time.',
    mend: 'For a write, find out at the tool what happened; raise timeout_ms if it is slow.',
    agentSees: 'IN_DOUBT',
  },
  TOOL_DIED: {
    means: 'The tool ended, or its connection broke, while a call was under way.',
    mend: 'For a write, find out at the tool what happened; look at why the tool ended.',
    agentSees: 'IN_DOUBT',
  },
  TOOL_INTERRUPTED: {
    means: 'The sidecar ended between the intent and the outcome of a call.',
    mend: 'For a write, find out at the tool what happened; the gate never calls it again.',
    agentSees: 'IN_DOUBT',
  },
  TOOL_CALL_UNKNOWN: {
    means: 'The executor has no call in doubt for that request.',
    mend: 'Look at maso calls list; the call may have been settled, or its state directory replaced.',
    agentSees: 'REFUSED',
  },
  TOOL_CALL_CHANGED: {
    means: 'The call in doubt is not the one that the operator was shown, or was tried again since.',
    mend: 'Look at maso calls list and at the tool again, then settle the call as it stands now.',
    agentSees: 'REFUSED',
  },
  TOOL_CALL_SETTLED: {
    means: 'The call was settled by another statement, which stands.',
    mend: 'Read maso trace of the request; what was settled wrongly is put right at the tool.',
    agentSees: 'REFUSED',
  },
  TOOL_CALL_FOREIGN: {
    means: 'The settlement names another executor than the one that it was brought to.',
    mend: 'Settle the call at the executor that maso calls list shows; else look at the node.',
    agentSees: 'REFUSED',
  },
  TOOL_SETTLED_NOT_RUN: {
    means: 'A person found at the tool that the call in doubt had no effect, and signed it.',
    mend: 'Nothing; the request may be made again, also under its key.',
    agentSees: 'REFUSED',
  },
  TOOL_UNAVAILABLE: {
    means: 'The tool is not running or cannot be reached; the call was not made.',
    mend: 'Look at the tool; the gate starts it again after a pause.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_ARGUMENTS: {
    means: 'The arguments do not match the pinned input schema; the call was not made.',
    mend: 'Correct the arguments, or the action that maps to this operation.',
    agentSees: 'INVALID',
  },
  TOOL_ANSWERED_ERROR: {
    means: 'The tool answered with an error. After a write the effect may have happened in part.',
    mend: 'Look at the tool; a tool that declines a write says so in its structured result.',
    agentSees: 'REFUSED',
  },
  TOOL_PROTOCOL: {
    means: 'The tool sent what its protocol does not allow.',
    mend: 'Repair or replace the tool; it was stopped.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_RESULT_SCHEMA: {
    means: 'The result does not have the shape that the action promises.',
    mend: 'Correct the output schema of the action, or replace the tool.',
    agentSees: 'REFUSED',
  },
  TOOL_RESULT_TOO_LARGE: {
    means: 'The result is larger than the gate accepts.',
    mend: 'Ask the tool for less, or raise limits.message_bytes_max.',
    agentSees: 'INVALID',
  },
  TOOL_RESULT_TOO_DEEP: {
    means: 'The result nests deeper than the gate accepts.',
    mend: 'Ask the tool for a flatter result, or raise limits.depth_max.',
    agentSees: 'INVALID',
  },
  TOOL_RESULT_NOT_JSON: {
    means: 'The result is not a JSON value.',
    mend: 'Repair the tool; it returns JSON values only.',
    agentSees: 'REFUSED',
  },
  TOOL_RESULT_REFUSED: {
    means: 'A reviewing control refused the result, so it was not delivered.',
    mend: 'Read the verdicts in the decision trace.',
    agentSees: 'REFUSED',
  },
  TOOL_REVIEW_FAILED: {
    means: 'The controls that review results failed, so the result was not delivered.',
    mend: 'Look at the log of the sidecar.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_NOT_PINNED: {
    means: 'The tool has no pins, so nothing says which program and descriptions were approved.',
    mend: 'Run `maso tools pin` and review what it writes.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_EGRESS_DENIED: {
    means: 'An argument names a host that the agent, or who asked it, may not reach.',
    mend: 'Add the host to egress of both agents if it is wanted; else look at what they read.',
    agentSees: 'REFUSED',
  },
  TOOL_PIN_MISMATCH: {
    means: 'A description or an input schema of the tool is not the one that was approved.',
    mend: 'Review the change; run `maso tools pin` again if it is wanted.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_PROGRAM_CHANGED: {
    means: 'A program file of the tool is not the one that was approved.',
    mend: 'Find out who changed it; run `maso tools pin` again if it is wanted.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_OPERATION_MISSING: {
    means: 'The tool does not offer an operation that the mesh file names.',
    mend: 'Correct the mesh file, or use a version of the tool that offers it.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_START_FAILED: {
    means: 'The tool did not start or did not answer.',
    mend: 'Start its command by hand to see why.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_CREDENTIAL_INVALID: {
    means: 'The credential file of the tool is missing, readable by others, or malformed.',
    mend: 'Write one line with the credential and set the mode of the file to 0600.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_CREDENTIAL_REFUSED: {
    means: "The tool did not accept the gate's credential.",
    mend: 'Give the gate the credential that the tool expects.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_REDIRECTED: {
    means: 'The tool answered with a redirect, which the gate never follows.',
    mend: 'Put the final address of the tool into the mesh file.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_URL_INSECURE: {
    means: 'The address of the tool would carry the credential in the clear.',
    mend: 'Use https, or an address of this machine.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_SCHEMA_BROKEN: {
    means: 'An output schema or a pinned input schema does not compile.',
    mend: 'Correct the schema; JSON Schema 2020-12 is expected.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_BACK_CHANNEL: {
    means: 'The tool asked for sampling, elicitation, roots or what else is never offered.',
    mend: 'Find out what the tool wants from the agent; such a tool may be hostile.',
    agentSees: 'REFUSED',
  },
  TOOL_POLICY_SUPERSEDED: {
    means: 'A newer version of the policy came right before the call, so nothing was called.',
    mend: 'Nothing to do: the request is judged again under the new version.',
    agentSees: 'UNAVAILABLE',
  },
  TOOL_LIST_CHANGED: {
    means: 'The tool announced that its operations changed; the pinned ones stay in force.',
    mend: 'Review the tool; run `maso tools pin` again if the change is wanted.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type ToolCode = keyof typeof toolCodes;

export function isToolCode(text: string): text is ToolCode {
  return Object.hasOwn(toolCodes, text);
}
