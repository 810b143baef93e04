// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Kms } from './credential.ts';

const secret = Buffer.from('a secret of no importance');
const refused = { code: 'KMS_UNWRAP_FAILED' };

/** What every `Kms` does; `open` opens the same keys again, `other` the keys of somebody else. */
export function kmsSuite(
  name: string,
  create: () => Promise<{ readonly open: () => Promise<Kms>; readonly other: () => Promise<Kms> }>,
): void {
  describe(`${name} as a KMS`, () => {
    it('opens nothing that was changed, cut or extended', async () => {
      const kms = await (await create()).open();
      const wrapped = await kms.wrap(secret, 'root');
      for (let at = 0; at < wrapped.length; at += 5) {
        const changed = Buffer.from(wrapped);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        await expect(kms.unwrap(changed, 'root')).rejects.toMatchObject(refused);
        await expect(kms.unwrap(wrapped.subarray(0, at), 'root')).rejects.toMatchObject(refused);
      }
      const longer = Buffer.concat([wrapped, Buffer.from([0])]);
      await expect(kms.unwrap(longer, 'root')).rejects.toMatchObject(refused);
    });

    it('opens nothing under another context, also one that shifts the border', async () => {
      const kms = await (await create()).open();
      const wrapped = await kms.wrap(secret, 'root');
      for (const context of ['', 'Root', 'root ', 'roo']) {
        await expect(kms.unwrap(wrapped, context)).rejects.toMatchObject(refused);
      }
    });

    it('opens what it wrapped before a restart, and nothing of other keys', async () => {
      const keys = await create();
      const wrapped = await (await keys.open()).wrap(secret, 'root');
      expect(await (await keys.open()).unwrap(wrapped, 'root')).toEqual(secret);
      await expect((await keys.other()).unwrap(wrapped, 'root')).rejects.toMatchObject(refused);
    });

    it('wraps the same secret differently every time, and an empty one too', async () => {
      const kms = await (await create()).open();
      const one = Buffer.from(await kms.wrap(secret, 'root'));
      expect(one.equals(await kms.wrap(secret, 'root'))).toBe(false);
      expect(one.includes(secret)).toBe(false);
      expect(await kms.unwrap(await kms.wrap(new Uint8Array(), 'x'), 'x')).toHaveLength(0);
    });
  });
}
