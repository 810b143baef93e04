// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompactModel } from '../firewall/compact-model.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import { decodeModel } from '../firewall/model-file.ts';
import { shippedModel } from '../firewall/shipped-model.ts';

export type ModelFile = { readonly file: string; readonly sha256: string };

/** The model of this package; source and compiled program lie equally deep. */
export function shippedModelFile(): ModelFile {
  const { file, sha256 } = shippedModel;
  return { file: join(import.meta.dirname, '../../models', file), sha256 };
}

/**
 * Reads a model whose bytes are the pinned ones. Throws `FirewallError` FIREWALL_MODEL_MISSING,
 * FIREWALL_MODEL_CHANGED or FIREWALL_MODEL_MALFORMED.
 */
export function loadCompactModel({ file, sha256 }: ModelFile): CompactModel {
  const bytes = bytesOf(file);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== sha256) {
    throw new FirewallError('FIREWALL_MODEL_CHANGED', `The model file is not the pinned one: ${file}`);
  }
  return new CompactModel(decodeModel(bytes));
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new FirewallError('FIREWALL_MODEL_MISSING', `The model file cannot be read: ${file}`, { cause });
  }
}
