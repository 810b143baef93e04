// SPDX-License-Identifier: Apache-2.0
import { answerOf, JudgeStandIn, subjectOf } from '../../../test/judge-standin/server.ts';

/** Where the mesh file looks for its judges. */
const port = 18_811;

/**
 * Judges that differ: `security` sees nothing wrong, `compliance` doubts growth above consensus, and
 * refuses it of a company that it knows rumours about. It speaks the protocol of a model server.
 */
export async function startJudges(): Promise<JudgeStandIn> {
  const standIn = await JudgeStandIn.start(port);
  standIn.behave = (asked) => {
    if (subjectOf(asked) === 'security') return { text: answerOf(asked, 'GO') };
    const isRumour = asked.user.includes('RUMR');
    return { text: answerOf(asked, isRumour ? 'NO-GO' : 'ESCALATE', 'no-rumour') };
  };
  return standIn;
}
