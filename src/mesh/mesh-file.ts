// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { scannerShape } from './scanner-settings.ts';
import { channels } from '../message/channel.ts';
import { agentModelShape } from './agent-model.ts';
import { spawnShape, templateShape } from './orchestrator-file.ts';
import { paceShape } from './pace-settings.ts';
import { workflowEntryShape } from './workflow-file.ts';
import { exporterShape } from './exporter-file.ts';
import { epistemicShape } from './epistemic-settings.ts';
import { expectedAnswerShape, unclearWithoutShape } from './expected-answer.ts';
import { operatorRoles } from './operator-roles.ts';
import { oversightShape } from './oversight-file.ts';
import { judgeShape } from './judge-file.ts';
import { limitsShape } from './limits-file.ts';
import { knowledgeShape, knowledgeStoreShape, memoryShape, tokensShape } from './knowledge-file.ts';

/** Same shape as `isName` of `message/identifiers.ts`: agents, domains, actions, tools, zones. */
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const schemaId = z.string().regex(/^[a-z][a-z0-9-]{0,62}\/[1-9][0-9]{0,3}$/);
const filePath = z.string().min(1).max(1024);
const text = z.string().min(1).max(1024);
const command = z.array(z.string().min(1).max(4096)).min(1).max(64);
/** A JSON Schema: the path of its file (JSON or YAML), or the schema itself. */
const jsonSchema = z.union([filePath, z.record(z.string(), z.unknown())]);
const hostName = z.string().max(253).regex(/^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
const timeoutMs = z.int().min(1).max(3_600_000);
/** Highest number that a bound may have: sums are kept to four decimals, exactly. */
const bound = z.number().positive().max(900_000_000_000);

export const roleNames = ['ORCHESTRATOR', 'RETRIEVER', 'EXECUTOR', 'ANALYST'] as const;
const role = z.enum(roleNames);
const auditLevel = z.enum(['OUTPUT_ONLY', 'FULL_MESH']);
const classification = z.enum(['public', 'internal', 'confidential', 'restricted']);
const integrity = z.enum(['untrusted', 'internal', 'trusted']);
const isolation = z.enum(['none', 'uid', 'container']);
const risk = z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);

const globalShape = z.strictObject({
  tls_min_version: z.union([z.literal('1.3'), z.literal(1.3)]).default('1.3')
    .describe('Mutual TLS is always 1.3.'),
  credential_rotation_interval_ms: z.int().min(1000).max(3_600_000).default(3_600_000)
    .describe('Lifetime of an SVID; executors of HIGH or CRITICAL actions get at most 900,000.'),
  audit_scope: auditLevel.default('FULL_MESH'),
  autonomy_tier: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(2)
    .describe('1 supervised (a person releases every write), 2 managed, 3 autonomous.'),
  development: z.boolean().default(false)
    .describe('Lets executors run without isolation and tools without pins; warned of loudly.'),
  principals: z.enum(['instructions', 'messages']).default('instructions')
    .describe('Whose rights bound a request: of who instructed, or of whoever sent anything.'),
});

const recorderShape = z.strictObject({
  witnesses: z.array(z.strictObject({
    url: z.url({ protocol: /^https?$/ }).max(1024)
      .describe('Submission prefix of a C2SP tlog-witness.'),
    key: z.string().min(1).max(512).describe('Verifier key of the witness.'),
  })).max(16).default([]),
  witness_age_max_ms: z.int().min(1000).max(86_400_000).default(60_000)
    .describe('Age of the newest cosigned checkpoint that raises the alarm.'),
  forensic: z.strictObject({
    custodians: z.array(z.strictObject({
      name,
      key: z.string().regex(/^[A-Za-z0-9_-]{43}$/).describe('Public X25519 key, base64url.'),
    })).min(2).max(32),
    threshold: z.int().min(2).max(32),
    epoch_ms: z.int().min(1000).max(604_800_000).default(3_600_000),
    keep: z.array(risk).min(1).default(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  }).optional(),
  retention_days: z.strictObject({
    low: z.int().min(1).max(36_500).default(90),
    medium: z.int().min(1).max(36_500).default(365),
    high: z.int().min(1).max(36_500).default(1095),
    critical: z.int().min(1).max(36_500).default(2555),
  }).prefault({}),
});

const defaultsShape = z.strictObject({
  zone: name.optional(),
  domain: name.optional(),
  isolation: isolation.optional(),
  classification: classification.optional(),
  timeout_ms: timeoutMs.optional(),
});

const probability = z.number().gt(0).max(1);
const bandShape = z.strictObject({
  escalate_at: probability.optional(),
  refuse_at: probability.optional(),
});
const channel = z.enum(channels);

const firewallShape = z.strictObject({
  model: z.union([z.enum(['compact', 'none']), filePath]).default('compact')
    .describe('`compact` is the model of this package, `none` no model; else the path of a model file.'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/).optional()
    .describe('SHA-256 of the model file, hex; owed with a path.'),
  attack_labels: z.array(z.string().min(1).max(200)).min(1).max(32).optional(),
  timeout_ms: z.int().min(1).max(10_000).default(50),
  escalate_at: probability.optional(),
  refuse_at: probability.optional(),
  channels: z.partialRecord(channel, bandShape).default({}),
  classifications: z.partialRecord(classification, bandShape).default({}),
});

const domainShape = z.strictObject({
  name,
  tier: z.enum(['PLAINTEXT', 'RETRIEVAL', 'COMPUTATION', 'FHE']),
  allowed_roles: z.array(role).min(1),
  metadata_masking: z.boolean().default(true),
  audit_level: auditLevel.optional(),
  max_token_age_ms: z.int().min(1000).max(3_600_000).optional(),
  attestation_required: z.boolean().default(false),
  classification: classification.optional(),
});

const zoneShape = z.strictObject({ clearance: classification.optional() });

/** Bounds over sliding windows; more than one may stand. */
const windowsShape = z.strictObject({
  per_minute: bound.optional(),
  per_hour: bound.optional(),
  per_day: bound.optional(),
});

const blastShape = z.strictObject({
  calls: windowsShape.optional(),
  money: windowsShape.optional(),
  records: windowsShape.optional(),
});

const boundsShape = z.strictObject({
  agent: blastShape.default({}),
  subtree: blastShape.default({}),
  task: z.strictObject({
    calls: bound.optional(),
    money: bound.optional(),
    records: bound.optional(),
    duration_ms: z.int().min(1000).max(604_800_000).default(604_800_000),
    retries: z.int().min(0).max(1000).default(3),
  }).prefault({}),
  breaker: z.strictObject({
    failures: z.int().min(1).max(1000).default(5),
    agent_failures: z.int().min(1).max(1000).default(4),
    window_ms: z.int().min(1000).max(86_400_000).default(60_000),
    open_ms: z.int().min(1000).max(86_400_000).default(60_000),
    probes: z.int().min(1).max(16).default(3),
  }).prefault({}),
  escalate_at: z.number().positive().max(1).default(0.5),
});

const agentShape = z.strictObject({
  role,
  zone: name.optional(),
  originator: z.boolean().default(false),
  tools: z.array(name).max(64).default([]),
  oispec: filePath.optional(),
  system_prompt: filePath.optional()
    .describe('File of its instructions, which may not leave.'),
  model: agentModelShape.optional()
    .describe('The model it thinks with, behind its sidecar.'),
  model_family: name.optional().describe('Models of one family are expected to err alike.'),
  isolation: isolation.optional(),
  command: command.optional(),
  sponsor: z.string().min(1).max(128).optional(),
  egress: z.array(hostName).max(256).optional()
    .describe('Hosts that its tool calls may name; all when absent.'),
  assigns: z.array(name).max(256).default([]),
  may_change: z.array(name).max(64).default([]),
  spawn: spawnShape.optional(),
  template: templateShape.optional(),
  clearance: classification.optional(),
  bounds: z.strictObject({ own: blastShape.default({}), subtree: blastShape.default({}) })
    .optional(),
});

const edgeShape = z.strictObject({
  from: name,
  to: name,
  domain: name.optional(),
  schemas: z.array(schemaId).default([]),
  may_request: z.array(name).default([]),
  workflow: name.optional(),
  open: z.boolean().optional(),
});

const source = z.string()
  .regex(/^(prompt|[a-z][a-z0-9_-]{0,62}(\.[A-Za-z0-9_*@/-]{1,128})+)$/);

const sensitiveShape = z.strictObject({
  from: z.array(source)
    .default([])
    .describe('`prompt`, or a result field of a tool: tool.field or tool.operation.field.'),
  at_most: z.number().nonnegative().optional(),
  one_of: z.array(z.union([z.string(), z.number()])).min(1).max(1000).optional(),
  always: z.array(z.union([z.string(), z.number()])).min(1).max(1000).optional()
    .describe('Values that need no source.'),
  own_words: z.strictObject({ from: z.array(source).min(1), texts: z.array(z.string()).min(1) })
    .optional()
    .describe('Further sources while these texts are made of words of the prompt only.'),
  endorsable: z.boolean().default(false)
    .describe('A value without a source waits for a person instead of being refused.'),
});

const assuranceShape = z.strictObject({
  confidence_min: z.number().min(0).max(1).optional(),
  unknowns_max: z.int().min(0).max(32).optional(),
  challenged_by: z.array(name).max(8).default([]),
});

const actionShape = z.strictObject({
  risk,
  reversibility: z.enum(['reversible', 'compensable', 'irreversible']),
  tool: z.string().regex(/^[a-z][a-z0-9_-]{0,62}\.[A-Za-z0-9_./-]{1,128}$/)
    .describe('tool.operation'),
  parameters: jsonSchema,
  output: jsonSchema.optional(),
  opaque: z.array(z.string()).max(32).default([])
    .describe('Parameters that nobody reads between the request and the tool.'),
  keep: z.array(z.string()).max(64).optional()
    .describe('Members of the result that go on; the others are dropped.'),
  write: z.boolean().default(true),
  approval: z.enum(['policy', 'required']).default('policy'),
  approvers: z.array(z.enum(['approver', 'security', 'ciso'])).min(1).max(3).optional()
    .describe('Roles that may release it; every role that decides when absent.'),
  sensitive: z.record(z.string(), sensitiveShape).default({}),
  assurance: assuranceShape.optional(),
  caps: z.record(z.string(), windowsShape).default({}),
  impact: z.strictObject({
    money: z.union([z.string().min(1).max(128), z.number().nonnegative()]).optional(),
    records: z.union([z.string().min(1).max(128), z.number().nonnegative()]).optional(),
  }).default({}),
  undo: z.strictObject({ action: name,
    parameters: z.record(z.string(), z.string().regex(/^(?:request|result)\.[^.]{1,128}$/)).default({}),
  }).optional(),
  timeout_ms: timeoutMs.optional(),
});

const recordCondition = z.record(z.string(), z.array(z.string()).min(1).max(100));

const resultShape = z.union([integrity, z.strictObject({
  integrity,
  classification: classification.optional(),
  when: recordCondition.optional().describe('Members of the record that must have these values.'),
  unless: recordCondition.optional(),
  links: z.boolean().default(false).describe('Links in the text are values of the field.'),
})]);

const toolShape = z.strictObject({
  mcp: z.strictObject({
    stdio: command.optional(),
    env: z.record(z.string(), z.string()).optional(),
    http: z.string().max(2048).optional(),
    credential_file: filePath.optional(),
  }).optional(),
  function: filePath.optional(),
  channel: channel.default('tool_result')
    .describe('What its results are to the semantic firewall.'),
  results: z.record(z.string().regex(/^[A-Za-z0-9_*@/-]{1,128}(\.[A-Za-z0-9_*@/-]{1,128})*$/),
    resultShape).default({}),
  operations: z.record(z.string().regex(/^[A-Za-z0-9_./-]{1,128}$/), z.strictObject({
    write: z.boolean().default(true),
    idempotent: z.boolean().default(false),
    timeout_ms: timeoutMs.optional(),
    sensitive: z.record(z.string(), sensitiveShape).default({}),
  })).default({}),
  guarded: z.boolean().optional(),
});

const messageSchemaShape = z.strictObject({
  type: z.enum(['data', 'instruction', 'claim']),
  schema: jsonSchema,
  prose: z.array(z.string()).max(16).default([])
    .describe('Members that hold sentences of a person.'),
  answer: expectedAnswerShape.optional().describe('What answers an instruction of this schema.'),
  unclear_without: unclearWithoutShape,
});

export const operatorKeyShape = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  kid: z.string().optional(),
  use: z.literal('sig').optional(),
  alg: z.enum(['EdDSA', 'Ed25519']).optional(),
  roles: z.array(z.enum(operatorRoles)).min(1).max(5).optional(),
});

const operatorShape = z.union([filePath, z.record(z.string(), z.unknown())]);

const deselectedShape = z.strictObject({
  id: z.string().regex(/^[A-Z]{2,4}-[0-9]+(\.[0-9]+[a-z]?)?$/),
  reason: z.string().min(3).max(1024),
  by: text,
});

const patternShape = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_.-]{0,62}$/),
  pattern: z.string().min(1).max(1024),
  outcome: z.enum(['NO-GO', 'ESCALATE']).default('NO-GO'),
});

/** What one entry of each section looks like; sections of the file are maps or lists of these. */
export const entryShapes = {
  zones: zoneShape,
  agents: agentShape,
  actions: actionShape,
  tools: toolShape,
  schemas: messageSchemaShape,
  operators: operatorShape,
  exporters: exporterShape,
  domains: domainShape,
  edges: edgeShape,
  patterns: patternShape,
  policies: filePath,
  deselected: deselectedShape,
  global: globalShape,
  limits: limitsShape,
  recorder: recorderShape,
  bounds: boundsShape,
  firewall: firewallShape,
  judge: judgeShape,
  pace: paceShape,
  workflows: workflowEntryShape,
  defaults: defaultsShape,
  knowledge: knowledgeShape,
  knowledge_store: knowledgeStoreShape,
  memory: memoryShape,
  tokens: tokensShape,
} as const;

/** `security_mesh.yaml` as a whole: the seed's file (seed 003) and what extends it. */
export const meshFileShape = z.strictObject({
  security_mesh: z.strictObject({
    trust_domain: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?$/).default('maso.local'),
    mode: z.enum(['enforce', 'observe']).default('enforce'),
    global: globalShape.optional(),
    defaults: defaultsShape.optional(),
    limits: limitsShape.optional(),
    recorder: recorderShape.optional(),
    bounds: boundsShape.optional(),
    firewall: firewallShape.optional(),
    judge: judgeShape.optional(),
    pace: paceShape.optional(),
    epistemic: epistemicShape.optional(),
    domains: z.array(domainShape).default([]),
    zones: z.record(name, zoneShape).default({}),
    agents: z.record(name, agentShape).default({}),
    edges: z.array(edgeShape).default([]),
    actions: z.record(name, actionShape).default({}),
    tools: z.record(name, toolShape).default({}),
    schemas: z.record(schemaId, messageSchemaShape).default({}),
    operators: z.record(name, operatorShape).default({}),
    controls: z.strictObject({ deselected: z.array(deselectedShape).default([]) }).optional(),
    patterns: z.array(patternShape).default([]),
    scanner: scannerShape.optional(),
    policies: z.array(filePath).default([]).describe('Cedar policy files.'),
    oversight: oversightShape.optional(),
    workflows: z.record(name, workflowEntryShape).default({}),
    knowledge: z.record(name, knowledgeShape).default({})
      .describe('What agents may look up.'),
    knowledge_store: knowledgeStoreShape.optional(),
    memory: memoryShape.optional(),
    tokens: tokensShape.optional(),
    exporters: z.record(name, exporterShape).default({})
      .describe('Where entries of the flight recorder go.'),
  }),
});

/** Pins of every tool: `security_mesh.pins.json` beside `security_mesh.yaml`. */
export const pinsFileShape = z.strictObject({
  tools: z.record(name, z.strictObject({
    files: z.record(z.string(), z.string().regex(/^[A-Za-z0-9_-]{43}$/)).default({}),
    operations: z.record(z.string(), z.string().regex(/^[A-Za-z0-9_-]{43}$/)).default({}),
  })),
});

export const namePattern = name;
export const schemaIdPattern = schemaId;

export type EntryOf<Section extends keyof typeof entryShapes> = z.output<
  (typeof entryShapes)[Section]
>;
