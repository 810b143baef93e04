// SPDX-License-Identifier: Apache-2.0
import type { VerifierKey } from './checkpoint.ts';
import { newestCosignatures, openCheckpoints } from './checkpoints.ts';
import type { Cosigned, KnownCheckpoints } from './checkpoints.ts';
import { Completeness } from './completeness.ts';
import { parseEntry } from './entry.ts';
import type { Entry } from './entry.ts';
import { Findings } from './findings.ts';
import type { VerifyFinding } from './findings.ts';
import { MissingPositions } from './missing.ts';
import { Pruned, prunedHash } from './pruned.ts';
import type { PruneRecord } from './pruned.ts';
import { writeSha256 } from './sha256.ts';
import type { Sha256 } from './sha256.ts';
import type { LogSource } from './source.ts';
import { Writers } from './writers.ts';
import { StoredTree } from './stored-tree.ts';
import { TreeHashes } from './tree.ts';

export type VerifyInput = {
  readonly source: LogSource;
  /** The log's key, from a place that the log's keeper does not control. */
  readonly log: VerifierKey;
  /** Witnesses whose cosignatures count. */
  readonly witnesses?: readonly VerifierKey[];
  /** How many of them must have cosigned what holds. Default 1 where there are any. */
  readonly quorum?: number;
  /** Signed checkpoints of this log from anywhere else, witnesses above all, in any order. */
  readonly checkpoints?: readonly string[];
  /** A faster SHA-256 than the one in plain code. */
  readonly sha256?: Sha256;
  /** Findings kept in the report. Default 1000. */
  readonly findingsMax?: number;
  /** Ids remembered for the check of causes and steps, about. Default 200,000. */
  readonly idsMax?: number;
  /** Told of entries read, now and then. */
  readonly progress?: (entries: number) => void;
};

export type VerifyReport = {
  /**
   * True when, and only when, every entry is of the published form and stands where the tree has
   * it, tiles and entries come to the root of every checkpoint, and every checkpoint is genuine.
   */
  readonly ok: boolean;
  /** Entries read. */
  readonly entries: number;
  /** By position. */
  readonly findings: readonly VerifyFinding[];
  /** Findings in all, also those beyond the bound. */
  readonly findingsTotal: number;
  /** Causes and steps too old for the bounded memory of ids: neither confirmed nor doubted. */
  readonly unchecked: number;
  /** Entries that the newest good checkpoint covers; entries after it could be removed unseen. */
  readonly covered: number;
  /** The newest cosignature of each trusted witness over a checkpoint that holds. */
  readonly cosigned: readonly Cosigned[];
  /** Entries of which only the hash is left. */
  readonly pruned: number;
  /** Under which records, each by an operator's order; at most 1000. */
  readonly prunedUnder: readonly PruneRecord[];
};

/** Reads a log once, in bounded memory, and says what was done to it. */
export async function verifyLog(input: VerifyInput): Promise<VerifyReport> {
  const findings = new Findings(input.findingsMax ?? 1000);
  const known = await openCheckpoints(
    { published: await input.source.checkpoint(), others: input.checkpoints ?? [] },
    { log: input.log, witnesses: input.witnesses ?? [] },
    findings,
  );
  const walk = new EntryWalk(input, known, findings);
  const { origin } = input.source;
  if (origin !== undefined && origin !== input.log.name) findings.add('VERIFY_NAME_MISMATCH', 0);
  for await (const run of input.source.entries(known.published ?? walk.target)) {
    for (const bytes of run) if (!walk.takeNext(bytes)) await walk.take(bytes);
    input.progress?.(walk.read);
  }
  if (input.source.incomplete?.() === true) findings.add('VERIFY_LINE_INCOMPLETE', walk.read);
  return walk.finish();
}

/** Goes along the entries: where each stands, and where it should. */
class EntryWalk {
  readonly target: number;
  readonly #input: VerifyInput;
  readonly #findings: Findings;
  readonly #tree: StoredTree;
  readonly #hashes: TreeHashes;
  readonly #completeness: Completeness;
  readonly #missing: MissingPositions;
  readonly #pruned = new Pruned();
  readonly #writers: Writers;
  /** Positions where something else stood than the tree holds. */
  readonly #edited = new Set<number>();
  #expected = 0;
  /** Entries without a form since the last good one: each may stand in the place of a true one. */
  #invalid = 0;
  #recordedAt = 0;
  read = 0;

  constructor(input: VerifyInput, known: KnownCheckpoints, findings: Findings) {
    this.#input = input;
    this.#findings = findings;
    this.#hashes = new TreeHashes(input.sha256 ?? writeSha256);
    this.target = known.good.at(-1)?.size ?? 0;
    this.#tree = new StoredTree({
      source: input.source,
      hashes: this.#hashes,
      findings,
      checkpoints: known.good,
      published: known.published ?? this.target,
    });
    this.#completeness = new Completeness(input.idsMax ?? 200_000, findings);
    this.#writers = new Writers(findings);
    this.#missing = new MissingPositions((from, to) => {
      findings.add('VERIFY_ENTRY_REMOVED', from, to - from);
    });
  }

  /** The common case, without a pause: the entry that is expected, as the tree has it. */
  takeNext(bytes: Uint8Array): boolean {
    if (this.#invalid > 0 || !this.#tree.isOpen(this.#expected)) return false;
    const hash = prunedHash(bytes);
    if (hash !== null) return this.#passPruned(hash);
    const entry = parseEntry(bytes);
    if (entry?.sequence !== this.#expected) return false;
    if (!this.#tree.placeEntry(this.#expected, bytes)) return false;
    this.read += 1;
    this.#accept(entry);
    return true;
  }

  /** What is left of a pruned entry says nothing of its place: it stands where it is expected. */
  #passPruned(hash: Uint8Array): boolean {
    if (!this.#tree.place(this.#expected, hash)) return false;
    this.read += 1;
    this.#pruned.add(this.#expected);
    this.#completeness.pruned();
    this.#writers.pruned();
    this.#expected += 1;
    return true;
  }

  async take(bytes: Uint8Array): Promise<void> {
    const hash = prunedHash(bytes);
    if (hash !== null) {
      await this.#tree.open(this.#expected + this.#invalid);
      this.#expected += this.#invalid;
      this.#invalid = 0;
      if (this.#passPruned(hash)) return;
      this.#findings.add('VERIFY_ENTRY_EDITED', this.#expected);
      this.#expected += 1;
    }
    this.read += 1;
    if (hash !== null) return;
    const entry = parseEntry(bytes);
    if (entry === null) {
      this.#findings.add('VERIFY_ENTRY_INVALID', this.#expected + this.#invalid);
      this.#invalid += 1;
      return;
    }
    const { sequence } = entry;
    const leaf = this.#hashes.leaf(bytes);
    const genuine = await this.#tree.holds(sequence, leaf);
    const end = this.#tree.published;
    const beyond = genuine === null && this.#expected < end && sequence >= end;
    if (genuine === false || beyond) await this.#standsFalse(entry, leaf);
    else if (sequence >= this.#expected) await this.#standsAhead(entry, leaf);
    else this.#standsBehind(entry, genuine === true);
  }

  async finish(): Promise<VerifyReport> {
    const { target } = this;
    const end = this.#expected + this.#invalid;
    this.#missing.finish();
    this.#writers.finish();
    if (end < target) this.#findings.add('VERIFY_TRUNCATED', end);
    await this.#tree.finish(target);
    const held = this.#tree.held.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size);
    const last = held.at(-1);
    // Entries that come to the signed root are the true ones: then what differs is the tiles.
    if (last?.by === 'entries') {
      this.#findings.amend('VERIFY_ENTRY_EDITED', 'VERIFY_TILE_WRONG', null);
    }
    for (const { checkpoint, by } of held) {
      if (by !== 'none' || (checkpoint.size > end && this.#findings.errors > 0)) continue;
      this.#findings.add('VERIFY_FORKED', Math.max(0, checkpoint.size - 1));
    }
    const good = held.filter(({ by }) => by === 'entries').map(({ checkpoint }) => checkpoint);
    const cosigned = newestCosignatures(good);
    const prunedUnder = this.#pruned.finish(good.at(-1)?.size ?? 0, this.#findings);
    const { witnesses = [], quorum = Math.min(1, witnesses.length) } = this.#input;
    if (!(cosigned.length >= quorum)) this.#findings.add('VERIFY_NOT_COSIGNED', 0);
    return {
      ok: this.#findings.errors === 0,
      entries: this.read,
      findings: this.#findings.inOrder(),
      findingsTotal: this.#findings.total,
      unchecked: this.#completeness.unchecked + this.#writers.unchecked,
      covered: good.at(-1)?.size ?? 0,
      cosigned,
      pruned: this.#pruned.count,
      prunedUnder,
    };
  }

  /** The tree holds another entry at the position that this one claims. */
  async #standsFalse(entry: Entry, leaf: Uint8Array): Promise<void> {
    const position = this.#expected + this.#invalid;
    this.#findings.add('VERIFY_ENTRY_EDITED', position);
    if (this.#edited.size < 4096) this.#edited.add(position);
    await this.#tree.open(position);
    this.#tree.place(position, leaf);
    this.#expected = position + 1;
    this.#invalid = 0;
    this.#look(entry);
  }

  async #standsAhead(entry: Entry, leaf: Uint8Array): Promise<void> {
    const { sequence } = entry;
    const from = this.#expected + this.#invalid;
    if (from < sequence) this.#missing.add(from, sequence);
    // Beyond what is signed there is no tree to follow, and a claimed position may be any number.
    const end = Math.min(sequence, Math.max(this.target, this.#expected));
    await this.#tree.open(end);
    if (end === sequence) this.#tree.place(sequence, leaf);
    this.#expected = sequence;
    this.#accept(entry);
  }

  #standsBehind(entry: Entry, genuine: boolean): void {
    const { sequence } = entry;
    if (this.#edited.delete(sequence)) {
      // The true entry comes after all: what stood in its place was put in before it.
      this.#findings.amend('VERIFY_ENTRY_EDITED', 'VERIFY_ENTRY_INSERTED', sequence);
    } else if (this.#missing.fill(sequence)) {
      this.#findings.add('VERIFY_ENTRY_REORDERED', sequence);
    } else {
      const code = genuine ? 'VERIFY_ENTRY_DUPLICATED' : 'VERIFY_ENTRY_INSERTED';
      this.#findings.add(code, sequence);
    }
    this.#look(entry);
  }

  #look(entry: Entry): void {
    this.#completeness.look(entry);
    this.#writers.look(entry);
  }

  #accept(entry: Entry): void {
    if (entry.recordedAt < this.#recordedAt) {
      this.#findings.add('VERIFY_CLOCK_BACK', this.#expected);
    }
    this.#recordedAt = entry.recordedAt;
    this.#expected += 1;
    this.#invalid = 0;
    this.#pruned.look(entry);
    this.#look(entry);
  }
}
