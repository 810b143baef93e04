// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const busCodes = {
  BUS_ENTRY_FORGED: {
    means: 'The sidecar sent a record entry that speaks of another agent, message or task.',
    mend: 'Treat the sidecar as compromised; revoke its identity.',
    agentSees: 'REFUSED',
  },
  BUS_ORIGIN_FORGED: {
    means: 'The message claims to be the words of a person, and its sender relays no person.',
    mend: 'Treat the sidecar as compromised; only an agent marked originator starts tasks.',
    agentSees: 'REFUSED',
  },
  BUS_REPLAY: {
    means: 'A message with this id or nonce was admitted before.',
    mend: 'Nothing to do for the operator unless it repeats; then look at who holds the envelope.',
    agentSees: 'REFUSED',
  },
  BUS_BEFORE_RESTART: {
    means: 'The message was issued before the replay memory of this node begins.',
    mend: 'Send it again; restore the queue database if it was lost.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_EXPIRED_UNDELIVERED: {
    means: 'The recipient was away until the message had expired; nobody read it.',
    mend: 'Bring the recipient back and send it again, or raise limits.message_lifetime_ms.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_EXPIRED: {
    means: 'The message had expired when it arrived.',
    mend: 'Send it again, or raise limits.message_lifetime_ms.',
    agentSees: 'REFUSED',
  },
  BUS_CLOCK_SKEW: {
    means: 'The message was issued in the future, beyond the allowed clock skew, or lives too long.',
    mend: 'Synchronise the clocks, or raise limits.clock_skew_ms.',
    agentSees: 'REFUSED',
  },
  BUS_RATE_LIMITED: {
    means: 'The agent sends faster than its limit.',
    mend: 'Raise limits.messages_per_second if the load is expected.',
    agentSees: 'RATE_LIMITED',
  },
  BUS_HELLO_LATE: {
    means: 'A connection was made and then said nothing about itself.',
    mend: 'Look at the sidecar that connects; it is another version, stuck, or not a sidecar.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_PEER_SILENT: {
    means: 'A connected sidecar gave no sign of life: its process is stopped or the network is cut.',
    mend: 'Nothing to do when it comes back; else look at its machine.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_PEER_SLOW: {
    means: 'A connected sidecar asks, and does not read what it is answered.',
    mend: 'Look at the sidecar: it is overloaded, stuck, or taken over.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_TOO_LARGE: {
    means: 'The message is larger than the mesh allows.',
    mend: 'Send a reference instead, or raise limits.message_bytes_max.',
    agentSees: 'INVALID',
  },
  BUS_RECIPIENT_UNKNOWN: {
    means: 'No agent of that name is in the mesh file.',
    mend: 'Add the agent to the mesh file, or correct the recipient.',
    agentSees: 'REFUSED',
  },
  BUS_EDGE_DENIED: {
    means: 'The mesh file has no edge from this sender to this recipient for this schema and domain.',
    mend: 'Add an edge if the hand-off is wanted; the default is to deny.',
    agentSees: 'REFUSED',
  },
  BUS_ASSIGN_DENIED: {
    means: 'The sender has no right to assign work to this recipient, and sent an instruction.',
    mend: 'Name the recipient under assigns of the sender if it should; its own sidecar let it pass.',
    agentSees: 'REFUSED',
  },
  BUS_ACTION_DENIED: {
    means: 'The edge does not let this sender request this action.',
    mend: 'Add the action to may_request of the edge if it is wanted.',
    agentSees: 'REFUSED',
  },
  BUS_RUN_QUARANTINED: {
    means: 'The run of the agent that says it was given something that was put aside since.',
    mend: 'Nothing: its sidecar ends the run, and a fresh process starts without it.',
    agentSees: 'SESSION_ENDED',
  },
  BUS_DATA_UNMASKED: {
    means: 'Data that the policy of its class redacts or tokenises crosses a zone in clear; an honest sidecar rewrites it.',
    mend: 'Treat the sidecar of the sender as compromised, unless it runs other rules; see `scanner.data`.',
    agentSees: 'REFUSED',
  },
  BUS_CLEARANCE_EXCEEDED: {
    means: 'The message is classified above what the recipient may read.',
    mend: 'Send it to an agent of a zone with that clearance.',
    agentSees: 'REFUSED',
  },
  BUS_TASK_HOPS_EXCEEDED: {
    means: 'The task was handed on more often than the mesh allows.',
    mend: 'Look for agents that hand work around in a circle.',
    agentSees: 'REFUSED',
  },
  BUS_QUEUE_FULL: {
    means: 'The queue of the recipient is full.',
    mend: 'Start or repair the recipient, or raise limits.queued_messages_max.',
    agentSees: 'RATE_LIMITED',
  },
  BUS_FRAME_MALFORMED: {
    means: 'A frame on the bus connection was not one that the protocol knows.',
    mend: 'Use a sidecar of the same version; otherwise treat the sender as compromised.',
    agentSees: 'INVALID',
  },
  BUS_MESH_MISMATCH: {
    means: 'The sidecar runs on another mesh file than the node.',
    mend: 'Restart the sidecar with the mesh file that the node runs on.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_POLICY_STALE: {
    means: 'The step was judged under a version of the policy that is no longer in force.',
    mend: 'Nothing to do: the sidecar takes the new version and judges again.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_ALREADY_CONNECTED: {
    means: 'Another instance of this agent is connected.',
    mend: 'Stop the other sidecar, or give this one an agent name of its own.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_UNAVAILABLE: {
    means: 'The node could not make the message durable.',
    mend: 'Look at the disk of the node; the sender may try again.',
    agentSees: 'UNAVAILABLE',
  },
  BUS_IDENTITY_CLONED: {
    means: 'Two sidecars hold one identity: both are alive, or one was started from a copy.',
    mend: 'Find out who copied the state directory; revoke the instance unless it was revoked here.',
    agentSees: 'SESSION_ENDED',
  },
  BUS_CHILD_GONE: {
    means: 'The message is for a spawned agent, and none lives under that name.',
    mend: 'Spawn one, and send to the name that the spawn gave.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;

export type BusCode = keyof typeof busCodes;
