// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import type { AgentModel } from '../sidecar/agent-model.ts';
import { boundedFetch } from './judge-fetch.ts';

const limits = { bytesMax: 1024 * 1024, depthMax: 32, membersMax: 20_000, keyLengthMax: 1024 };

/** Requests to an OpenAI-compatible endpoint; the key is in its header and nowhere else. */
export function completeOver(url: string, key: string | null): AgentModel['complete'] {
  const address = `${url.replace(/\/$/, '')}/chat/completions`;
  return async (body, signal) => {
    const response = await boundedFetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(body),
      signal,
    });
    const parsed = parseStrictJson(await response.text(), limits);
    const isObject = parsed.ok && isJsonObject(parsed.value);
    return { status: response.status, body: isObject ? parsed.value : null };
  };
}
