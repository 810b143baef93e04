// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';
import { workflowChangeCodes } from './workflow-codes.ts';

export const controlCodes = {
  CONTROL_ENROLMENT_REFUSED: {
    means: 'The join token is unknown, used, expired or made for another agent.',
    mend: 'Mint a new join token for that agent; it works once.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_RENEWAL_REFUSED: {
    means: 'The identity cannot be renewed over this connection.',
    mend: 'Enrol the sidecar again with a new join token.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_NODE_UNREACHABLE: {
    means: 'The bus node does not answer.',
    mend: 'Start the mesh with maso up, or check the address or --state.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_AGENT_UNKNOWN: {
    means: 'The mesh file has no agent of that name.',
    mend: 'Name an agent of the mesh file; maso agent list shows them.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_SIDECAR_REFUSED: {
    means: 'The node does not take this sidecar, and trying again cannot help.',
    mend: 'Restart the sidecar with the mesh file that the node runs on.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_REVOCATION_FINAL: {
    means: 'The revocation of an instance or a certificate cannot be lifted.',
    mend: 'Enrol a new instance of the agent with a new join token.',
    agentSees: 'REFUSED',
  },
  CONTROL_REVOCATION_UNKNOWN: {
    means: 'The agent is not revoked, or by another statement than the one to be lifted.',
    mend: 'Look at maso agent show, then reinstate the agent again.',
    agentSees: 'REFUSED',
  },
  CONTROL_REVOCATION_UNAVAILABLE: {
    means: 'The revocation could not be made durable and does not hold.',
    mend: 'Look at the disk of the node, then revoke again; stop the sidecar until then.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_REVOCATION_UNRECORDED: {
    means: 'The revocation holds, and could not be recorded.',
    mend: 'Repair the recorder, then revoke again.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_AGENT_LINGERS: {
    means: 'A process of an earlier run of the agent still runs and cannot be ended.',
    mend: 'End it by hand, then start the sidecar again; look at which user it runs as.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_TOKEN_EXPOSED: {
    means: 'The join token stands on the command line, or in a file that others may read.',
    mend: 'Name a file of mode 0600 that holds the token, or - to read it from standard input.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_SPAWN_DENIED: {
    means: 'The agent has no right to spawn from this template.',
    mend: 'Name the template under spawn of the agent; look for an agent that was taken over.',
    agentSees: 'REFUSED',
  },
  CONTROL_SPAWN_WIDER: {
    means: 'The child was to have more than its parent or its template: tools, requests or time.',
    mend: 'Ask for less, or give the parent and the template the right.',
    agentSees: 'REFUSED',
  },
  CONTROL_SPAWN_LIMIT: {
    means: 'As many spawned agents live as the mesh file allows here.',
    mend: 'End some, or raise children_max of the parents or instances_max of the template.',
    agentSees: 'REFUSED',
  },
  CONTROL_SPAWN_DEPTH: {
    means: 'The child would stand more generations below an agent than that agent may have.',
    mend: 'Let an agent higher up spawn it, or raise depth_max.',
    agentSees: 'REFUSED',
  },
  CONTROL_SPAWN_PARENT: {
    means: 'The parent is not connected, was replaced, or has too little time left.',
    mend: 'Wait until the parent is connected; maso agent list shows it.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_SETTLEMENT_UNAVAILABLE: {
    means: 'The settlement of a call could not be made durable; nothing was changed.',
    mend: 'Look at the disk of the node, then settle the call again.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_SPAWN_WAITS: {
    means: 'A person has to release this spawn: the autonomy tier or the mesh file says so.',
    mend: 'Decide with maso approvals; the parent asks again with the same key.',
    agentSees: 'HELD',
  },
  CONTROL_SPAWN_NOT_APPROVED: {
    means: 'People denied the spawn, or did not decide in time.',
    mend: 'Look at maso approvals list --all; spawn again with a key of its own.',
    agentSees: 'REFUSED',
  },
  CONTROL_SPAWN_OVER: {
    means: 'The child that this key asked for has ended.',
    mend: 'Use another key for another child.',
    agentSees: 'REFUSED',
  },
  CONTROL_SPAWN_FAILED: {
    means: 'The sidecar of the child did not start, or nothing here starts sidecars.',
    mend: 'Run the mesh with maso up without --no-sidecars; look at what the sidecar said.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_CHILD_UNKNOWN: {
    means: 'No spawned agent of that name lives that this parent could end or that could join.',
    mend: 'Look at maso agent list.',
    agentSees: 'REFUSED',
  },
  ...workflowChangeCodes,
  CONTROL_POLICY_UNAVAILABLE: {
    means: 'The new version of the policy could not be made durable and is not in force.',
    mend: 'Look at the disk of the node, then run maso reload again.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_POLICY_UNRECORDED: {
    means: 'The signature over the new version could not be recorded, so it is not in force.',
    mend: 'Repair the recorder, then run maso reload again.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_POLICY_UNREADABLE: {
    means: 'The version of the policy that was in force cannot be loaded any more.',
    mend: 'Start the version of maso that it was made with; its texts are in the node\'s database.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_POLICY_RESTART: {
    means: 'The sidecar starts again, because a new version changes what it holds to.',
    mend: 'Nothing to do under maso up; start a sidecar again that nobody supervises.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_MANDATE_SECOND: {
    means: 'The task has another originator, or its delegate a mandate that this one is wider than.',
    mend: 'Start a task of its own for what the first mandate does not grant.',
    agentSees: 'REFUSED',
  },
  CONTROL_MANDATE_LIMIT: {
    means: 'The delegate holds as many live mandates for the task as it may.',
    mend: 'Leave the terms out, which passes on what was given before; or start another task.',
    agentSees: 'RATE_LIMITED',
  },
  CONTROL_TASK_FOREIGN: {
    means: 'The task is not one that this agent started, so it cannot end it.',
    mend: 'Let its originator end it, or an operator with maso mandate revoke --task.',
    agentSees: 'REFUSED',
  },
  CONTROL_FILE_UNUSABLE: {
    means: 'A file or folder that the command needs is absent, or may not be read or written.',
    mend: 'Check the path and its permissions; --state names the state directory that maso up printed.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_ADDRESS_UNUSABLE: {
    means: 'The system cannot find, reach or listen on an address that the command was given.',
    mend: 'Check the address and the port, and who may listen there.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_PORT_TAKEN: {
    means: 'The port this node has to listen on is taken by another program.',
    mend: 'Stop that program, or give the node a port with --port; sidecars then join anew.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_RECORDER_UNAVAILABLE: {
    means: 'The order to the flight recorder could not be recorded, or its keys not be erased.',
    mend: 'Look at `maso recorder status`, then give the order again.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_UNSUPPORTED_NODE: {
    means: 'This version of Node.js is not supported.',
    mend: 'Use Node.js 22.22.2 or newer.',
    agentSees: 'UNAVAILABLE',
  },
  CONTROL_INTENT_MISALIGNED: {
    means: 'What an agent wants to say was refused by policy so often that its alignment score fell below pace.alignment_min.',
    mend: 'Look at maso intent and its traces; PACE has isolated it, and a person leads it back.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ControlCode = keyof typeof controlCodes;
