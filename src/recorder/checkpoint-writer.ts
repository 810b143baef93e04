// SPDX-License-Identifier: Apache-2.0
import { signCheckpoint } from './checkpoint.ts';
import { GrowingTree, tileWidth } from './merkle.ts';
import type { Tile } from './merkle.ts';
import { keepTiles } from './open-tail.ts';
import type { LogTail } from './open-tail.ts';
import { leafOfLine } from './pruned-line.ts';
import type { RecorderOptions, RecorderStatus } from './recorder-options.ts';

export type CheckpointStatus = Pick<
  RecorderStatus,
  'checkpointCode' | 'checkpointSize' | 'checkpointAt'
>;

/** Full tiles that may wait in memory while the disk takes none: 64 MiB. */
const waitingTilesMax = 8192;

/**
 * Writes the tiles of the tree, signs its root and has it written outside, at most once per
 * interval, never more than one at a time, and never in the way of an entry. It only ever signs
 * what is durable, and only after the tiles that prove it.
 */
export class CheckpointWriter {
  readonly #options: RecorderOptions;
  readonly #everyMs: number;
  readonly #changed: () => void;
  readonly #tree: GrowingTree;
  #status: CheckpointStatus;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | null = null;
  #callOff: (() => void) | null = null;
  /** Entries, a multiple of 256, from which on tiles were given up; null when none were. */
  #lostFrom: number | null = null;
  #closed = false;

  constructor(options: RecorderOptions, everyMs: number, tail: LogTail, changed: () => void) {
    this.#options = options;
    this.#everyMs = everyMs;
    this.#tree = tail.tree;
    const { checkpointSize } = tail;
    this.#status = { checkpointCode: null, checkpointSize, checkpointAt: 0 };
    this.#changed = changed;
  }

  get status(): CheckpointStatus {
    return this.#status;
  }

  /** Tells that the tree has grown. Returns at once. */
  advance(): void {
    if (this.#writing !== null || this.#callOff !== null || this.#closed) return;
    const waitMs = this.#attemptedAt + this.#everyMs - this.#options.clock.nowMs();
    if (!(waitMs > 0)) {
      void this.write();
      return;
    }
    this.#callOff = this.#options.timer(Math.min(waitMs, this.#everyMs), () => {
      this.#callOff = null;
      void this.write();
    });
  }

  /** Writes the last checkpoint. Never rejects: the entries are durable without it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff?.();
    this.#callOff = null;
    await this.#writing;
    await this.#writeOnce();
  }

  async write(): Promise<void> {
    this.#writing ??= this.#writeOnce().finally(() => {
      this.#writing = null;
      // What was recorded meanwhile, or could not be written, is covered after the interval.
      if (this.#tree.size !== this.#status.checkpointSize) this.advance();
    });
    await this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const { log, clock, signer, writeCheckpoint } = this.#options;
    const nowMs = clock.nowMs();
    this.#attemptedAt = nowMs;
    const before = this.#status.checkpointCode;
    const { size } = this.#tree;
    const { checkpointSize, checkpointAt: writtenAt } = this.#status;
    // Written again it would stand bare over the lines of its witnesses.
    if (before === null && writtenAt > 0 && size === checkpointSize) return;
    const signed = signCheckpoint({ log: log.name, size, root: this.#tree.root() }, signer);
    const full = this.#tree.takeFullTiles();
    const edge = this.#tree.edge();
    try {
      await this.#writeTiles(full, edge);
      await writeCheckpoint(signed);
      await log.publish(signed);
      const checkpointAt = Math.max(Math.floor(nowMs), this.#status.checkpointAt);
      this.#status = { checkpointCode: null, checkpointSize: size, checkpointAt };
      this.#options.offerCheckpoint?.(signed, size);
    } catch {
      // The status says so and the next interval tries again; entries stay durable meanwhile.
      this.#status = { ...this.#status, checkpointCode: 'RECORDER_CHECKPOINT_NOT_WRITTEN' };
    }
    if (this.#status.checkpointCode !== before) this.#changed();
  }

  async #writeTiles(full: readonly Tile[], edge: readonly Tile[]): Promise<void> {
    const { log } = this.#options;
    try {
      if (this.#lostFrom !== null) await this.#remake(this.#lostFrom);
      await log.writeTiles([...full, ...edge]);
    } catch (failure) {
      this.#tree.giveBack(full);
      if (this.#tree.waitingTiles > waitingTilesMax) {
        const [first] = this.#tree.takeFullTiles().filter(({ level }) => level === 0);
        this.#lostFrom ??= (first?.index ?? 0) * tileWidth;
      }
      throw failure;
    }
  }

  /** Tiles that were given up for want of memory are made again from the entries. */
  async #remake(from: number): Promise<void> {
    const { log } = this.#options;
    const until = this.#tree.size;
    const read = (level: number, index: number) => log.readTile(level, index, tileWidth);
    const tree = (await GrowingTree.restore(from, read)) ?? new GrowingTree();
    for await (const line of log.read(tree.size, until)) {
      tree.append(leafOfLine(line));
      await keepTiles(log, tree);
    }
    await log.writeTiles(tree.takeFullTiles());
    this.#lostFrom = null;
  }
}
