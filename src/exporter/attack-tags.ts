// SPDX-License-Identifier: Apache-2.0

/** MITRE ATLAS techniques that tags refer to, by id, with the tactic they serve here. */
export const atlasTechniques = {
  'AML.T0010': { name: 'AI Supply Chain Compromise', tactic: 'AML.TA0004', in: 'Initial Access' },
  'AML.T0012': { name: 'Valid Accounts', tactic: 'AML.TA0004', in: 'Initial Access' },
  'AML.T0029': { name: 'Denial of AI Service', tactic: 'AML.TA0011', in: 'Impact' },
  'AML.T0048': { name: 'External Harms', tactic: 'AML.TA0011', in: 'Impact' },
  'AML.T0051': { name: 'LLM Prompt Injection', tactic: 'AML.TA0005', in: 'Execution' },
  'AML.T0053': { name: 'AI Agent Tool Invocation', tactic: 'AML.TA0005', in: 'Execution' },
  'AML.T0057': { name: 'LLM Data Leakage', tactic: 'AML.TA0010', in: 'Exfiltration' },
  'AML.T0068': { name: 'LLM Prompt Obfuscation', tactic: 'AML.TA0007', in: 'Defense Evasion' },
  'AML.T0073': { name: 'Impersonation', tactic: 'AML.TA0007', in: 'Defense Evasion' },
  'AML.T0080': { name: 'AI Agent Context Poisoning', tactic: 'AML.TA0006', in: 'Persistence' },
  'AML.T0081': { name: 'Modify AI Agent Configuration', tactic: 'AML.TA0006', in: 'Persistence' },
  'AML.T0086': {
    name: 'Exfiltration via AI Agent Tool Invocation', tactic: 'AML.TA0010', in: 'Exfiltration',
  },
  'AML.T0110': { name: 'AI Agent Tool Poisoning', tactic: 'AML.TA0006', in: 'Persistence' },
} as const;

/** OWASP Top 10 for LLM applications (2025) and for agentic applications (2026), as tagged here. */
export const owaspRisks = {
  'LLM01:2025': 'Prompt Injection',
  'LLM02:2025': 'Sensitive Information Disclosure',
  'LLM03:2025': 'Supply Chain',
  'LLM05:2025': 'Improper Output Handling',
  'LLM06:2025': 'Excessive Agency',
  'LLM10:2025': 'Unbounded Consumption',
  'ASI01:2026': 'Agent Goal Hijack',
  'ASI02:2026': 'Tool Misuse and Exploitation',
  'ASI03:2026': 'Identity and Privilege Abuse',
  'ASI04:2026': 'Agentic Supply Chain Vulnerabilities',
  'ASI06:2026': 'Memory and Context Poisoning',
  'ASI07:2026': 'Insecure Inter-Agent Communication',
  'ASI08:2026': 'Cascading Failures',
  'ASI09:2026': 'Human-Agent Trust Exploitation',
  'ASI10:2026': 'Rogue Agents',
} as const;

export type AtlasId = keyof typeof atlasTechniques;
export type OwaspId = keyof typeof owaspRisks;

/** What a code may be a sign of. A tag is a hint for triage, not a finding that it happened. */
export type AttackTags = {
  readonly atlas: readonly AtlasId[];
  readonly owasp: readonly OwaspId[];
};

const injection: AttackTags = { atlas: ['AML.T0051'], owasp: ['LLM01:2025', 'ASI01:2026'] };
const obfuscation: AttackTags =
  { atlas: ['AML.T0068', 'AML.T0051'], owasp: ['LLM01:2025', 'ASI01:2026'] };
const leak: AttackTags = { atlas: ['AML.T0057'], owasp: ['LLM02:2025'] };
const exfiltration: AttackTags =
  { atlas: ['AML.T0086', 'AML.T0053'], owasp: ['LLM06:2025', 'ASI02:2026'] };
const agency: AttackTags = { atlas: ['AML.T0053'], owasp: ['LLM06:2025', 'ASI02:2026'] };
const privilege: AttackTags = { atlas: ['AML.T0053'], owasp: ['LLM06:2025', 'ASI03:2026'] };
const impersonation: AttackTags =
  { atlas: ['AML.T0073', 'AML.T0012'], owasp: ['ASI03:2026', 'ASI07:2026'] };
const credential: AttackTags = { atlas: ['AML.T0012'], owasp: ['ASI03:2026'] };
const forgery: AttackTags = { atlas: ['AML.T0073'], owasp: ['ASI07:2026', 'ASI10:2026'] };
const protocol: AttackTags = { atlas: [], owasp: ['LLM05:2025', 'ASI07:2026'] };
const flood: AttackTags = { atlas: ['AML.T0029'], owasp: ['LLM10:2025', 'ASI08:2026'] };
const fatigue: AttackTags = { atlas: ['AML.T0048'], owasp: ['ASI09:2026'] };
const supply: AttackTags =
  { atlas: ['AML.T0010', 'AML.T0110'], owasp: ['LLM03:2025', 'ASI04:2026'] };
const toolResult: AttackTags = { atlas: ['AML.T0110'], owasp: ['LLM05:2025', 'ASI06:2026'] };
const rogue: AttackTags = { atlas: ['AML.T0053'], owasp: ['ASI10:2026'] };
const poisoning: AttackTags = { atlas: ['AML.T0080'], owasp: ['ASI06:2026'] };
const tampering: AttackTags = { atlas: ['AML.T0081'], owasp: ['ASI10:2026'] };

/**
 * Tags by the start of a code; the longest start that fits decides, null says that such codes are
 * faults of the mesh and no sign of an attack. By starts, so that a code which a folder adds later
 * is tagged by its family at once; a test holds every code of the tables against this list.
 */
const byStart: { readonly [start: string]: AttackTags | null } = {
  MESSAGE_: protocol,
  MESSAGE_TOO_LARGE: flood,
  MESSAGE_TOO_DEEP: flood,
  MESSAGE_TOO_MANY_MEMBERS: flood,
  LABEL_: poisoning,
  REVIEW_: null,
  IDENTITY_: impersonation,
  IDENTITY_AUTHORITY_: null,
  IDENTITY_BUNDLE_INVALID: null,
  IDENTITY_CREDENTIAL_: null,
  IDENTITY_CREDENTIAL_EXPOSED: credential,
  IDENTITY_ENROLMENT_UNREACHABLE: null,
  IDENTITY_JOIN_TOKEN_: credential,
  IDENTITY_REVOKED: rogue,
  KMS_: null,
  KMS_KEY_EXPOSED: credential,
  MESH_: null,
  MESH_POLICY_: tampering,
  MESH_CHANGE_BOUNDS: privilege,
  MESH_CHANGE_REFUSED: privilege,
  SCAN_: protocol,
  SCAN_BUDGET: flood,
  SCAN_FREE_TEXT: injection,
  SCAN_HIDDEN_TEXT: obfuscation,
  SCAN_INJECTION: injection,
  SCAN_PATTERN: leak,
  SCAN_PATTERN_INVALID: null,
  SCAN_RULE_INVALID: null,
  SCAN_SCHEMA_INVALID: null,
  SCAN_SUPPRESSION_: null,
  SCAN_FILE_LEFT_OUT: null,
  SCAN_NOT_JOINED: null,
  SCAN_OPTIONS_INVALID: null,
  SCAN_SECRET: leak,
  SCAN_PERSONAL: leak,
  SCAN_PII: leak,
  FIREWALL_: injection,
  FIREWALL_THRESHOLDS_INVALID: null,
  FIREWALL_UNAVAILABLE: null,
  FIREWALL_TOO_MANY_TEXTS: flood,
  POLICY_: privilege,
  POLICY_SOURCE_UNTRUSTED: { atlas: ['AML.T0051', 'AML.T0053'], owasp: ['ASI01:2026', 'ASI02:2026'] },
  POLICY_ENDORSEMENT_REQUIRED: exfiltration,
  POLICY_VALUE_UNLISTED: exfiltration,
  POLICY_BOUND_EXCEEDED: agency,
  POLICY_CAP_EXCEEDED: agency,
  POLICY_HOPS_EXCEEDED: flood,
  POLICY_CEDAR_: null,
  POLICY_CEDAR_DENIED: privilege,
  POLICY_SCHEMA_BROKEN: null,
  POLICY_APPROVAL_REQUIRED: null,
  POLICY_TWO_PEOPLE_REQUIRED: null,
  POLICY_TIER_SUPERVISED: null,
  POLICY_CLOCK_INVALID: null,
  POLICY_FAILED: null,
  POLICY_TEST_: null,
  POLICY_PACE_: null,
  MANDATE_: privilege,
  MANDATE_CLOCK_INVALID: null,
  MANDATE_CYCLE: flood,
  INTENT_: rogue,
  ANOMALY_: rogue,
  ANOMALY_BUDGET: flood,
  ANOMALY_CONTEXT: flood,
  ANOMALY_LOOP: flood,
  ANOMALY_VOLUME: flood,
  JUDGE_: null,
  JUDGE_REFUSED: rogue,
  JUDGE_DOUBTS: rogue,
  JUDGE_DISAGREEMENT: rogue,
  JUDGE_OVERLOADED: flood,
  JUDGE_BUDGET_SPENT: flood,
  OVERSIGHT_: fatigue,
  PACE_: null,
  PROTECTION_: null,
  PROTECTION_SEAL_: forgery,
  PROTECTION_ITEM_FOREIGN: impersonation,
  PROTECTION_KEY_FOREIGN: impersonation,
  PROTECTION_RELEASE_: privilege,
  PROTECTION_RELEASE_LATE: flood,
  KNOWLEDGE_: poisoning,
  KNOWLEDGE_DENIED: privilege,
  KNOWLEDGE_NO_MEMORY: privilege,
  KNOWLEDGE_CLEARANCE: leak,
  KNOWLEDGE_ENTRY_TOO_LARGE: flood,
  KNOWLEDGE_TOKENS_TOO_LARGE: flood,
  KNOWLEDGE_FULL: flood,
  KNOWLEDGE_UNAVAILABLE: null,
  KNOWLEDGE_STORE_: null,
  KNOWLEDGE_DOCUMENT_TWICE: null,
  KNOWLEDGE_ORDER_: tampering,
  OBSERVER_: rogue,
  OBSERVER_SELF_TEST_FAILED: null,
  CONSOLE_: privilege,
  CONSOLE_PASSKEY_WAITS: null,
  CONSOLE_UNKNOWN: null,
  CONSOLE_TRIED_TOO_OFTEN: flood,
  RECORDER_: tampering,
  RECORDER_CLOSED: null,
  RECORDER_FULL: null,
  RECORDER_HEAD_NOT_WRITTEN: null,
  RECORDER_CHECKPOINT_NOT_WRITTEN: null,
  RECORDER_FORMAT_OLD: null,
  RECORDER_LOCKED: null,
  RECORDER_LOG_MISSING: null,
  RECORDER_NOT_DURABLE: null,
  RECORDER_OPTIONS_INVALID: null,
  RECORDER_OVERLOADED: flood,
  RECORDER_REFUSALS_FOLDED: flood,
  RECORDER_TRACE_: null,
  TOOL_: agency,
  TOOL_ABORTED: null,
  TOOL_ANSWERED_ERROR: null,
  TOOL_BACK_CHANNEL: toolResult,
  TOOL_CALL_RUNNING: null,
  TOOL_CREDENTIAL_: null,
  TOOL_DIED: null,
  TOOL_EGRESS_DENIED: exfiltration,
  TOOL_GATE_NOT_READY: null,
  TOOL_INTERRUPTED: null,
  TOOL_KEY_REUSED: agency,
  TOOL_LIST_CHANGED: supply,
  TOOL_NOT_PINNED: supply,
  TOOL_NOT_RECORDED: null,
  TOOL_OPERATION_MISSING: supply,
  TOOL_PIN_MISMATCH: supply,
  TOOL_PROGRAM_CHANGED: supply,
  TOOL_PROTOCOL: toolResult,
  TOOL_REDIRECTED: toolResult,
  TOOL_RESULT_: toolResult,
  TOOL_REVIEW_FAILED: null,
  TOOL_SCHEMA_BROKEN: null,
  TOOL_START_FAILED: null,
  TOOL_STORE_UNAVAILABLE: null,
  TOOL_TIMEOUT: null,
  TOOL_UNAVAILABLE: null,
  SIDECAR_: rogue,
  SIDECAR_APPROVAL_INVALID: forgery,
  SIDECAR_BUS_UNREACHABLE: null,
  SIDECAR_CLOCK_JUMPED: null,
  SIDECAR_EXECUTOR_PROSE: injection,
  SIDECAR_EXPIRED: null,
  SIDECAR_LEASE_EXPIRED: null,
  SIDECAR_ORIGIN_REFUSED: credential,
  SIDECAR_OUTCOME_FORGED: forgery,
  SIDECAR_OUTCOME_PENDING: null,
  SIDECAR_QUARANTINED: poisoning,
  SIDECAR_RATE_LIMITED: flood,
  SIDECAR_RECORD_UNAVAILABLE: null,
  SIDECAR_UNDO_: null,
  SIDECAR_UNDO_FORGED: forgery,
  SIDECAR_TOKEN_: credential,
  SIDECAR_SESSION_UNKNOWN: credential,
  CONTAGION_: poisoning,
  BOUNDS_: agency,
  BOUNDS_BREAKER_OPEN: null,
  BOUNDS_OWNER_UNREACHABLE: null,
  BOUNDS_RETRIES_SPENT: flood,
  BOUNDS_STORE_UNAVAILABLE: null,
  BUS_: rogue,
  BUS_ALREADY_CONNECTED: impersonation,
  BUS_BEFORE_RESTART: forgery,
  BUS_CLEARANCE_EXCEEDED: leak,
  BUS_CLOCK_SKEW: forgery,
  BUS_CREDENTIAL_: credential,
  BUS_DATA_UNMASKED: leak,
  BUS_ENTRY_FORGED: forgery,
  BUS_FRAME_MALFORMED: protocol,
  BUS_MESH_MISMATCH: null,
  BUS_RUN_QUARANTINED: poisoning,
  BUS_ORIGIN_FORGED: forgery,
  BUS_QUEUE_FULL: flood,
  BUS_RATE_LIMITED: flood,
  BUS_REPLAY: forgery,
  BUS_TASK_HOPS_EXCEEDED: flood,
  BUS_TOO_LARGE: flood,
  BUS_UNAVAILABLE: null,
  BUS_EXPIRED: null,
  CONTROL_: privilege,
  CONTROL_AGENT_: null,
  CONTROL_NODE_: null,
  CONTROL_PORT_: null,
  CONTROL_REVOCATION_: null,
  CONTROL_SIDECAR_: null,
  CONTROL_UNSUPPORTED_: null,
  CONTROL_SPAWN_NOT_APPROVED: null,
  CONTROL_ENROLMENT_REFUSED: credential,
  CONTROL_RENEWAL_REFUSED: credential,
  CONTROL_TOKEN_EXPOSED: credential,
  REPLAY_: null,
  VERIFY_: tampering,
  WITNESS_: tampering,
  WITNESS_STATE_INVALID: null,
  VERIFY_FORMAT_OLD: null,
  VERIFY_SOURCE_UNREADABLE: null,
  EXPORT_: null,
};

const startsLongestFirst = Object.keys(byStart).sort((a, b) => b.length - a.length);

/** Tags of a code; null for a fault, undefined for a code that no start fits. */
export function attackTagsOf(code: string): AttackTags | null | undefined {
  const start = startsLongestFirst.find((candidate) => code.startsWith(candidate));
  return start === undefined ? undefined : byStart[start];
}
