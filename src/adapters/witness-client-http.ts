// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { Witness, WitnessAnswer, WitnessRequest } from '../recorder/witness.ts';

const timeoutMs = 10_000;
const answerLengthMax = 16_384;

/** A witness behind the HTTP interface of C2SP tlog-witness. `url` is its submission prefix. */
export function httpWitness(name: string, url: string): Witness {
  const prefix = url.replace(/\/+$/, '');
  return {
    name,
    add: async ({ oldSize, proof, checkpoint }: WitnessRequest): Promise<WitnessAnswer> => {
      const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
      const response = await fetch(`${prefix}/add-checkpoint`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: `old ${oldSize}\n${hashes.join('')}\n${checkpoint}`,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = (await response.text()).slice(0, answerLengthMax);
      if (response.status === 200) return { outcome: 'cosigned', lines: text };
      const isSize = response.headers.get('content-type') === 'text/x.tlog.size';
      if (response.status === 409 && isSize && /^(0|[1-9]\d{0,15})\n$/.test(text)) {
        return { outcome: 'conflict', size: Number(text) };
      }
      return { outcome: 'refused', status: response.status };
    },
  };
}
