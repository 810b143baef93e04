// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { TileTree, TreeHashes, extendsTree, includes } from '../verifier/tree.ts';
import { writeSha256 } from '../verifier/sha256.ts';
import { GrowingTree, leafHash, tileWidth } from './merkle.ts';
import { MemoryRecordLog } from './record-log-memory.ts';
import { tilePath } from './tile-path.ts';
import { consistencyProof, inclusionProof, storedRoot } from './tree-proof.ts';

/** The leaves and roots that implementations of RFC 6962 are tested with. */
const leaves = [
  '', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = new TreeHashes(writeSha256);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const numbered = (at: number) => leafHash(`entry ${at}`);

/** The tree as the RFC defines it, by recursion. */
function plainRoot(from: number, to: number): Uint8Array {
  if (to === from) return hashes.sha256(new Uint8Array(0));
  if (to - from === 1) return numbered(from);
  let split = 1;
  while (split * 2 < to - from) split *= 2;
  return hashes.node(plainRoot(from, from + split), plainRoot(from + split, to));
}

async function storedLog(size: number): Promise<MemoryRecordLog> {
  const log = new MemoryRecordLog('log-of-the-tree-test');
  const tree = new GrowingTree();
  for (let at = 0; at < size; at += 1) tree.append(numbered(at));
  await log.writeTiles([...tree.takeFullTiles(), ...tree.edge()]);
  return log;
}

describe('the tree', () => {
  it('has the roots that RFC 6962 is tested with, written and verified', () => {
    const tree = new GrowingTree();
    expect(hex(tree.root())).toBe(roots[0]);
    const row: Uint8Array[] = [];
    for (const [at, leaf] of leaves.entries()) {
      tree.append(leafHash(leaf));
      row.push(hashes.leaf(leaf));
      expect(hex(tree.root())).toBe(roots[at + 1]);
      expect(hex(new TileTree(hashes).root(Buffer.concat(row)))).toBe(roots[at + 1]);
    }
  });

  it('has the root of the definition at every size, over the edges of tiles too', () => {
    const tree = new GrowingTree();
    const sizes = new Set([1, 2, 3, 255, 256, 257, 511, 512, 513, 700, 65_535, 65_536, 65_537, 65_800]);
    for (let size = 1; size <= 65_800; size += 1) {
      tree.append(numbered(size - 1));
      if (sizes.has(size)) expect(hex(tree.root()), String(size)).toBe(hex(plainRoot(0, size)));
    }
    const tiles = tree.takeFullTiles();
    expect(tiles.filter(({ level }) => level === 0)).toHaveLength(257);
    expect(tiles.filter(({ level }) => level === 1)).toHaveLength(1);
    expect(tree.edge().map(({ level, index, width }) => [level, index, width])).toEqual([
      [0, 257, 8], [1, 1, 1], [2, 0, 1],
    ]);
  });

  it('goes on from its full tiles as if it had never stopped', async () => {
    const whole = new GrowingTree();
    for (let at = 0; at < 65_800; at += 1) whole.append(numbered(at));
    const log = await storedLog(65_800);
    const read = (level: number, index: number) => log.readTile(level, index, tileWidth);
    for (const from of [0, 256, 512, 65_536, 65_792]) {
      const tree = await GrowingTree.restore(from, read);
      for (let at = from; at < 65_800; at += 1) tree?.append(numbered(at));
      expect(hex(tree?.root() ?? whole.root()), String(from)).toBe(hex(whole.root()));
      expect(tree?.edge()).toEqual(whole.edge());
    }
    log.tiles.delete('0/3/256');
    expect(await GrowingTree.restore(65_536, read)).not.toBeNull();
    expect(await GrowingTree.restore(1024, read)).toBeNull();
  });

  it('gives back tiles that could not be written', () => {
    const tree = new GrowingTree();
    for (let at = 0; at < 600; at += 1) tree.append(numbered(at));
    const tiles = tree.takeFullTiles();
    expect(tiles).toHaveLength(2);
    expect(tree.waitingTiles).toBe(0);
    for (let at = 600; at < 800; at += 1) tree.append(numbered(at));
    tree.giveBack(tiles);
    expect(tree.takeFullTiles().map(({ index }) => index)).toEqual([0, 1, 2]);
  });
});

describe('proofs', () => {
  it('of inclusion hold for every entry, and for no other entry, size or root', async () => {
    for (const size of [1, 2, 3, 7, 8, 255, 257, 300]) {
      const log = await storedLog(size);
      const read = log.readTile.bind(log);
      const root = plainRoot(0, size);
      for (let index = 0; index < size; index += size > 50 ? 17 : 1) {
        const path = await inclusionProof(index, size, read);
        const proof = { index, size, leaf: numbered(index), path, root };
        expect(includes(hashes, proof), `${index} of ${size}`).toBe(true);
        expect(includes(hashes, { ...proof, leaf: numbered(index + 1) })).toBe(false);
        expect(includes(hashes, { ...proof, root: numbered(0).map((byte) => byte ^ 1) })).toBe(false);
        expect(includes(hashes, { ...proof, path: [...path, root] })).toBe(false);
        expect(includes(hashes, { ...proof, index: size })).toBe(false);
        if (path.length === 0) continue;
        expect(includes(hashes, { ...proof, path: path.slice(1) })).toBe(false);
        expect(includes(hashes, { ...proof, index: index === 0 ? 1 : index - 1 })).toBe(false);
      }
    }
  });

  it('of consistency hold between every two sizes, and for no other roots', async () => {
    const sizes = [0, 1, 2, 3, 4, 6, 7, 8, 128, 255, 256, 257, 299, 300];
    for (const newer of sizes) {
      const log = await storedLog(newer);
      const read = log.readTile.bind(log);
      for (const older of sizes.filter((size) => size <= newer)) {
        const path = await consistencyProof(older, newer, read);
        const proof = {
          older: { size: older, root: plainRoot(0, older) },
          newer: { size: newer, root: plainRoot(0, newer) },
          path,
        };
        expect(extendsTree(hashes, proof), `${older} ${newer}`).toBe(true);
        const other = { size: newer, root: numbered(1000) };
        const before = { size: older, root: numbered(1000) };
        expect(extendsTree(hashes, { ...proof, older: before })).toBe(false);
        expect(extendsTree(hashes, { ...proof, path: [...path, other.root] })).toBe(false);
        if (older > 0) expect(extendsTree(hashes, { ...proof, newer: other })).toBe(false);
        if (path.length > 0) expect(extendsTree(hashes, { ...proof, path: path.slice(1) })).toBe(false);
      }
    }
  });

  it('are refused outside the log and without their tiles', async () => {
    const log = await storedLog(300);
    const read = log.readTile.bind(log);
    for (const [index, size] of [[300, 300], [-1, 3], [0, 0], [1.5, 3], [0, Number.NaN]] as const) {
      await expect(inclusionProof(index, size, read)).rejects.toMatchObject({
        code: 'RECORDER_PROOF_RANGE',
      });
    }
    await expect(consistencyProof(3, 2, read)).rejects.toMatchObject({ code: 'RECORDER_PROOF_RANGE' });
    await expect(inclusionProof(299, 301, read)).rejects.toMatchObject({ code: 'RECORDER_TILE_MISSING' });
    expect(hex(await storedRoot(300, read))).toBe(hex(plainRoot(0, 300)));
  });
});

describe('the path of a tile', () => {
  it.each([
    [0, 0, 256, 'tile/0/000'],
    [1, 5, 17, 'tile/1/005.p/17'],
    [0, 999, 256, 'tile/0/999'],
    [0, 1000, 256, 'tile/0/x001/000'],
    [3, 1_234_067, 256, 'tile/3/x001/x234/067'],
    [0, 1_234_067, 1, 'tile/0/x001/x234/067.p/1'],
  ])('of level %i, index %i, width %i is %s', (level, index, width, path) => {
    expect(tilePath(level, index, width)).toBe(path);
  });
});
