// SPDX-License-Identifier: Apache-2.0
import type { RecorderSettings } from './recorder-settings.ts';
import type { OperatorRole } from './operator-roles.ts';
import type { OversightSettings } from './oversight.ts';
import type { Classification, Integrity, Isolation } from '../message/envelope.ts';
import type { Channel } from '../message/channel.ts';
import type { JsonObject } from '../message/json.ts';
import type { ScannerSettings } from './scanner-settings.ts';
import type { FirewallSettings } from './firewall-settings.ts';
import type { AgentModelSettings } from './agent-model.ts';
import type { JudgeSettings } from './judge-settings.ts';
import type { EpistemicSettings } from './epistemic-settings.ts';
import type { MessageSchema } from './message-schema.ts';
import type { OISpec } from './oispec.ts';
import type { Workflow } from './workflow.ts';
import type { KnowledgeSource, KnowledgeStoreSettings, MemorySettings, TokenSettings } from './knowledge-settings.ts';
import type { PaceSettings } from './pace-settings.ts';
import type { UndoManifest } from './undo.ts';

/** Seed 003: who an agent is in the mesh. */
export type AgentRole = 'ORCHESTRATOR' | 'RETRIEVER' | 'EXECUTOR' | 'ANALYST';
/** How a data domain protects payloads. Not a risk class and not an autonomy tier. */
export type ProtectionTier = 'PLAINTEXT' | 'RETRIEVAL' | 'COMPUTATION' | 'FHE';
export type AuditLevel = 'OUTPUT_ONLY' | 'FULL_MESH';
export type RiskClass = 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export type AutonomyTier = 1 | 2 | 3;

/**
 * A mesh file after loading: every default filled in, every path absolute, every cross-reference
 * resolved. Read-only in a run.
 */
export type Mesh = {
  /** SPIFFE trust domain, default `maso.local`. */
  readonly trustDomain: string;
  readonly tlsMinVersion: 'TLSv1.3';
  /** Lifetime of an SVID; at most 3,600,000. */
  readonly credentialRotationIntervalMs: number;
  readonly auditScope: AuditLevel;
  readonly autonomyTier: AutonomyTier;
  /** `observe` records verdicts of content controls without enforcing them; never G1-G4. */
  readonly mode: 'enforce' | 'observe';
  /**
   * True only for trials: isolation and pins are warned of instead of required. Absent is false.
   */
  readonly development?: boolean;
  /**
   * Whose rights bound an action request (G4): of those who instructed, which is what absent means,
   * or of everybody whose message was delivered.
   */
  readonly principals?: 'instructions' | 'messages';
  readonly limits: Limits;
  readonly bounds: Bounds;
  readonly firewall: FirewallSettings;
  /** Who is asked about what the other controls escalate; absent or null is nobody. */
  readonly judge?: JudgeSettings | null;
  /** Absent means the defaults: no workflow is declared, authorities are not divided. */
  readonly pace?: PaceSettings;
  readonly domains: ReadonlyMap<string, Domain>;
  readonly zones: ReadonlyMap<string, Zone>;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly edges: readonly Edge[];
  /** Edges that a workflow has closed: they carry nothing until they are opened. Absent is none. */
  readonly closedEdges?: readonly Edge[];
  readonly actions: ReadonlyMap<string, ActionManifest>;
  readonly tools: ReadonlyMap<string, ToolManifest>;
  /** JSON Schemas of messages by schema id; includes the built-in ones. */
  readonly schemas: ReadonlyMap<string, MessageSchema>;
  readonly operators: ReadonlyMap<string, Operator>;
  /** What agents are to reach together; absent is none. */
  readonly workflows?: ReadonlyMap<string, Workflow>;
  /** Models that err alike; absent means the defaults. */
  readonly epistemic?: EpistemicSettings;
  /** What agents may look up; absent is nothing. */
  readonly knowledge?: ReadonlyMap<string, KnowledgeSource>;
  /** Absent or null: a SQLite file of the node. */
  readonly knowledgeStore?: KnowledgeStoreSettings | null;
  /** Absent or null: nothing is remembered beyond a process. */
  readonly memory?: MemorySettings | null;
  /** Absent or null: nothing travels under tokens. */
  readonly tokens?: TokenSettings | null;
  readonly deselected: readonly DeselectedControl[];
  /** Who cosigns the flight recorder's checkpoints. Absent is nobody. */
  readonly recorder?: RecorderSettings;
  readonly patterns: readonly UserPattern[];
  /** Absent means the defaults. */
  readonly scanner?: ScannerSettings;
  /** Cedar policies by `file#index` or `@id`. */
  readonly policies: ReadonlyMap<string, string>;
  /** Where entries of the flight recorder go besides the log; absent means nowhere. */
  readonly exporters?: ReadonlyMap<string, ExporterManifest>;
  /** Absent means the defaults. */
  readonly oversight?: OversightSettings;
  /** SHA-256 (base64url) over the mesh file and every file it names. */
  readonly digest: string;
  /** Folder of the mesh file. */
  readonly directory: string;
  /** The texts that the digest is over; absent where a mesh was not read from files. */
  readonly bundle?: MeshBundle;
};

/** A mesh file with every file that it names, as texts: what a version of the policy is. */
export type MeshBundle = {
  /** Name of the mesh file in its folder. */
  readonly file: string;
  /** Path relative to the folder of the mesh file -> text. */
  readonly texts: { readonly [path: string]: string };
};

export type Limits = {
  readonly messageBytesMax: number;
  readonly depthMax: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly messageLifetimeMs: number;
  readonly clockSkewMs: number;
  readonly pendingApprovalsMax: number;
  readonly approvalTimeoutMs: number;
  readonly queuedMessagesMax: number;
  /** Hand-offs between the originator and an action request; absent means 8. */
  readonly requestHopsMax?: number;
  /** When agents hear refusals; absent or 0 means at once. */
  readonly refusalGridMs?: number;
  /** See `ContagionLimits`; absent means its defaults. */
  readonly contagion?: {
    readonly generationsMax: number;
    readonly reachMax: number;
    readonly windowMs: number;
    readonly fanOutMax: number;
  };
};

/** What a call costs the world (EC-2.3): calls of tools, sums of money, objects touched. */
export type Impact = 'calls' | 'money' | 'records';
export const impacts: readonly Impact[] = ['calls', 'money', 'records'];

/** At most `most` within any `windowMs`. */
export type BoundWindow = { readonly windowMs: number; readonly most: number };
export type BlastRadius = ReadonlyMap<Impact, readonly BoundWindow[]>;

/** Bounds on what agents do, beyond the caps of single actions. */
export type Bounds = {
  /** Where the mesh file bounds a task's sums; the others are unbounded. */
  readonly task: ReadonlyMap<Impact, number>;
  /** From the start of a task until nothing of it begins any more. */
  readonly taskDurationMs: number;
  /** Failed calls of one action in one task that may be tried again. */
  readonly retries: number;
  readonly breaker: {
    /** Failures of one tool operation, and of one agent's calls, within the window. */
    readonly failures: number;
    readonly agentFailures: number;
    readonly windowMs: number;
    readonly openMs: number;
    /** Calls that must succeed before it closes again. */
    readonly probes: number;
  };
  /** Share of a bound beyond which a person is asked once in each window; 1 is never. */
  readonly escalateAt: number;
};

export type Domain = {
  readonly name: string;
  readonly tier: ProtectionTier;
  readonly allowedRoles: readonly AgentRole[];
  readonly metadataMasking: boolean;
  readonly auditLevel: AuditLevel;
  /** Oldest credential accepted on an exchange in this domain. */
  readonly maxTokenAgeMs: number;
  readonly attestationRequired: boolean;
  /** Label floor for what travels in the domain. */
  readonly classification: Classification;
};

export type Zone = { readonly name: string; readonly clearance: Classification };

export type Agent = {
  readonly name: string;
  readonly role: AgentRole;
  readonly zone: string;
  readonly clearance: Classification;
  /** A process that relays a person's words: its tasks are the trusted `prompt`. Holds no tools. */
  readonly originator: boolean;
  readonly tools: readonly string[];
  readonly oispec: OISpec | null;
  /** The agent's own instructions, so that its sidecar sees them leave (PG-1.2). Absent: unknown. */
  readonly systemPrompt?: string | null;
  /** The model it thinks with, behind its sidecar; absent or null is none. */
  readonly model?: AgentModelSettings | null;
  /** Models of one family err alike (EP-02); absent or null: nobody said which it is of. */
  readonly modelFamily?: string | null;
  readonly isolation: Isolation;
  /** The person who answers for the agent; on record with every identity. Absent is nobody. */
  readonly sponsor?: string | null;
  /** Hosts that its calls may name, `*.` for all below one; absent or null is any. */
  readonly egress?: readonly string[] | null;
  /** Whom it may instruct; absent is nobody. Originators may instruct whomever their edges lead to. */
  readonly assigns?: readonly string[];
  /** Workflows that it may propose changes to; absent is none. */
  readonly mayChange?: readonly string[];
  /** The right to spawn others; absent is none. */
  readonly spawn?: SpawnRight | null;
  /** Not an agent that runs, but what spawned ones are made of. */
  readonly template?: AgentTemplate | null;
  /** Of a spawned agent: the template it is made of. */
  readonly fromTemplate?: string | null;
  /** Bounds on its own calls, and on those of everybody who works for it. */
  readonly bounds: { readonly own: BlastRadius; readonly subtree: BlastRadius };
  /** Program that `maso up` starts beside the sidecar; null when it is started elsewhere. */
  readonly command: readonly string[] | null;
};

export type SpawnRight = {
  readonly templates: readonly string[];
  /** Alive at once, with all that stands below them. */
  readonly childrenMax: number;
  /** Generations below this agent. */
  readonly depthMax: number;
  /** Tools that it may pass on without holding them. */
  readonly tools: readonly string[];
  /** `required`: a person releases every spawn; `policy`: the autonomy tier decides. */
  readonly approval: 'policy' | 'required';
};

export type AgentTemplate = { readonly instancesMax: number; readonly lifetimeMs: number };

/** Messages may go from `from` to `to` in `domain`; absent means refused. */
export type Edge = {
  readonly from: string;
  readonly to: string;
  readonly domain: string;
  readonly schemas: readonly string[];
  readonly mayRequest: readonly string[];
  /** The workflow that may open and close it; absent: nobody may. */
  readonly workflow?: string | undefined;
  readonly open?: boolean | undefined;
};

export type ActionManifest = {
  readonly name: string;
  readonly risk: RiskClass;
  readonly reversibility: 'reversible' | 'compensable' | 'irreversible';
  /** `tool.operation`. */
  readonly tool: string;
  readonly operation: string;
  readonly write: boolean;
  readonly approval: 'policy' | 'required';
  /** Roles that may release it; absent: every role that decides. */
  readonly approvers?: readonly OperatorRole[];
  readonly parameters: JsonObject;
  readonly output: JsonObject;
  /** Parameters that go from the request to the tool unread by anybody: text, lists of names. */
  readonly opaque?: ReadonlySet<string>;
  /** Members of the tool's result that go on; the gate drops the rest. Absent: all must fit. */
  readonly keep?: readonly string[] | null;
  readonly sensitive: ReadonlyMap<string, SensitiveParameter>;
  readonly caps: ReadonlyMap<string, Cap>;
  /** How sure what it acts on has to be, and who has to have challenged it; absent is nothing. */
  readonly assurance?: Assurance;
  /** The parameter that says how much, or a number; a list counts its items. */
  readonly impact: ReadonlyMap<Impact, string | number>;
  readonly undo?: UndoManifest;
  readonly timeoutMs: number;
};

/** What has to be known before an action that rests on claims (EP-03, EP-06, PG-3.5). */
export type Assurance = {
  /** Least confidence of what the requester was told in the task; null is any. */
  readonly confidenceMin: number | null;
  /** Most unknowns among it; null is any number. */
  readonly unknownsMax: number | null;
  /** Agents each of which has to have answered that the newest claim of the task stands. */
  readonly challengedBy: readonly string[];
};

/** G5: which sources may fill a parameter in a tainted context. */
export type SensitiveParameter = {
  /** `prompt` or `tool.operation.field`. */
  readonly from: readonly string[];
  readonly atMost: number | null;
  readonly oneOf: readonly (string | number)[] | null;
  /** Values that the mesh file itself vouches for; absent means none. */
  readonly always?: ReadonlySet<string | number>;
  /** Further sources, which count only while every one of these texts is the person's own words. */
  readonly ownWords?: OwnWords | null;
  /** True: without a source a person is asked, who endorses this value. Else it is refused. */
  readonly endorsable?: boolean;
};

export type OwnWords = { readonly from: readonly string[]; readonly texts: readonly string[] };

/** Highest sums of one parameter, over all executors that serve the action. */
export type Cap = { readonly windows: readonly BoundWindow[] };

export type ToolManifest = {
  readonly name: string;
  readonly runner:
    | {
        readonly kind: 'stdio';
        readonly command: readonly string[];
        readonly env: { readonly [name: string]: string };
      }
    | { readonly kind: 'http'; readonly url: string; readonly credentialFile: string | null }
    | { readonly kind: 'function'; readonly module: string };
  /** False when the tool cannot tell the gate from anybody else; then it serves no HIGH action. */
  readonly guarded: boolean;
  /** What its results are to the semantic firewall. Absent is `tool_result`. */
  readonly channel?: Channel;
  /**
   * Result field (dot path, `*` for items) -> where its value came from; anything else is
   * untrusted.
   */
  readonly results: ReadonlyMap<string, ResultField>;
  readonly operations: ReadonlyMap<string, ToolOperation>;
  /**
   * Pin file beside the mesh file: hashes of programs, descriptions and schemas. Null when absent.
   */
  readonly pins: ToolPins | null;
};

export type ResultField = {
  readonly integrity: Integrity;
  readonly classification: Classification;
  /**
   * Members of the same record, the item of the outermost list or the whole result, that decide
   * whether the field is what it is declared to be; else it is untrusted. Only declared fields that
   * are not untrusted decide.
   */
  readonly when?: RecordCondition;
  readonly unless?: RecordCondition;
  /** Links inside the text count as values of the field, each whole. */
  readonly links?: boolean;
};

export type RecordCondition = ReadonlyMap<string, ReadonlySet<string>>;

export type ToolOperation = {
  readonly name: string;
  readonly write: boolean;
  /** True when the tool takes the idempotency key and will not act twice on it. */
  readonly idempotent: boolean;
  readonly timeoutMs: number;
  /** Arguments of a read that leave the system or pick the object: each needs a source (G5). */
  readonly sensitive?: ReadonlyMap<string, SensitiveParameter>;
};

export type ToolPins = {
  /** Absolute path -> SHA-256 (base64url). */
  readonly files: { readonly [path: string]: string };
  /** Operation -> SHA-256 (base64url) of its canonical description and input schema. */
  readonly operations: { readonly [operation: string]: string };
};

/** A person who may decide; the public key is an Ed25519 JWK. */
export type Operator = {
  readonly name: string;
  readonly publicKey: JsonObject;
  /** Absent: every role that acts. */
  readonly roles?: readonly OperatorRole[];
};

export type DeselectedControl = {
  readonly id: string;
  readonly reason: string;
  readonly by: string;
};

export type UserPattern = {
  readonly id: string;
  readonly pattern: string;
  readonly outcome: 'NO-GO' | 'ESCALATE';
};

/** An exporter as the mesh file declares it; paths are absolute, addresses TLS or loopback. */
export type ExporterManifest = { readonly name: string } & (
  | {
      readonly kind: 'otlp';
      /** Base address; `/v1/traces`, `/v1/metrics` and `/v1/logs` are added to it. */
      readonly endpoint: string;
      readonly signals: readonly ('traces' | 'metrics' | 'logs')[];
      readonly metricsIntervalMs: number;
      readonly credentialFile: string | null;
      readonly caFile: string | null;
    }
  | { readonly kind: 'prometheus'; readonly port: number }
  | {
      readonly kind: 'siem_http';
      readonly endpoint: string;
      readonly credentialFile: string | null;
      readonly caFile: string | null;
    }
  | {
      readonly kind: 'siem_syslog';
      readonly host: string;
      readonly port: number;
      readonly caFile: string | null;
      readonly certificateFile: string | null;
      readonly keyFile: string | null;
    }
  | { readonly kind: 'siem_file'; readonly path: string }
);
