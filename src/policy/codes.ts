// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';
import { epistemicCodes } from './epistemic-codes.ts';

/** Everything the policy compliance check says (seed 000 section 3, EC-2.1). */
export const policyCodes = {
  POLICY_ACTION_UNKNOWN: {
    means: 'The action is not one of the mesh file\'s closed set.',
    mend: 'Declare it under actions, or correct the request.',
    agentSees: 'INVALID',
  },
  POLICY_EDGE_DENIED: {
    means: 'The requester may not request this action of this executor in this domain.',
    mend: 'Add it to may_request of an edge if it should.',
    agentSees: 'REFUSED',
  },
  POLICY_NOT_EXECUTOR: {
    means: 'The agent that was asked is no EXECUTOR, or does not hold the action\'s tool.',
    mend: 'Request the action from the executor that holds its tool.',
    agentSees: 'REFUSED',
  },
  POLICY_DOMAIN_UNKNOWN: {
    means: 'The data domain is not declared.',
    mend: 'Declare it under domains.',
    agentSees: 'REFUSED',
  },
  POLICY_ROLE_DENIED: {
    means: 'The domain does not allow the role of the executor or of the requester.',
    mend: 'Allow the role in the domain, or use another domain.',
    agentSees: 'REFUSED',
  },
  POLICY_ISOLATION_WEAK: {
    means: 'The executor runs less isolated than its mesh file says, or not isolated at all.',
    mend: 'Run it under another uid or in a container; development: true lifts this for a trial.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_OISPEC_MISSING: {
    means: 'The executor has no OISpec of its own, so nothing is permitted.',
    mend: 'Write one and name it in the mesh file.',
    agentSees: 'REFUSED',
  },
  POLICY_OISPEC_TOOL: {
    means: 'The executor\'s OISpec does not permit the tool.',
    mend: 'Add it to permitted_tools in a new version, if it should.',
    agentSees: 'REFUSED',
  },
  POLICY_OISPEC_ACTION: {
    means: 'The executor\'s OISpec does not permit the action, or prohibits it.',
    mend: 'Add it to permitted_actions in a new version, if it should.',
    agentSees: 'REFUSED',
  },
  POLICY_OISPEC_SCOPE: {
    means: 'The data domain is outside the executor\'s OISpec.',
    mend: 'Add it to data_scope in a new version, if it should.',
    agentSees: 'REFUSED',
  },
  POLICY_OISPEC_RISK: {
    means: 'The action\'s risk class is above that of the executor\'s OISpec.',
    mend: 'Raise risk_classification in a reviewed version, if it should.',
    agentSees: 'REFUSED',
  },
  POLICY_PARAMETERS_INVALID: {
    means: 'The parameters do not match the action\'s schema.',
    mend: 'Look at the path in the trace; send what the schema asks for.',
    agentSees: 'INVALID',
  },
  POLICY_SCHEMA_BROKEN: {
    means: 'The action\'s parameters schema does not compile.',
    mend: 'Run maso check.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_HOPS_EXCEEDED: {
    means: 'The request is further from its originator than the mesh allows.',
    mend: 'Shorten the workflow, or raise limits.request_hops_max.',
    agentSees: 'REFUSED',
  },
  POLICY_ENDORSEMENT_REQUIRED: {
    means: 'A sensitive value comes from no listed source; a person may endorse it.',
    mend: 'Look at the value and where it came from, then approve or deny exactly this.',
    agentSees: 'HELD',
  },
  POLICY_SOURCE_UNTRUSTED: {
    means: 'A parameter that matters has no source that its manifest lists (G5).',
    mend: 'Take the value from a listed source, or have the person name it in the prompt.',
    agentSees: 'REFUSED',
  },
  POLICY_BOUND_EXCEEDED: {
    means: 'A parameter lies outside its bound.',
    mend: 'Ask for no more than at_most, as a number of 0 or more.',
    agentSees: 'REFUSED',
  },
  POLICY_VALUE_UNLISTED: {
    means: 'A parameter is not one of the values that the manifest lists.',
    mend: 'Use one of one_of.',
    agentSees: 'REFUSED',
  },
  POLICY_CAP_EXCEEDED: {
    means: 'The amount alone is over a cap of the action, or is no number of 0 or more.',
    mend: 'Ask for less, or raise the cap in the mesh file.',
    agentSees: 'REFUSED',
  },
  POLICY_TASK_TIME_ENDED: {
    means: 'The task is older than its time box, so nothing of it begins any more.',
    mend: 'Start a new task, or lengthen bounds.task.duration_ms.',
    agentSees: 'REFUSED',
  },
  POLICY_TASK_TIME_INVALID: {
    means: 'The task\'s id tells no time, or one in the future, so its time box cannot be held.',
    mend: 'Look at the clock of the host that started the task.',
    agentSees: 'REFUSED',
  },
  POLICY_AGENT_TIME_ENDED: {
    means: 'The time boundary in an OISpec does not allow its agent to begin anything now.',
    mend: 'Give the agent a new OISpec if it should go on.',
    agentSees: 'REFUSED',
  },
  POLICY_CEDAR_DENIED: {
    means: 'No Cedar policy permits the request, or one forbids it.',
    mend: 'Read the policy that the finding names.',
    agentSees: 'REFUSED',
  },
  POLICY_CEDAR_ERROR: {
    means: 'A Cedar policy could not be evaluated for this request.',
    mend: 'Correct the policy; test with has before an optional attribute.',
    agentSees: 'REFUSED',
  },
  POLICY_CEDAR_VALUE: {
    means: 'A number cannot be handed to Cedar exactly.',
    mend: 'Use safe integers, or at most four decimal places.',
    agentSees: 'INVALID',
  },
  POLICY_CEDAR_UNAVAILABLE: {
    means: 'Policies are configured, but Cedar is not loaded.',
    mend: 'Restart the sidecar; look for why loading failed.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_CEDAR_INVALID: {
    means: 'A Cedar policy does not parse or does not fit the mesh, so nothing starts.',
    mend: 'Correct the policy; maso check shows where.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_PACE_STOPPED: {
    means: 'PACE allows this executor nothing at present.',
    mend: 'Find the cause in the recorder; recovery needs the named authority.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_PACE_READ_ONLY: {
    means: 'PACE allows this executor only reads at present.',
    mend: 'Find the cause in the recorder; recovery needs the named authority.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_PACE_SUPERVISED: {
    means: 'PACE lets a write of this executor pass only with a person.',
    mend: 'Decide with maso approvals.',
    agentSees: 'HELD',
  },
  POLICY_TIER_SUPERVISED: {
    means: 'At autonomy tier 1 every write waits for a person.',
    mend: 'Decide with maso approvals.',
    agentSees: 'HELD',
  },
  POLICY_APPROVAL_REQUIRED: {
    means: 'The action\'s manifest asks for a person.',
    mend: 'Decide with maso approvals.',
    agentSees: 'HELD',
  },
  POLICY_TWO_PEOPLE_REQUIRED: {
    means: 'A CRITICAL action waits for two people.',
    mend: 'Two operators decide with maso approvals.',
    agentSees: 'HELD',
  },
  POLICY_CLOCK_INVALID: {
    means: 'The clock gave no time, so no cap can be summed.',
    mend: 'Look at the clock of the executor\'s host.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_FAILED: {
    means: 'The compliance check itself failed, so nothing vouches for the request.',
    mend: 'Report it with the trace id.',
    agentSees: 'UNAVAILABLE',
  },
  POLICY_TEST_FAILED: {
    means: 'A policy test expects another verdict than the policy compliance check gives.',
    mend: 'Correct the policy, or the test if the policy is meant.',
    agentSees: 'REFUSED',
  },
  POLICY_TEST_NONE: {
    means: 'No *.policy-test.yaml stands beside the mesh file, so nothing was tested.',
    mend: 'Write one; schema/policy-test.json completes it in editors.',
    agentSees: 'REFUSED',
  },
  POLICY_OUTPUT_FIELD_MISSING: {
    means: 'The message lacks a member that its sender\'s OISpec requires.',
    mend: 'Let the agent give it, or take it out of output_constraints.required_fields.',
    agentSees: 'INVALID',
  },
  POLICY_OUTPUT_PROHIBITED: {
    means: 'The message holds content that its sender\'s OISpec prohibits.',
    mend: 'See what the agent was told; correct output_constraints.prohibited_content if it is wrong.',
    agentSees: 'REFUSED',
  },
  POLICY_CONFIDENCE_UNSOURCED: {
    means: 'The agent claims more confidence than its OISpec allows without a source outside the fleet.',
    mend: 'Let it read a source, or state a lower confidence.',
    agentSees: 'REFUSED',
  },
  ...epistemicCodes,
} as const satisfies CodeTable;

export type PolicyCode = keyof typeof policyCodes;
