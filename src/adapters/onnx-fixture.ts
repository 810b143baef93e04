// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxPin } from './onnx-model-files.ts';

/**
 * A text classifier made here, in the form of published ones: the sum of a weight per word. Written
 * byte by byte in the wire format of ONNX (protocol buffers), so that no training tool is needed.
 */
const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'ignore', 'previous', 'instructions', 'broken'] as const;
const attackWeights: readonly number[] = [0, 0, -1, 0, 2, 1, 1, Number.NaN];

type Bytes = readonly number[];

export type OnnxFixture = {
  readonly folder: string;
  readonly file: string;
  readonly sha256: string;
};

/** Writes `onnx/model.onnx`, and `tokenizer.json` and `config.json` above it. */
export function writeOnnxFixture(change: {
  readonly labels?: readonly string[];
  readonly model?: Uint8Array;
  readonly outputs?: number;
} = {}): OnnxFixture {
  const folder = mkdtempSync(join(tmpdir(), 'maso-onnx-'));
  const labels = change.labels ?? ['BENIGN', 'INJECTION'];
  const model = change.model ?? onnxModel(change.outputs ?? 2);
  const tokenizer = Buffer.from(JSON.stringify(tokenizerOf()));
  const config = Buffer.from(JSON.stringify({
    id2label: Object.fromEntries(labels.map((label, place) => [String(place), label])),
    max_position_embeddings: 34,
  }));
  const file = join(folder, 'model.onnx');
  writeFileSync(file, model);
  writeFileSync(join(folder, 'tokenizer.json'), tokenizer);
  writeFileSync(join(folder, 'config.json'), config);
  return { folder, file, sha256: onnxPin([model, tokenizer, config]) };
}

function tokenizerOf(): object {
  const special = (content: string) => ({ SpecialToken: { id: content, type_id: 0 } });
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, special('[SEP]')],
      pair: [],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [words.findIndex((word) => word === token)], tokens: [token] }]),
      ),
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  };
}

/** logits = sum over tokens of table[token] * mask. */
function onnxModel(outputs: number): Uint8Array {
  const table = Float32Array.from(
    attackWeights.flatMap((weight) => Array.from({ length: outputs }, (_, place) => (place === 1 ? weight : 0))),
  );
  const int = (name: string, value: number): Bytes => [...text(1, name), ...number(3, value), ...number(20, 2)];
  const nodes = [
    node('Gather', ['table', 'input_ids'], 'picked', [int('axis', 0)]),
    node('Cast', ['attention_mask'], 'mask', [int('to', 1)]),
    node('Unsqueeze', ['mask', 'last'], 'spread', []),
    node('Mul', ['picked', 'spread'], 'kept', []),
    node('ReduceSum', ['kept', 'middle'], 'logits', [int('keepdims', 0)]),
  ];
  const graph = [
    ...nodes.flatMap((bytes) => bytesField(1, bytes)),
    ...text(2, 'word-weights'),
    ...bytesField(5, tensor('table', 1, [words.length, outputs], new Uint8Array(table.buffer))),
    ...bytesField(5, tensor('last', 7, [1], new Uint8Array(BigInt64Array.of(2n).buffer))),
    ...bytesField(5, tensor('middle', 7, [1], new Uint8Array(BigInt64Array.of(1n).buffer))),
    ...bytesField(11, valueInfo('input_ids', 7, ['batch', 'tokens'])),
    ...bytesField(11, valueInfo('attention_mask', 7, ['batch', 'tokens'])),
    ...bytesField(12, valueInfo('logits', 1, ['batch', outputs])),
  ];
  const operators = [...text(1, ''), ...number(2, 13)];
  return Uint8Array.from([...number(1, 8), ...bytesField(7, graph), ...bytesField(8, operators)]);
}

function node(type: string, inputs: readonly string[], output: string, attributes: readonly Bytes[]): Bytes {
  return [
    ...inputs.flatMap((input) => text(1, input)),
    ...text(2, output),
    ...text(4, type),
    ...attributes.flatMap((attribute) => bytesField(5, attribute)),
  ];
}

function tensor(name: string, type: number, sizes: readonly number[], raw: Uint8Array): Bytes {
  return [...sizes.flatMap((size) => number(1, size)), ...number(2, type), ...text(8, name), ...bytesField(9, [...raw])];
}

function valueInfo(name: string, type: number, sizes: readonly (string | number)[]): Bytes {
  const shape = sizes.flatMap((size) => bytesField(1, typeof size === 'string' ? text(2, size) : number(1, size)));
  const tensorType = [...number(1, type), ...bytesField(2, shape)];
  return [...text(1, name), ...bytesField(2, bytesField(1, tensorType))];
}

function text(field: number, value: string): Bytes {
  return bytesField(field, [...Buffer.from(value)]);
}

function number(field: number, value: number): Bytes {
  return [...varint(field << 3), ...varint(value)];
}

function bytesField(field: number, value: Bytes): Bytes {
  return [...varint((field << 3) | 2), ...varint(value.length), ...value];
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let left = value;
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return [...bytes, left];
}
