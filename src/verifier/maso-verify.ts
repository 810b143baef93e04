#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseVerifierKey } from './checkpoint.ts';
import type { VerifierKey } from './checkpoint.ts';
import { verifierCodes, VerifierError } from './codes.ts';
import { bytesOf } from './bytes.ts';
import { collectSoon, directorySource, nodeSha256 } from './directory.ts';
import { verifyProof } from './proof.ts';
import { describeReport } from './report-text.ts';
import { tiledSource } from './source.ts';
import type { LogSource } from './source.ts';
import { verifyLog } from './verify.ts';

const usage = `Usage: maso-verify DIR|URL --key KEY [options]
       maso-verify --proof FILE ENTRYFILE --key KEY [options]

Verifies a flight recorder's log, or one entry of it by its proof, and trusts nothing but the key.

  --key KEY           verifier key of the log (NAME+ID+KEY), or a file that holds it
  --proof FILE        a proof (C2SP tlog-proof) of the entry in ENTRYFILE; needs no log
  --checkpoint FILE   a signed checkpoint from elsewhere; may be repeated
  --witness KEY       verifier key of a witness, or a file; may be repeated
  --quorum N          how many witnesses must have cosigned (default 1 with --witness)
  --json              print the report as JSON

Exit: 0 the log verifies, 1 it does not, 2 wrong usage or unreadable.

Example: maso-verify .maso/log --key .maso/checkpoints/recorder.vkey --checkpoint witness/checkpoint`;

const fetchTimeoutMs = 30_000;
const resourceBytesMax = 32 * 1024 * 1024;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = read(args);
  if (options === null) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  collectSoon();
  try {
    if (options.proof !== null) return await proven(options, options.proof);
    const report = await verifyLog({
      source: await sourceAt(options.log),
      log: await keyFrom(options.key, 'log'),
      witnesses: await Promise.all(options.witness.map((text) => keyFrom(text, 'witness'))),
      checkpoints: await Promise.all(options.checkpoint.map(textFile)),
      ...(options.quorum === null ? {} : { quorum: options.quorum }),
      sha256: nodeSha256,
    });
    process.stdout.write(
      options.json ? `${JSON.stringify(report)}\n` : `${describeReport(report).join('\n')}\n`,
    );
    return report.ok ? 0 : 1;
  } catch (failure) {
    if (!(failure instanceof VerifierError)) throw failure;
    const { means, mend } = verifierCodes[failure.code];
    process.stderr.write(`${failure.code}: ${failure.message} ${means} ${mend}\n`);
    return 2;
  }
}

/** One entry by its proof. */
async function proven(options: Options, proof: string): Promise<number> {
  const report = await verifyProof({
    proof: await textFile(proof),
    entry: bytesOf(await textFile(options.log)),
    log: await keyFrom(options.key, 'log'),
    witnesses: await Promise.all(options.witness.map((text) => keyFrom(text, 'witness'))),
    ...(options.quorum === null ? {} : { quorum: options.quorum }),
  });
  const text = report.ok
    ? `The log holds this entry: number ${report.index} of ${report.size}, ${report.cosignatures.length} cosignature(s).`
    : `${report.code}  ${verifierCodes[report.code].means}`;
  process.stdout.write(`${options.json ? JSON.stringify(report) : text}\n`);
  return report.ok ? 0 : 1;
}

type Options = {
  readonly log: string;
  readonly key: string;
  readonly proof: string | null;
  readonly checkpoint: readonly string[];
  readonly witness: readonly string[];
  readonly quorum: number | null;
  readonly json: boolean;
};

function read(args: string[]): Options | null {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        proof: { type: 'string' },
        checkpoint: { type: 'string', multiple: true, default: [] },
        witness: { type: 'string', multiple: true, default: [] },
        quorum: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [log, ...more] = positionals;
    const { key, checkpoint, witness, json } = values;
    const quorum = values.quorum === undefined ? null : Number(values.quorum);
    if (log === undefined || more.length > 0 || key === undefined) return null;
    if (quorum !== null && !(Number.isSafeInteger(quorum) && quorum >= 0)) return null;
    return { log, key, proof: values.proof ?? null, checkpoint, witness, quorum, json };
  } catch {
    // An unknown or misspelt option: the usage says which there are.
    return null;
  }
}

async function sourceAt(place: string): Promise<LogSource> {
  if (!/^https?:\/\//.test(place)) return directorySource(place);
  const prefix = place.replace(/\/+$/, '');
  return tiledSource(async (path) => {
    try {
      const response = await fetch(`${prefix}/${path}`, {
        signal: AbortSignal.timeout(fetchTimeoutMs),
      });
      if (response.status === 404) return null;
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.ok && bytes.length <= resourceBytesMax) return bytes;
    } catch (cause) {
      throw new VerifierError('VERIFY_SOURCE_UNREADABLE', 'The log does not answer.', { cause });
    }
    throw new VerifierError('VERIFY_SOURCE_UNREADABLE', 'The log gives no usable answer.');
  });
}

async function keyFrom(text: string, use: VerifierKey['use']): Promise<VerifierKey> {
  const key = parseVerifierKey(text) ?? parseVerifierKey(await textFile(text));
  if (key?.use === use) return key;
  throw new VerifierError('VERIFY_SOURCE_UNREADABLE', `That is no verifier key of a ${use}.`);
}

async function textFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new VerifierError('VERIFY_SOURCE_UNREADABLE', 'A file cannot be read.', { cause });
  });
}
