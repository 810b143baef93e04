// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadCompactModel, shippedModelFile } from '../adapters/firewall-model-file.ts';
import { readOnnxFiles } from '../adapters/onnx-model-files.ts';
import { loadOnnxReader } from '../adapters/onnx-reader.ts';
import { CompactModel } from '../firewall/compact-model.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import { decodeModel } from '../firewall/model-file.ts';
import type { Channel } from '../message/channel.ts';

/** A model that is measured by hand: no deadline, no thread. */
export type ModelReader = {
  readonly version: string;
  /** Rejects with `FirewallError` where the model gives no probability. */
  readonly probability: (text: string, channel: Channel) => Promise<number>;
};

/** A model of the user's own is read as it is, without a pin: nothing is decided by it here. */
export async function modelReaderOf(
  file: string | undefined,
  attackLabels: readonly string[] | null,
): Promise<ModelReader> {
  if (file?.endsWith('.onnx') === true) {
    const reader = await loadOnnxReader({ file, sha256: null, attackLabels });
    return {
      version: reader.version,
      probability: async (text) => {
        const answer = await reader.read(text, () => false);
        if (answer.status === 'ok' && answer.probability >= 0) return answer.probability;
        throw new FirewallError('FIREWALL_MALFORMED', 'The model gave no probability for a text.');
      },
    };
  }
  const model = compactModelOf(file);
  return { version: model.version, probability: async (text, channel) => model.read(text, channel).probability };
}

export function compactModelOf(file: string | undefined): CompactModel {
  if (file === undefined) return loadCompactModel(shippedModelFile());
  return new CompactModel(decodeModel(bytesOf(file)));
}

/** What `firewall.sha256` of the mesh file has to say for a model. Throws `FirewallError` for what is none. */
export function pinOf(file: string): string {
  if (file.endsWith('.onnx')) return readOnnxFiles({ file, sha256: null }).sha256;
  const bytes = bytesOf(file);
  decodeModel(bytes);
  return createHash('sha256').update(bytes).digest('hex');
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new FirewallError('FIREWALL_MODEL_MISSING', `The model file cannot be read: ${file}`, { cause });
  }
}
