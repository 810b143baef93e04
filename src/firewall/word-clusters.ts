// SPDX-License-Identifier: Apache-2.0

const bytesPerWord = 6;
const wordsMax = 1 << 20;

/**
 * Groups of words that stand in like surroundings (`train/firewall/clusters.py`): "send" is in one with
 * "forward", so that what was learned about one is known of the other. Words are held as hashes.
 */
export class WordClusters {
  /** As in a model file: hashes, ascending, then groups; little-endian. */
  readonly bytes: Uint8Array;
  private readonly keys: Uint32Array;
  private readonly groups: Uint16Array;
  private readonly shift: number;

  private constructor(bytes: Uint8Array, count: number) {
    this.bytes = bytes;
    const bits = Math.max(4, Math.ceil(Math.log2(count * 2 + 1)));
    this.shift = 32 - bits;
    this.keys = new Uint32Array(1 << bits);
    this.groups = new Uint16Array(1 << bits);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < count; index += 1) {
      this.put(view.getUint32(index * 4, true), view.getUint16(count * 4 + index * 2, true));
    }
  }

  /** Null when the bytes are no such table. */
  static parse(bytes: Uint8Array): WordClusters | null {
    const count = bytes.length / bytesPerWord;
    return Number.isInteger(count) && count <= wordsMax ? new WordClusters(bytes, count) : null;
  }

  get count(): number {
    return this.bytes.length / bytesPerWord;
  }

  /** Group of the word with this FNV-1a hash; 0 for a word that is in none. */
  of(hash: number): number {
    const key = hash >>> 0;
    const mask = this.keys.length - 1;
    for (let slot = this.slotOf(key); ; slot = (slot + 1) & mask) {
      const group = this.groups[slot] ?? 0;
      if (group === 0 || this.keys[slot] === key) return group;
    }
  }

  private put(key: number, group: number): void {
    const mask = this.keys.length - 1;
    let slot = this.slotOf(key);
    while (this.groups[slot] !== 0) slot = (slot + 1) & mask;
    this.keys[slot] = key;
    this.groups[slot] = group;
  }

  private slotOf(key: number): number {
    return Math.imul(key, 0x9e3779b1) >>> this.shift;
  }
}
