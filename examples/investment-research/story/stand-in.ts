// SPDX-License-Identifier: Apache-2.0
import { answerOf, JudgeStandIn, subjectOf } from '../../../test/judge-standin/server.ts';

/**
 * Judges that differ: `security` sees nothing wrong, `compliance` doubts growth above consensus, and
 * refuses it of a company that it knows rumours about; `intent` is shown a whole order once it is published, and
 * refuses the one whose parts are each right. It speaks the protocol of a model server, on a port that was free.
 */
export async function startJudges(): Promise<JudgeStandIn> {
  const standIn = await JudgeStandIn.start();
  standIn.behave = (asked) => {
    const subject = subjectOf(asked);
    if (subject === 'security') return { text: answerOf(asked, 'GO') };
    if (subject === 'intent') {
      const isSpin = asked.system.includes('as a whole') && asked.user.includes('SPIN');
      return { text: answerOf(asked, isSpin ? 'NO-GO' : 'GO', 'one-story') };
    }
    const isRumour = asked.user.includes('RUMR');
    return { text: answerOf(asked, isRumour ? 'NO-GO' : 'ESCALATE', 'no-rumour') };
  };
  return standIn;
}
