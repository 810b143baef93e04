// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { noJudge } from './judge.ts';
import { judgeSuite, questionAbout } from './judge.suite.ts';

judgeSuite('no judge', () => noJudge);

it('says in its verdict that nobody judged', async () => {
  const { verdict } = await noJudge.rule(questionAbout());
  expect(verdict.findings.map(({ code }) => code)).toEqual(['JUDGE_NOT_CONFIGURED']);
});
