// SPDX-License-Identifier: Apache-2.0
import { BatchedDatabase, type BatchSchedule } from '../adapters/sqlite-batch.ts';
import { RecorderError } from '../recorder/entry.ts';
import { MemoryRecordLog } from '../recorder/record-log-memory.ts';
import type { RecordLog } from '../recorder/record-log.ts';
import type { Life, World } from './world.ts';

/** A disk's mood: how long a flush takes, and whether it refuses. */
export type DiskMood = { slowMs: number; refuses: boolean };

export function newMood(): DiskMood {
  return { slowMs: 1, refuses: false };
}

/**
 * The SQLite file of one process. What a run had not committed when it crashed is gone; what it had is
 * there for the next. The stores on it are the real ones.
 */
export class SimulatedFile {
  readonly mood: DiskMood = newMood();
  readonly #world: World;
  #left: BatchedDatabase | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  open(life: Life): BatchedDatabase {
    const schedule: BatchSchedule = {
      soon: (flush) => void this.#world.after(this.#flushMs(), life, flush),
      later: (flush, delayMs) => this.#world.after(delayMs, life, flush),
    };
    this.#left = new BatchedDatabase(this.#left?.database ?? ':memory:', schedule);
    return this.#left;
  }

  close(): void {
    this.#left?.database.close();
  }

  #flushMs(): number {
    return this.#world.chance.between(0, this.mood.slowMs);
  }
}

/**
 * The recorder's log: lines are durable some time after they were asked for, and acknowledged some time
 * after that. A crash in the first gap leaves any prefix of them; one in the second all of them, unacknowledged.
 */
export class SimulatedLog {
  readonly lines: string[] = [];
  readonly mood: DiskMood;
  readonly #world: World;
  readonly name: string;
  /** Broken on purpose: a crash takes what was durable. */
  readonly #forgets: boolean;
  #underWay: readonly string[] = [];

  constructor(world: World, mood: DiskMood, name: string, forgets: boolean) {
    this.#forgets = forgets;
    this.#world = world;
    this.mood = mood;
    this.name = name;
  }

  open(life: Life): RecordLog {
    const world = this.#world;
    const memory = new MemoryRecordLog(this.name);
    for (const line of this.lines) memory.lines.push(Buffer.from(line));
    const append = memory.append.bind(memory);
    memory.append = async (lines, options) => {
      this.#underWay = lines;
      await world.wait(world.chance.between(0, this.mood.slowMs), life);
      this.#underWay = [];
      if (this.mood.refuses) throw new RecorderError('RECORDER_NOT_DURABLE', 'The disk refuses.');
      await append(lines, options);
      this.lines.push(...lines);
      await world.wait(world.chance.between(0, this.mood.slowMs), life);
    };
    return memory;
  }

  crash(): void {
    if (this.#forgets) this.lines.splice(-this.#world.chance.between(1, 3));
    this.lines.push(...this.#underWay.slice(0, this.#world.chance.between(0, this.#underWay.length)));
    this.#underWay = [];
  }
}
