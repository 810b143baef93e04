// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { CursorPlace, ExportCursor } from '../recorder/exporter.ts';
import { readOwnerOnly, writeOwnerOnly } from './credential-file.ts';

const shape = z.strictObject({
  log: z.string().min(1).max(64),
  next: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
});

/** The place of one exporter in a file of its own, replaced as a whole: old or new, never half. */
export class ExportCursorFile implements ExportCursor {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<CursorPlace | null> {
    try {
      const file = await readOwnerOnly(this.#path);
      if (file.state !== 'read') return null;
      const parsed = shape.safeParse(JSON.parse(file.bytes.toString('utf8')));
      return parsed.success ? parsed.data : null;
    } catch {
      // Unreadable is like absent: everything is delivered again, nothing is skipped.
      return null;
    }
  }

  save(place: CursorPlace): Promise<void> {
    return writeOwnerOnly(this.#path, Buffer.from(JSON.stringify(place)));
  }
}
