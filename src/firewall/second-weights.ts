// SPDX-License-Identifier: Apache-2.0

/** As `train/firewall/second.py` has them. */
export const hiddenSize = 64;
export const topicSize = 64;
/** So many tokens are read in order: one, and as many on both sides. */
export const orderTokens = 5;
const channelCount = 6;
const wordsMax = 0xffff;

/** What the second reader learned: `train/firewall/second.py` says what each part is. */
export type SecondWeights = {
  /** The section of a model file that these weights were read from. */
  readonly bytes: Uint8Array;
  /** What one step of `table` is worth. */
  readonly step: number;
  /** Hashes of words, ascending; the tables have a row for each. */
  readonly words: Uint32Array;
  readonly topics: Int8Array;
  readonly table: Int8Array;
  readonly unknown: Float32Array;
  readonly bias: Float32Array;
  readonly topicWeights: Float32Array;
  readonly order: Float32Array;
  readonly orderBias: Float32Array;
  readonly hidden: Float32Array;
  readonly hiddenBias: Float32Array;
  readonly answer: Float32Array;
  readonly answerBias: Float32Array;
};

const headerBytesMax = 4096;

/** Learned numbers of each part, in the order of the file. */
export const secondSizes = {
  unknown: hiddenSize,
  bias: hiddenSize,
  topicWeights: hiddenSize * 2,
  order: orderTokens * hiddenSize * hiddenSize,
  orderBias: hiddenSize,
  hidden: hiddenSize * hiddenSize * 2,
  hiddenBias: channelCount * hiddenSize,
  answer: hiddenSize,
  answerBias: 1,
} as const;

/** Reads a line of JSON that says how many words there are, and the arrays, little-endian. Null when it is none. */
export function parseSecond(bytes: Uint8Array): SecondWeights | null {
  const end = bytes.subarray(0, headerBytesMax).indexOf(0x0a);
  const header = end < 0 ? null : headerOf(new TextDecoder().decode(bytes.subarray(0, end)));
  if (header === null) return null;
  const { step, count } = header;
  const floatCount = Object.values(secondSizes).reduce((sum, size) => sum + size, 0);
  const size = count * (4 + topicSize + hiddenSize) + floatCount * 4;
  if (bytes.length !== end + 1 + size) return null;
  let at = end + 1;
  const part = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  // A copy, since numbers of four bytes do not begin everywhere; the large tables stay where they are.
  const float = (name: keyof typeof secondSizes): Float32Array => new Float32Array(Uint8Array.from(part(secondSizes[name] * 4)).buffer);
  const weights = {
    bytes,
    step,
    words: new Uint32Array(Uint8Array.from(part(count * 4)).buffer),
    topics: signed(part(count * topicSize)),
    table: signed(part(count * hiddenSize)),
    unknown: float('unknown'),
    bias: float('bias'),
    topicWeights: float('topicWeights'),
    order: float('order'),
    orderBias: float('orderBias'),
    hidden: float('hidden'),
    hiddenBias: float('hiddenBias'),
    answer: float('answer'),
    answerBias: float('answerBias'),
  };
  const learned = Object.keys(secondSizes) as (keyof typeof secondSizes)[];
  return learned.every((name) => weights[name].every(Number.isFinite)) ? weights : null;
}

function signed(bytes: Uint8Array): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function headerOf(text: string): { readonly step: number; readonly count: number } | null {
  try {
    const { step, arrays } = JSON.parse(text) as { readonly step?: unknown; readonly arrays?: { readonly words?: unknown } };
    const count: unknown = Array.isArray(arrays?.words) ? arrays.words[0] : null;
    if (typeof step !== 'number' || !Number.isFinite(step)) return null;
    return typeof count === 'number' && Number.isInteger(count) && count > 0 && count < wordsMax ? { step, count } : null;
  } catch {
    // Not JSON is no header.
    return null;
  }
}
