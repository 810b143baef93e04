// SPDX-License-Identifier: Apache-2.0
import type { InferenceSession } from 'onnxruntime-common';
import { FirewallError } from '../firewall/firewall-error.ts';

type Common = typeof import('onnxruntime-common');
type TokenizerLibrary = typeof import('@huggingface/tokenizers');

/** The two runtimes have one interface. */
export type OnnxRuntime = Pick<Common, 'InferenceSession' | 'Tensor' | 'env'>;
export type OnnxLibraries = {
  readonly runtime: OnnxRuntime;
  readonly runtimeName: (typeof runtimes)[number];
  readonly Tokenizer: TokenizerLibrary['Tokenizer'];
};
export type OnnxSession = InferenceSession;

/** The native one first: it is several times faster, and not to be had everywhere. */
const runtimes = ['onnxruntime-node', 'onnxruntime-web'] as const;

/**
 * Libraries that only users of ONNX models need: optional, loaded when a mesh file names such a
 * model. Rejects with `FirewallError` FIREWALL_LIBRARY_MISSING. `load` is for tests.
 */
export async function loadOnnxLibraries(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<OnnxLibraries> {
  const { Tokenizer } = (await loaded(load, '@huggingface/tokenizers')) as TokenizerLibrary;
  for (const runtimeName of runtimes) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the second only where there is no first
      const runtime = (await load(runtimeName)) as OnnxRuntime;
      runtime.env.logLevel = 'error';
      if (runtime.env.wasm !== undefined) runtime.env.wasm.numThreads = 1;
      return { runtime, runtimeName, Tokenizer };
    } catch {
      // Not installed, or not for this platform: the next one, and without any FIREWALL_LIBRARY_MISSING.
    }
  }
  throw missing('onnxruntime-node or onnxruntime-web');
}

async function loaded(load: (name: string) => Promise<unknown>, name: string): Promise<unknown> {
  try {
    return await load(name);
  } catch (cause) {
    throw missing(name, cause);
  }
}

function missing(name: string, cause?: unknown): FirewallError {
  const message = `The firewall uses an ONNX model, and ${name} is not installed.`;
  return new FirewallError('FIREWALL_LIBRARY_MISSING', message, { cause });
}
