// SPDX-License-Identifier: Apache-2.0
import type { CommandIo } from './check.ts';
import { askNode, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';

export type JoinTokenOptions = {
  readonly agent: string;
  readonly state: string;
  readonly json: boolean;
};

/**
 * `maso join-token AGENT`: has the running node mint a join token, which works once and for ten
 * minutes. The token is all that is written to standard output, so that it can be piped to
 * `maso sidecar --join-token -`. Rejects with CONTROL_NODE_UNREACHABLE when no mesh runs.
 */
export async function joinToken(options: JoinTokenOptions, io: CommandIo): Promise<number> {
  const { agent, json } = options;
  const directory = stateDirectoryOf(options.state, null);
  const answer = await askNode(directory, 'POST', '/v1/join-tokens', { agent });
  const { token, code } = answer.body;
  if (answer.status !== 200 || typeof token !== 'string') {
    return sayRefused(typeof code === 'string' ? code : 'CONTROL_ENROLMENT_REFUSED', json, io);
  }
  io.out(json ? JSON.stringify({ agent, token }) : token);
  return 0;
}
