// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { Isolation } from '../message/envelope.ts';
import type { GivenIdentity } from './sidecar-identity.ts';
import type { AgentSidecar, OfferedToken } from '../sidecar/agent-sidecar.ts';

export type SidecarOptions = {
  /**
   * As it stands on disk; null where it cannot be loaded. A version that this sidecar ran on before,
   * or that its node sends, counts more.
   */
  readonly mesh: Mesh | null;
  /** Folder of the mesh file; that of `mesh` unless given. */
  readonly directory?: string;
  readonly agent: string;
  readonly stateDirectory: string;
  /** Needed for the first start and after the identity ran out. */
  readonly joinToken: string | null;
  /** An identity that another program keeps in files; absent: from the node, by join token. */
  readonly svid?: GivenIdentity | null;
  /** Runs this program as the agent; null when the agent is started elsewhere or in this process. */
  readonly command: readonly string[] | null;
  readonly restart: 'always' | 'never';
  /** The user the agent runs as; needs root, and makes the isolation `uid`. */
  readonly agentIdentity: { readonly uid: number; readonly gid: number } | null;
  /** True when nobody else runs as that user: what is left of the agent under it may be ended. */
  readonly agentUidIsOwn: boolean;
  /** The user the tools run as. */
  readonly toolIdentity: { readonly uid: number; readonly gid: number } | null;
  readonly listen: 'socket' | { readonly port: number } | 'in-process';
  readonly log: (line: string) => void;
};

export type RunningSidecar = {
  readonly agent: string;
  readonly isolation: Isolation;
  readonly sidecar: AgentSidecar;
  /** Where the agent reaches it; null in-process. */
  readonly address: string | null;
  readonly connected: () => boolean;
  /** Ends the present session and gives the token for the next agent process. */
  readonly mintToken: () => Promise<string>;
  /** A token for a process started elsewhere; a session that survived a crash lives until then. */
  readonly offerToken: () => Promise<OfferedToken>;
  /** Called when PACE lets an agent that is started elsewhere work again; it needs a new token. */
  readonly whenBack: (offer: () => Promise<void>) => void;
  /** Resolves with a code when this sidecar can do nothing more and has to be started again. */
  readonly ended: Promise<string>;
  readonly close: () => Promise<void>;
};
