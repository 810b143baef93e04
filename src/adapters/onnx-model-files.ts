// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FirewallError } from '../firewall/firewall-error.ts';

/** An ONNX model as the mesh file names it. */
export type OnnxModelFile = {
  /** Path of the `.onnx` file. */
  readonly file: string;
  /** Pin over the three files, see `onnxPin`; null only where a person measures a model by hand. */
  readonly sha256: string | null;
  /** Labels that mean an attack; null where the model's own names say so. */
  readonly attackLabels: readonly string[] | null;
};

export type OnnxFiles = {
  readonly model: Uint8Array;
  readonly tokenizer: unknown;
  readonly config: unknown;
  /** The pin of what was read. */
  readonly sha256: string;
};

/** Larger models keep their weights in further files, which nothing would pin. */
const modelBytesMax = 2 ** 31 - 1;

/**
 * Reads a model, its `tokenizer.json` and its `config.json`, beside it or in the folder above it as
 * published models have them. Throws `FirewallError` FIREWALL_MODEL_MISSING, FIREWALL_MODEL_CHANGED
 * when the three are not the pinned ones, or FIREWALL_MODEL_MALFORMED.
 */
export function readOnnxFiles({ file, sha256: pinned }: Pick<OnnxModelFile, 'file' | 'sha256'>): OnnxFiles {
  const beside = dirname(file);
  const folder = existsSync(join(beside, 'config.json')) ? beside : dirname(beside);
  const model = bytesOf(file);
  const tokenizer = bytesOf(join(folder, 'tokenizer.json'));
  const config = bytesOf(join(folder, 'config.json'));
  const sha256 = onnxPin([model, tokenizer, config]);
  if (pinned !== null && sha256 !== pinned) {
    throw new FirewallError('FIREWALL_MODEL_CHANGED', `The model, its tokenizer or its configuration is not the pinned one: ${file}`);
  }
  return { model, tokenizer: parsed(tokenizer), config: parsed(config), sha256 };
}

/**
 * One pin for all that decides an answer: SHA-256 over the three SHA-256 in hex, a line feed after
 * each. In a shell: `sha256sum model.onnx tokenizer.json config.json | cut -c1-64 | sha256sum`.
 */
export function onnxPin(files: readonly Uint8Array[]): string {
  const sum = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
  return sum(files.map((bytes) => `${sum(bytes)}\n`).join(''));
}

function bytesOf(file: string): Uint8Array {
  try {
    if (statSync(file).size > modelBytesMax) throw new RangeError('too large');
    return readFileSync(file);
  } catch (cause) {
    throw new FirewallError('FIREWALL_MODEL_MISSING', `The file cannot be read: ${file}`, { cause });
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FirewallError('FIREWALL_MODEL_MALFORMED', 'tokenizer.json or config.json is no JSON.', { cause });
  }
}
