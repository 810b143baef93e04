// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { RecorderError } from '../recorder/entry.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { prunedHash } from '../recorder/pruned-line.ts';
import { facetsAsked, facetsOf, idsIn, matches } from '../recorder/entry-query.ts';
import type { EntryQuery } from '../recorder/entry-query.ts';
import { makeFolders } from './folders.ts';
import { listSegments, readLines, readName } from './record-log-segments.ts';
import type { Segment } from './record-log-segments.ts';

/** Entries of one block: facets are kept as lists of places in it. */
const blockEntries = 4096;
/** How many entries lie between two places that are known by their byte. */
const placeEvery = 64;
const formatVersion = 3;
const bytesAtOnce = 32 * 1024;

/**
 * An index over a log, in a file outside it, made from nothing but the log and made again when it
 * does not fit. Nobody trusts it: what it finds is read from the log and looked at there, and
 * verification never opens it. Whoever can write the file can hide an entry from a query, and from
 * no proof.
 */
export class RecordIndex {
  readonly #directory: string;
  readonly #path: string;
  readonly #about: string;
  #database: DatabaseSync;
  /** Entries that are indexed, whole blocks only; the rest is read through. */
  #size = 0;

  /** Rejects with `RecorderError` when the log cannot be read. */
  static async open(options: { readonly directory: string; readonly path: string }) {
    const name = await readName(options.directory);
    makeFolders(dirname(options.path), 0o700);
    const index = new RecordIndex(options.directory, options.path, name);
    if (!(await index.#standsOnItsFiles())) index.#startOver();
    return index;
  }

  private constructor(directory: string, path: string, name: string) {
    this.#directory = directory;
    this.#path = path;
    this.#database = openDatabase(path);
    this.#about = `${formatVersion} ${name}`;
    const known = this.#one('SELECT value FROM about WHERE key = ?', 'log');
    if (known !== this.#about) this.#startOver();
    this.#size = Number(this.#one('SELECT value FROM about WHERE key = ?', 'size') ?? 0);
  }

  /** Takes in what was recorded since. `tell` hears of the entries indexed so far. */
  async catchUp(tell: (entries: number) => void = () => undefined): Promise<void> {
    try {
      await this.#takeIn(tell);
    } catch (failure) {
      if (!(failure instanceof StaleIndex)) throw failure;
      this.#startOver();
      await this.#takeIn(tell);
    }
  }

  /** The newest entries that match, newest first, at most `limit`. */
  async query(query: EntryQuery, limit: number): Promise<readonly RecordedEntry[]> {
    const found: RecordedEntry[] = [];
    const tail: RecordedEntry[] = [];
    for await (const { entry } of this.#entriesFrom(this.#size)) {
      if (entry !== null && matches(entry, query)) tail.push(entry);
    }
    found.push(...tail.toReversed().slice(0, limit));
    const id = query.message ?? query.task;
    const places = id === undefined ? this.#byFacet(query) : this.#byId(id).toReversed();
    for (const sequence of places) {
      if (found.length >= limit) break;
      const entry = await this.entry(sequence);
      if (entry !== null && matches(entry, query)) found.push(entry);
    }
    return found;
  }

  /** Every entry that names the id in any way, in the order of the log. */
  async naming(id: string): Promise<readonly RecordedEntry[]> {
    const found: RecordedEntry[] = [];
    for (const sequence of this.#byId(id)) {
      const entry = await this.entry(sequence);
      if (entry !== null && idsIn(entry).has(id)) found.push(entry);
    }
    for await (const { entry } of this.#entriesFrom(this.#size)) {
      if (entry !== null && idsIn(entry).has(id)) found.push(entry);
    }
    return found;
  }

  /** Entries recorded from a time up to, not including, another, in the order of the log. */
  async *between(since: number, until: number): AsyncGenerator<RecordedEntry> {
    const from = (this.#blockAt(since) ?? 0) * blockEntries;
    for await (const { entry } of this.#entriesFrom(from)) {
      if (entry === null || entry.recordedAt < since) continue;
      if (entry.recordedAt >= until) return;
      yield entry;
    }
  }

  /** The entry at a place of the log; null when there is none. */
  async entry(sequence: number): Promise<RecordedEntry | null> {
    for await (const { entry } of this.#entriesFrom(sequence)) return entry;
    return null;
  }

  close(): void {
    this.#database.close();
  }

  /** Pruning writes closed files anew, and shorter: then every place in them is another one. */
  async #standsOnItsFiles(): Promise<boolean> {
    const known = this.#one('SELECT value FROM about WHERE key = ?', 'files');
    if (known === null) return true;
    const now = new Set(await this.#closedFiles());
    return (known === '' ? [] : known.split(' ')).every((file) => now.has(file));
  }

  /** Files that nobody writes any more, each with its size. */
  async #closedFiles(): Promise<readonly string[]> {
    const closed = (await listSegments(this.#directory)).slice(0, -1);
    return closed.map(({ first, path }) => `${first}:${statSync(path).size}`);
  }

  async #takeIn(tell: (entries: number) => void): Promise<void> {
    let block = new Block(this.#size);
    for await (const placed of this.#entriesFrom(this.#size)) {
      block.add(placed);
      if (block.entries < blockEntries) continue;
      this.#keep(block);
      tell(this.#size);
      block = new Block(this.#size, block.recordedAt);
    }
    const files = (await this.#closedFiles()).join(' ');
    this.#run('INSERT OR REPLACE INTO about VALUES (?, ?)', 'files', files);
  }

  #keep(block: Block): void {
    this.#database.exec('BEGIN');
    const mention = this.#database.prepare('INSERT OR IGNORE INTO mentions VALUES (?, ?)');
    for (const [key, sequence] of block.mentionsInOrder()) mention.run(key, sequence);
    const posting = this.#database.prepare('INSERT OR REPLACE INTO postings VALUES (?, ?, ?)');
    for (const [facet, places] of block.postings) {
      posting.run(facet, block.first / blockEntries, new Uint8Array(Uint16Array.from(places).buffer));
    }
    const place = this.#database.prepare('INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?)');
    for (const row of block.places) place.run(...row);
    this.#size += block.entries;
    this.#run('INSERT OR REPLACE INTO about VALUES (?, ?)', 'size', String(this.#size));
    this.#database.exec('COMMIT');
  }

  #byId(id: string): readonly number[] {
    const rows = this.#database
      .prepare('SELECT sequence FROM mentions WHERE id = ? ORDER BY sequence')
      .all(keyOf(id));
    return rows.map((row) => Number(row['sequence']));
  }

  /** Places in whole blocks that have all facets of the query, newest first. */
  *#byFacet(query: EntryQuery): Generator<number> {
    const facets = facetsAsked(query).map(keyOf);
    const [from, to] = [this.#blockAt(query.since), this.#blockAt(query.until)];
    const last = Math.min(this.#size / blockEntries - 1, to ?? Number.MAX_SAFE_INTEGER);
    const read = this.#database.prepare('SELECT at FROM postings WHERE facet = ? AND block = ?');
    for (let block = last; block >= (from ?? 0); block -= 1) {
      const places = facets.length === 0 ? allPlaces : commonPlaces(facets, block, read);
      for (const place of places) yield block * blockEntries + place;
    }
  }

  /** The block in which a time lies; entries are recorded in the order of time. */
  #blockAt(time: number | undefined): number | null {
    if (time === undefined) return null;
    const row = this.#database
      .prepare('SELECT max(sequence) AS sequence FROM places WHERE recorded_at < ?')
      .get(time);
    return Math.floor(Number(row?.['sequence'] ?? 0) / blockEntries);
  }

  /** Entries from a place on, each with where it stands. */
  async *#entriesFrom(from: number): AsyncGenerator<Placed> {
    const segments = await listSegments(this.#directory);
    const start = this.#startFor(from, segments);
    if (start === null) return;
    let { sequence, offset } = start;
    const at = segments.findIndex(({ first }) => first === start.segment);
    for (const segment of segments.slice(at)) {
      for await (const line of readLines(segment.path, offset, bytesAtOnce)) {
        if (sequence >= from) {
          const pruned = prunedHash(line) !== null;
          const entry = pruned ? null : parseEntryLine(line);
          if (!pruned && entry?.sequence !== sequence) throw new StaleIndex();
          yield { entry, sequence, segment: segment.first, offset };
        }
        sequence += 1;
        offset += line.length + 1;
      }
      offset = 0;
    }
  }

  #startFor(from: number, segments: readonly Segment[]) {
    const segment = segments.findLast(({ first }) => first <= from);
    if (segment === undefined) return null;
    const place = this.#database
      .prepare('SELECT sequence, segment, offset FROM places WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1')
      .get(from);
    const known = place === undefined ? -1 : Number(place['sequence']);
    if (known < segment.first) return { sequence: segment.first, segment: segment.first, offset: 0 };
    return { sequence: known, segment: Number(place?.['segment']), offset: Number(place?.['offset']) };
  }

  #startOver(): void {
    this.#database.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.#path}${suffix}`, { force: true });
    this.#database = openDatabase(this.#path);
    this.#run('INSERT OR REPLACE INTO about VALUES (?, ?)', 'log', this.#about);
    this.#size = 0;
  }

  #one(sql: string, key: string): string | null {
    const row = this.#database.prepare(sql).get(key);
    return row === undefined ? null : String(row['value']);
  }

  #run(sql: string, key: string, value: string): void {
    this.#database.prepare(sql).run(key, value);
  }
}

type Placed = {
  /** Null where the entry is pruned. */
  readonly entry: RecordedEntry | null;
  readonly sequence: number;
  readonly segment: number;
  readonly offset: number;
};

/** The log is not the one, or not where, the index says. */
class StaleIndex extends RecorderError {
  constructor() {
    super('RECORDER_LOG_BROKEN', 'The log holds something else than an entry in its place.');
    this.name = 'StaleIndex';
  }
}

/** What is known of 4096 entries before it is written at once. */
class Block {
  readonly first: number;
  readonly postings = new Map<number, number[]>();
  readonly places: [sequence: number, segment: number, offset: number, recordedAt: number][] = [];
  readonly #mentions: [key: number, sequence: number][] = [];
  /** Of a pruned entry no time is left: the one before it stands in. */
  #recordedAt: number;
  entries = 0;

  constructor(first: number, recordedAt = 0) {
    this.#recordedAt = recordedAt;
    this.first = first;
  }

  add({ entry, sequence, segment, offset }: Placed): void {
    if (entry !== null) this.#post(entry);
    this.#recordedAt = entry?.recordedAt ?? this.#recordedAt;
    if (this.entries % placeEvery === 0) {
      this.places.push([sequence, segment, offset, this.#recordedAt]);
    }
    this.entries += 1;
  }

  #post(entry: RecordedEntry): void {
    const { sequence } = entry;
    for (const id of idsIn(entry)) this.#mentions.push([keyOf(id), sequence]);
    for (const facet of facetsOf(entry)) {
      const key = keyOf(facet);
      const places = this.postings.get(key);
      if (places === undefined) this.postings.set(key, [this.entries]);
      else places.push(this.entries);
    }
  }

  get recordedAt(): number {
    return this.#recordedAt;
  }

  /** In the order of the table, which is quicker to write. */
  mentionsInOrder(): readonly [key: number, sequence: number][] {
    return this.#mentions.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }
}

const allPlaces = Array.from({ length: blockEntries }, (_, at) => blockEntries - 1 - at);

function commonPlaces(
  facets: readonly number[],
  block: number,
  read: StatementSync,
): readonly number[] {
  let common: readonly number[] | null = null;
  for (const facet of facets) {
    const at = read.get(facet, block)?.['at'];
    if (!(at instanceof Uint8Array)) return [];
    const places: readonly number[] = [...new Uint16Array(Uint8Array.from(at).buffer)];
    const before: ReadonlySet<number> | null = common === null ? null : new Set(common);
    common = before === null ? places : places.filter((place) => before.has(place));
  }
  return (common ?? []).toReversed();
}

/** 48 bits of a hash: short, and what it finds is looked at in the log anyway. */
function keyOf(text: string): number {
  return Buffer.from(hash('sha1', text, 'hex').slice(0, 12), 'hex').readUIntBE(0, 6);
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  // What a crash takes from the index is taken in again from the log.
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000;
    PRAGMA cache_size = -65536;
    CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS mentions (id INTEGER NOT NULL, sequence INTEGER NOT NULL,
      PRIMARY KEY (id, sequence)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS postings (facet INTEGER NOT NULL, block INTEGER NOT NULL,
      at BLOB NOT NULL, PRIMARY KEY (facet, block)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS places (sequence INTEGER PRIMARY KEY, segment INTEGER NOT NULL,
      offset INTEGER NOT NULL, recorded_at INTEGER NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS times ON places (recorded_at);
  `);
  return database;
}
