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
export { joinMeshInProcess } from './sdk/in-process.ts';
export type { InProcessOptions } from './sdk/in-process.ts';
export { SidecarRefused } from './sdk/sidecar-http.ts';
export { verifyLog } from './recorder/verify.ts';
export type { VerifyFinding, VerifyInput, VerifyReport } from './recorder/verify.ts';
