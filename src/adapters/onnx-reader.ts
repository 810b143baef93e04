// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { InjectionAnswer } from '../firewall/injection-model.ts';
import { attackProbability, piecesOf, publishedModelOf, tokenWindows } from '../firewall/published-model.ts';
import type { PublishedModel } from '../firewall/published-model.ts';
import { readText } from '../text/read-text.ts';
import type { OnnxModelFile } from './onnx-model-files.ts';
import { readOnnxFiles } from './onnx-model-files.ts';
import type { OnnxLibraries, OnnxSession } from './onnx-runtime.ts';
import { loadOnnxLibraries } from './onnx-runtime.ts';

type Tokenizer = InstanceType<OnnxLibraries['Tokenizer']>;
type Frame = { readonly before: readonly number[]; readonly after: readonly number[] };

const inputNames: ReadonlySet<string> = new Set(['input_ids', 'attention_mask', 'token_type_ids']);

/**
 * Loads a published text classifier with its tokenizer and labels. Rejects with `FirewallError`
 * FIREWALL_MODEL_MISSING, FIREWALL_MODEL_CHANGED, FIREWALL_MODEL_MALFORMED, FIREWALL_LABELS_UNKNOWN
 * or FIREWALL_LIBRARY_MISSING. One thread of one core.
 */
export async function loadOnnxReader(
  model: OnnxModelFile,
  libraries: () => Promise<OnnxLibraries> = loadOnnxLibraries,
): Promise<OnnxReader> {
  const files = readOnnxFiles(model);
  const published = publishedModelOf(files.config, model.attackLabels);
  const loaded = await libraries();
  try {
    // oxlint-disable-next-line typescript/no-wrapper-object-types -- the library asks for `Object`
    const tokenizer = new loaded.Tokenizer(files.tokenizer as object, {});
    const session = await loaded.runtime.InferenceSession.create(files.model, {
      executionProviders: [loaded.runtimeName === 'onnxruntime-node' ? 'cpu' : 'wasm'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    const strange = session.inputNames.some((name) => !inputNames.has(name));
    if (strange || !session.inputNames.includes('input_ids')) throw new TypeError('not a text classifier');
    return new OnnxReader(session, tokenizer, published, loaded, `onnx@${files.sha256.slice(0, 12)}`);
  } catch (cause) {
    throw new FirewallError('FIREWALL_MODEL_MALFORMED', 'The ONNX model or its tokenizer cannot be used.', { cause });
  }
}

/** Reads texts with a published classifier, in every way that they may be read, window by window. */
export class OnnxReader {
  readonly version: string;
  readonly #session: OnnxSession;
  readonly #tokenizer: Tokenizer;
  readonly #model: PublishedModel;
  readonly #libraries: OnnxLibraries;
  readonly #frame: Frame;

  constructor(
    session: OnnxSession,
    tokenizer: Tokenizer,
    model: PublishedModel,
    libraries: OnnxLibraries,
    version: string,
  ) {
    this.version = version;
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#model = model;
    this.#libraries = libraries;
    this.#frame = frameOf(tokenizer);
  }

  /**
   * The highest probability of any window. Once `isLate` says so the rest is left unread and the
   * answer is FIREWALL_LATE: nobody waits for it any more, and others do.
   */
  async read(text: string, isLate: () => boolean): Promise<InjectionAnswer> {
    let worst = 0;
    for (const view of readText(text).views) {
      for (const piece of piecesOf(view.text)) {
        for (const ids of this.#windowsOf(piece)) {
          // oxlint-disable-next-line no-await-in-loop -- lets the thread hear of later questions
          await nextTurn();
          if (isLate()) return { status: 'unavailable', reason: 'The time for the text is over.', code: 'FIREWALL_LATE' };
          // oxlint-disable-next-line no-await-in-loop -- one core
          const probability = await this.#probabilityOf(ids);
          if (!(probability >= 0)) return this.#answer(Number.NaN);
          worst = Math.max(worst, probability);
        }
      }
    }
    return this.#answer(worst);
  }

  #answer(probability: number): InjectionAnswer {
    return { status: 'ok', probability, version: this.version };
  }

  #windowsOf(piece: string): readonly (readonly number[])[] {
    const { before, after } = this.#frame;
    const ids: readonly number[] = this.#tokenizer.encode(piece, { add_special_tokens: false }).ids;
    const size = Math.max(1, this.#model.tokensMax - before.length - after.length);
    return tokenWindows(ids.length, size).map(([from, to]) => [...before, ...ids.slice(from, to), ...after]);
  }

  /** NaN for an answer in another shape than the model's labels. */
  async #probabilityOf(ids: readonly number[]): Promise<number> {
    const { Tensor } = this.#libraries.runtime;
    if (ids.length === 0) return 0;
    const tensor = (valueOf: (id: number) => number) =>
      new Tensor('int64', BigInt64Array.from(ids, (id) => BigInt(valueOf(id))), [1, ids.length]);
    const values: { readonly [name: string]: (id: number) => number } = {
      input_ids: (id) => id,
      attention_mask: () => 1,
      token_type_ids: () => 0,
    };
    const feeds = Object.fromEntries(
      this.#session.inputNames.map((name) => [name, tensor(values[name] ?? (() => 0))]),
    );
    const outputs = await this.#session.run(feeds);
    const [first = ''] = this.#session.outputNames;
    const logits = outputs[Object.hasOwn(outputs, 'logits') ? 'logits' : first];
    const { data } = logits ?? {};
    return data instanceof Float32Array ? attackProbability(data, this.#model) : Number.NaN;
  }
}

/** What the tokenizer puts before and behind a text: seen by what it does to one. */
function frameOf(tokenizer: Tokenizer): Frame {
  const bare: readonly number[] = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const framed: readonly number[] = tokenizer.encode('a').ids;
  const at = framed.findIndex((_, place) => bare.every((id, offset) => framed[place + offset] === id));
  if (bare.length === 0 || at < 0) throw new TypeError('The tokenizer changes what it frames.');
  return { before: framed.slice(0, at), after: framed.slice(at + bare.length) };
}
