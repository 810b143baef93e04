// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders } from './folders.ts';
import { isRunning, type ProcessStamp } from './process-stamp.ts';

/** Users `first` to `first + count - 1`. */
export type UidRange = { readonly first: number; readonly count: number };

/** Above what systems hand out to people and packages, below `nobody`. */
export const uidsOfHost: UidRange = { first: 61_000, count: 4_000 };

export type UidClaim = {
  readonly holder: ProcessStamp;
  /** Whose users they are; the same place gets the same users again while nobody else has them. */
  readonly stateDirectory: string;
  readonly count: number;
  readonly within: UidRange;
};

const schema = `
  CREATE TABLE IF NOT EXISTS claim (
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, state TEXT NOT NULL,
    pid INTEGER NOT NULL, started TEXT NOT NULL
  )
`;

/**
 * Users that no other mesh on this host gives to its agents as long as this process lives. Two
 * agents of one uid could read each other's sockets and signal each other. Claims stand in a
 * database of the host (`directory`, for root alone); one whose process has ended is void. Null
 * when so many users are not free in a row.
 */
export function claimUids(directory: string, claim: UidClaim): UidRange | null {
  // Of nobody's users none can collide, and no row can stand for them.
  if (claim.count < 1) return { first: claim.within.first, count: 0 };
  makeFolders(directory, 0o700);
  const database = new DatabaseSync(join(directory, 'uids.sqlite'), { timeout: 5_000 });
  try {
    database.exec(schema);
    database.exec('BEGIN IMMEDIATE');
    const before = claimsOf(database);
    const held = before.filter((one) => isRunning(one.holder));
    const own = before.find((one) => one.state === claim.stateDirectory) ?? null;
    const first = placeFor(claim, held, own?.first ?? null);
    for (const one of before) {
      const isVoid = !held.includes(one) || one === own;
      if (isVoid) database.prepare('DELETE FROM claim WHERE first = ?').run(one.first);
    }
    if (first !== null) {
      const { pid, started } = claim.holder;
      database.prepare('INSERT INTO claim VALUES (?, ?, ?, ?, ?)')
        .run(first, claim.count, claim.stateDirectory, pid, started);
    }
    database.exec('COMMIT');
    return first === null ? null : { first, count: claim.count };
  } finally {
    database.close();
  }
}

type Claim = UidRange & { readonly state: string; readonly holder: ProcessStamp };

function claimsOf(database: DatabaseSync): readonly Claim[] {
  return database.prepare('SELECT * FROM claim ORDER BY first').all().map((row) => ({
    first: Number(row['first']),
    count: Number(row['count']),
    state: String(row['state']),
    holder: { pid: Number(row['pid']), started: String(row['started']) },
  }));
}

/** The place of the last time if it is free, else the first gap that is wide enough. */
function placeFor(
  { count, within, stateDirectory }: UidClaim,
  held: readonly Claim[],
  last: number | null,
): number | null {
  const others = held.filter((one) => one.state !== stateDirectory);
  const end = within.first + within.count;
  const isFree = (first: number): boolean =>
    first >= within.first &&
    first + count <= end &&
    others.every((one) => first + count <= one.first || first >= one.first + one.count);
  const candidates = [within.first, ...others.map((one) => one.first + one.count)];
  if (last !== null) candidates.unshift(last);
  return candidates.find(isFree) ?? null;
}
