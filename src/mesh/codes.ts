// SPDX-License-Identifier: Apache-2.0
import { meshRecorderCodes } from './recorder-codes.ts';
import type { CodeTable } from '../review/code.ts';
import { boundCodes } from './bound-codes.ts';
import { knowledgeFileCodes } from './knowledge-codes.ts';
import { orchestratorCodes } from './orchestrator-codes.ts';
import { tierCodes } from './tier-codes.ts';
import { meshPolicyCodes } from './policy-codes.ts';
import { settingCodes } from './setting-codes.ts';
import { meshPaceCodes } from './pace-codes.ts';
import { exporterCodes } from './exporter-codes.ts';

/** Everything the loader and `maso check` say; a mesh with an error does not start. */
export const meshCodes = {
  MESH_REFUSED: {
    means: 'The mesh file has errors, so nothing starts.',
    mend: 'Run maso check and mend what it lists.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FILE_UNREADABLE: {
    means: 'The mesh file, or a file that it names, cannot be read as text.',
    mend: 'Check that it is a file of UTF-8 text, and its permissions.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FILE_TOO_LARGE: {
    means: 'A configuration file is larger than 1,048,576 characters.',
    mend: 'Split it; configuration is written by people.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FILE_MISSING: {
    means: 'The mesh file, or a file that it names, does not exist.',
    mend: 'Correct the path; what the mesh file names is relative to its folder.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SYNTAX: {
    means: 'The text is not valid YAML 1.2.',
    mend: 'Correct the syntax at this position.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KEY_DUPLICATE: {
    means: 'A key stands twice in one map.',
    mend: 'Remove one of the two.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KEY_FORBIDDEN: {
    means: 'A key is not plain text, or is __proto__.',
    mend: 'Use a plain name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ALIAS_BOMB: {
    means: 'The aliases of the file expand beyond the bound.',
    mend: 'Write the values out instead of nesting aliases.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KEY_UNKNOWN: {
    means: 'A key is not one that this place takes.',
    mend: 'Correct or remove it; nothing unknown is ignored.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_KEY_MISSING: {
    means: 'A key that this place needs is missing.',
    mend: 'Add it.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_VALUE_INVALID: {
    means: 'A value is not one that this key takes.',
    mend: 'Correct it; the editor schema lists what is allowed.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_NAME_INVALID: {
    means: 'A name has characters that identities and ids cannot carry.',
    mend: 'Use a-z, 0-9, _ and -, beginning with a letter, at most 63; schema ids are name/major.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_NAME_DUPLICATE: {
    means: 'Two items have one name.',
    mend: 'Rename or remove one of the two.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ZONE_UNKNOWN: {
    means: 'The zone is not declared.',
    mend: 'Declare it under zones, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_AGENT_UNKNOWN: {
    means: 'The agent is not declared.',
    mend: 'Declare it under agents, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DOMAIN_UNKNOWN: {
    means: 'The domain is not declared.',
    mend: 'Declare it under domains, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TOOL_UNKNOWN: {
    means: 'The tool is not declared.',
    mend: 'Declare it under tools, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ACTION_UNKNOWN: {
    means: 'The action is not declared.',
    mend: 'Declare it under actions, or correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SCHEMA_UNKNOWN: {
    means: 'The message schema is not declared.',
    mend: 'Declare it under schemas, or correct the id.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SCHEMA_RESERVED: {
    means: 'The schema id belongs to the mesh itself.',
    mend: 'Use may_request for action requests, and another id for your own schema.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SCHEMA_INVALID: {
    means: 'A JSON Schema does not compile strictly.',
    mend: 'Correct it; draft 2020-12, known keywords and formats, no references to other files.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PATTERN_INVALID: {
    means: 'A pattern does not compile on the linear engine.',
    mend: 'Write it without look-around and back-references.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_POLICY_UNREADABLE: {
    means: 'A Cedar file holds text behind its last policy.',
    mend: 'End every policy with a semicolon.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_POLICY_ID_DUPLICATE: {
    means: 'Two Cedar policies have one @id.',
    mend: 'Give each policy its own @id.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PARAMETER_RESERVED: {
    means: 'A parameter has a name that Cedar policies read as the mesh\'s own fact.',
    mend: 'Rename the parameter.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_PINS_INVALID: {
    means: 'The pin file is not of its shape, or pins a tool that does not exist.',
    mend: 'Write the pins again.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TOOL_RUNNER: {
    means: 'A tool needs exactly one way to run: mcp.stdio, mcp.http or function.',
    mend: 'State one of the three.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TOOL_URL_INSECURE: {
    means: 'A tool is reached without TLS, or its address is no http(s) URL.',
    mend: 'Use https, or http on a loopback address.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TOOL_GUARD_UNPROVEN: {
    means: 'A tool says it is guarded, but nothing lets it tell the gate from others.',
    mend: 'Give it a credential_file, or leave guarded out.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TOOL_UNGUARDED: {
    means: 'A tool that anybody may call serves a HIGH or CRITICAL action.',
    mend: 'Start it over stdio, or give it a credential_file.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TOOL_UNPINNED: {
    means: 'No hashes pin this tool\'s program and descriptions.',
    mend: 'Write pins for it beside the mesh file.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_WRITE_UNDERSTATED: {
    means: 'An action calls itself a read, but its operation writes.',
    mend: 'Set write to true, or correct the operation.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OISPEC_MISSING: {
    means: 'The agent has no OISpec (OI-1.1).',
    mend: 'Write one and name it under oispec.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OISPEC_AGENT: {
    means: 'The OISpec is written for another agent.',
    mend: 'Name the agent\'s own OISpec, or correct agent_id.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OISPEC_ROLE: {
    means: 'The OISpec\'s agent_role does not fit the agent\'s role.',
    mend: 'Use orchestrator for an ORCHESTRATOR and task for the others.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SPAWN_OISPEC: {
    means: 'The agent may spawn others, and its OISpec does not say can_create_agents.',
    mend: 'Set authority.can_create_agents in the OISpec, or remove spawn.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SPAWN_WIDER: {
    means: 'An agent may spawn from a template that may do more than the agent itself.',
    mend: 'Give the parent that edge too, take it from the template, or use another role.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TEMPLATE_UNKNOWN: {
    means: 'spawn.templates names no agent that has a template section.',
    mend: 'Name an agent with template: {}, or give it one.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_TEMPLATE_INVALID: {
    means: 'Agents cannot be spawned from this template.',
    mend: 'Choose a free, shorter name; no originator; isolation uid or none.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OISPEC_HASH: {
    means: 'The OISpec is not the one its oisspec_hash was made of.',
    mend: 'Restore the reviewed text, or give it a new version and hash.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OISPEC_DENIES: {
    means: 'The executor\'s OISpec does not permit an action that it is asked for.',
    mend: 'Permit it in the OISpec, or remove it from may_request.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OPERATOR_KEY_INVALID: {
    means: 'An operator\'s key is not an Ed25519 public key as a JWK.',
    mend: 'Use {kty: OKP, crv: Ed25519, x: ...}.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OPERATOR_PRIVATE_KEY: {
    means: 'An operator\'s file holds a private key.',
    mend: 'Remove the member d; treat the key as lost and make a new one.',
    agentSees: 'UNAVAILABLE',
  },
  ...meshRecorderCodes,
  MESH_OPERATOR_KEY_SHARED: {
    means: 'Two operators have one key, so one person could be two.',
    mend: 'Give each person a key of their own.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_EXECUTOR_TOOL: {
    means: 'An executor holds a tool that none of its actions uses.',
    mend: 'Take the tool away, or give it to a reading agent.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_TOOL_MISSING: {
    means: 'An executor lacks the tool of an action that it is asked for.',
    mend: 'Add the tool to the executor\'s tools.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_ORCHESTRATOR_TOOL: {
    means: 'An orchestrator holds a tool.',
    mend: 'Give the tool to an agent that the orchestrator asks.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_ORIGINATOR_TOOL: {
    means: 'An originator holds a tool, so its words would not be a person\'s alone.',
    mend: 'Give the tool to another agent.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_NOT_EXECUTOR: {
    means: 'An action is requested from an agent that is no EXECUTOR.',
    mend: 'Request it from an EXECUTOR; reading agents hold no privileged rights.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_PRIVILEGED_READER: {
    means: 'A reading agent holds the tool of a HIGH or CRITICAL action.',
    mend: 'Give it a separate, read-only tool.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_READS_AND_EXECUTES: {
    means: 'One agent reads third-party data and executes HIGH or CRITICAL actions.',
    mend: 'Split it into a reading agent and an executor.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_DELEGATED: {
    means: 'What third parties chose reaches a HIGH or CRITICAL action that nothing binds.',
    mend: 'Name its sensitive parameters, say approval: required, or remove an edge of the path.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DUTIES_CREDENTIAL_UPSTREAM: {
    means: 'An agent upstream of an executor holds a credential with which the executor writes.',
    mend: 'Give the upstream agent a tool of its own with a credential that only reads.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ISOLATION_NONE: {
    means: 'An executor runs without isolation from its sidecar and tools.',
    mend: 'Use isolation uid or container, or say development: true for a trial.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EXECUTOR_PROSE: {
    means: 'A text that reaches an executor could be prose (G3).',
    mend:
      'Use an enum, const, closed format, or a whitespace-free pattern of at most 64 characters.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SENSITIVE_UNKNOWN: {
    means: 'A sensitive or capped parameter is not in the parameters schema.',
    mend: 'Correct the name.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SENSITIVE_NONE: {
    means: 'A HIGH or CRITICAL action names no sensitive parameter.',
    mend: 'Name the parameters that matter: payee, recipient, path, amount, object.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SENSITIVE_UNBOUND: {
    means:
      'A sensitive parameter has neither a source nor a bound, or an irreversible one no source.',
    mend: 'List its sources under from.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SOURCE_UNKNOWN: {
    means: 'A source is neither prompt nor a declared result field of a tool.',
    mend: 'Declare the field under results of the tool, or correct the source.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_SOURCE_UNTRUSTED: {
    means: 'A source is a field whose value third parties choose.',
    mend: 'List only sources that no third party can write.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_BOUND_INVALID: {
    means: 'A bound does not fit the parameter\'s type.',
    mend: 'Use at_most for number or integer parameters only.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CAP_INVALID: {
    means: 'A cap needs a required parameter of type number or integer with minimum 0 or more.',
    mend: 'Correct the parameter\'s schema.',
    agentSees: 'UNAVAILABLE',
  },
  ...boundCodes,
  ...settingCodes,
  MESH_OPERATORS_TOO_FEW: {
    means: 'A CRITICAL action needs two operators, and fewer are declared.',
    mend: 'Declare two people under operators.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OPERATOR_NONE: {
    means: 'Actions wait for a person, and no operator is declared.',
    mend: 'Declare one; until then `maso up` makes a local operator.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_OUTPUT_UNDECLARED: {
    means: 'The action declares no output schema, so its executor learns only that it was done.',
    mend: 'Add output to the action if the executor needs the result.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_ACTION_UNREACHABLE: {
    means: 'No edge may request this action.',
    mend: 'Add it to may_request of an edge, or remove it.',
    agentSees: 'UNAVAILABLE',
  },
  ...tierCodes,
  ...orchestratorCodes,
  ...knowledgeFileCodes,
  MESH_EDGE_DUPLICATE: {
    means: 'Two edges have one from, to and domain.',
    mend: 'Merge them.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EDGE_SELF: {
    means: 'An edge leads from an agent to itself.',
    mend: 'Remove it.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EDGE_ROLE: {
    means: 'The domain does not allow the role of an agent on this edge, so nothing can pass.',
    mend: 'Allow the role in the domain, or use another domain.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EDGE_IDLE: {
    means: 'The edge allows neither a schema nor an action, so nothing can pass.',
    mend: 'Add schemas or may_request.',
    agentSees: 'UNAVAILABLE',
  },
  ...exporterCodes,
  ...meshPaceCodes,
  MESH_OBSERVE: {
    means: 'Content controls record their verdicts and do not enforce them.',
    mend: 'Set mode to enforce when the trial is over.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_DEVELOPMENT: {
    means: 'Development mode: isolation and pins are not enforced.',
    mend: 'Never use it with real data; set development to false.',
    agentSees: 'UNAVAILABLE',
  },
  ...meshPolicyCodes,
} as const satisfies CodeTable;

export type MeshCode = keyof typeof meshCodes;
