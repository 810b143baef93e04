// SPDX-License-Identifier: Apache-2.0
import { JudgeError } from '../judge/judge-error.ts';

export type JudgeLibrary = {
  readonly ai: typeof import('ai');
  readonly compatible: typeof import('@ai-sdk/openai-compatible');
  readonly anthropic: typeof import('@ai-sdk/anthropic');
};

/** The provider libraries, loaded only where a judge is configured. Rejects with JUDGE_LIBRARY_MISSING. */
export async function loadJudgeLibrary(): Promise<JudgeLibrary> {
  try {
    const [ai, compatible, anthropic] = await Promise.all([
      import('ai'),
      import('@ai-sdk/openai-compatible'),
      import('@ai-sdk/anthropic'),
    ]);
    return { ai, compatible, anthropic };
  } catch (cause) {
    const message = 'A judge is configured and the libraries of its provider are not installed.';
    throw new JudgeError('JUDGE_LIBRARY_MISSING', message, { cause });
  }
}
