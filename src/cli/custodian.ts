// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Command, Option } from 'commander';
import { createCustodianKey, loadCustodianKey } from '../adapters/custodian-shares.ts';
import { parseOpeningRequest, releaseShare } from '../process/payload-opening.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import type { CommandIo } from './check.ts';
import { countOf } from './usual-options.ts';
import { keyFrom } from './recorder-verify.ts';

type KeygenOptions = { readonly file: string; readonly name: string; readonly json: boolean };

type ReleaseOptions = {
  readonly request: string;
  readonly key: string;
  readonly logKey: string;
  readonly witness?: readonly string[];
  readonly quorum?: string;
  readonly out?: string;
  readonly json: boolean;
};

/** `maso custodian`: what those do who hold shares of the keys to payloads. */
export function addCustodian(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  json: () => Option,
): void {
  const custodian = program
    .command('custodian')
    .description('People who hold shares of the keys to kept payloads.');
  custodian
    .command('keygen')
    .description('Make a custodian\'s key, and print the public half for the mesh file.')
    .argument('<file>', 'where the private key (JWK, mode 0600) goes; never overwritten')
    .option('--name <custodian>', 'name of the custodian in the mesh file', 'NAME')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso custodian keygen carol.jwk --name carol')
    .action(async (file: string, options) => exit(await custodianKeygen({ file, ...options }, io)));
  custodian
    .command('release')
    .description('Give your share of one epoch to one opening that is proven to be on record.')
    .argument('<request>', 'file that maso recorder open wrote')
    .requiredOption('--key <file>', 'your private key')
    .requiredOption('--log-key <key>', 'verifier key of the log, or a file of your own that holds it')
    .option('--witness <key...>', 'verifier keys of witnesses that must have cosigned, or files')
    .option('--quorum <count>', 'how many of them; default 1 with --witness', countOf)
    .option('--out <file>', 'where the release goes; default: beside the request')
    .addOption(json())
    .addHelpText(
      'after',
      '\nExample:\n  maso custodian release opening-3.json --key carol.jwk --log-key recorder.vkey',
    )
    .action(async (request: string, options) =>
      exit(await custodianRelease({ request, ...options }, io)),
    );
}

async function custodianKeygen(options: KeygenOptions, io: CommandIo): Promise<number> {
  const file = resolve(io.directory, options.file);
  const shown = relative(io.directory, file);
  const existed = existsSync(file);
  const { publicKey } = existed ? await loadCustodianKey(file) : await createCustodianKey(file);
  if (options.json) {
    io.out(JSON.stringify({ file: shown, created: !existed, publicKey }));
    return 0;
  }
  io.err(existed
    ? `${shown} holds a key already; it was not replaced`
    : `wrote ${shown}: the private key, for its owner only`);
  io.err('put this into the mesh file, under recorder.forensic.custodians:');
  io.out(`- { name: ${options.name}, key: "${publicKey}" }`);
  return 0;
}

/** Says what is asked and by whom, before it says that the share was given. */
async function custodianRelease(options: ReleaseOptions, io: CommandIo): Promise<number> {
  const path = resolve(io.directory, options.request);
  const request = parseOpeningRequest(await readFile(path, 'utf8'));
  const witnesses = await Promise.all((options.witness ?? []).map(keyFrom));
  const quorum = options.quorum === undefined ? Math.min(1, witnesses.length) : Number(options.quorum);
  const log = await keyFrom(options.logKey);
  const key = await loadCustodianKey(resolve(io.directory, options.key));
  const release = await releaseShare(request, key, { log, witnesses, quorum });
  const { operator, reason } = parseEntryLine(Buffer.from(request.entry))?.detail ?? {};
  const out = options.out === undefined
    ? `${path.replace(/\.json$/, '')}.${release.custodian}.share` : resolve(io.directory, options.out);
  await writeFile(out, `${JSON.stringify(release)}\n`, { mode: 0o600 });
  const { epoch, startedAt, endsAt } = request.record;
  if (options.json) {
    io.out(JSON.stringify({ epoch, operator, reason, custodian: release.custodian, release: out }));
    return 0;
  }
  const time = (ms: number): string => new Date(ms).toISOString();
  io.out(`epoch ${epoch}, ${time(startedAt)} to ${time(endsAt)}`);
  io.out(`asked for by ${String(operator)}: ${String(reason)}`);
  io.out(`wrote ${out}, for this opening alone`);
  return 0;
}
