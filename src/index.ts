// SPDX-License-Identifier: Apache-2.0
export { joinMesh } from './sdk/join-mesh.ts';
export type {
  ActionResult,
  JoinOptions,
  MeshAgent,
  Message,
  RequestOptions,
  SendOptions,
  Sent,
  ToolResult,
} from './sdk/join-mesh.ts';
export type { Known, Knowledge, KnownItem, Memory } from './sdk/knowledge.ts';
export type {
  ChangeableWorkflow,
  ChangedWorkflow,
  ChangeOptions,
  WorkflowEdge,
} from './sdk/change-workflow.ts';
export { joinMeshInProcess } from './sdk/in-process.ts';
export type { InProcessOptions } from './sdk/in-process.ts';
export { MeshSecurityController, SecurityError } from './sdk/mesh-security-controller.ts';
export type {
  AgentIdentity,
  AuditRecord,
  AuditSink,
  ControllerOptions,
  ExchangeRequest,
  OpenRequest,
  SecureExchangeResult,
  SecurityPolicy,
  SecurityTier,
} from './sdk/mesh-security-controller.ts';
export type { Kms } from './identity/credential.ts';
export { openKms } from './sdk/open-kms.ts';
export { SidecarRefused } from './sdk/sidecar-http.ts';
export { parseVerifierKey } from './verifier/checkpoint.ts';
export type { VerifierKey } from './verifier/checkpoint.ts';
export { directorySource } from './verifier/directory.ts';
export type { VerifyFinding } from './verifier/findings.ts';
export { verifyProof } from './verifier/proof.ts';
export { tiledSource } from './verifier/source.ts';
export type { LogSource } from './verifier/source.ts';
export { verifyLog } from './verifier/verify.ts';
export type { VerifyInput, VerifyReport } from './verifier/verify.ts';
