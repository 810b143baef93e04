// SPDX-License-Identifier: Apache-2.0
import type { MeshAgent } from '../../../src/sdk/join-mesh.ts';

/** A file of the mail folder, or null when the mesh does not hand it out. */
export async function readText(
  agent: MeshAgent,
  path: string,
  task: string,
): Promise<string | null> {
  const answer = await agent.tools.call('mail.read_text_file', { path: path }, { task });
  const { result } = answer;
  const hasText = typeof result === 'object' && result !== null && 'content' in result;
  return hasText && typeof result.content === 'string' ? result.content : null;
}
