// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logVectors } from '../../scripts/generate-log-vectors.ts';
import { parseVerifierKey } from '../../src/verifier/checkpoint.ts';
import type { VerifierKey } from '../../src/verifier/checkpoint.ts';
import { tiledSource } from '../../src/verifier/source.ts';
import { verifyLog } from '../../src/verifier/verify.ts';

type File = {
  readonly log: string;
  readonly vectors: readonly {
    readonly name: string;
    readonly files: { readonly [path: string]: string };
    readonly checkpoints: readonly string[];
    readonly witnesses: readonly string[];
    readonly expect: { readonly ok: boolean; readonly findings: readonly string[] };
  }[];
};

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8');

function keyOf(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key === null) throw new Error('A key of the vectors is none.');
  return key;
}

describe.each(['log-valid.json', 'log-must-fail.json'])('%s', (file) => {
  const { log, vectors } = JSON.parse(read(file)) as File;

  it('is what the generator writes', async () => {
    expect((await logVectors()).get(file)).toBe(read(file));
  });

  it.each(vectors)('$name', async ({ files, checkpoints, witnesses, expect: expected }) => {
    const source = tiledSource(async (path) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      if (text === undefined) return null;
      return path === 'checkpoint' ? Buffer.from(text) : Buffer.from(text, 'base64');
    });
    const trusted = { log: keyOf(log), witnesses: witnesses.map(keyOf), checkpoints };
    const report = await verifyLog({ source, ...trusted });
    const findings = report.findings.map(({ code, sequence }) => `${code}@${sequence}`);
    expect({ ok: report.ok, findings }).toEqual(expected);
  });
});
