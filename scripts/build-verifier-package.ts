// SPDX-License-Identifier: Apache-2.0
// Writes the verifier as a package of its own, so that an auditor runs `npx maso-verify` and installs
// nothing else: `node scripts/build-verifier-package.ts DIR`, default dist-verify.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const directory = resolve(process.argv[2] ?? join(root, 'dist-verify'));

rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });
const tsc = spawnSync('tsc', ['-p', join(root, 'tsconfig.verifier.json'), '--outDir', directory], { stdio: 'inherit' });
if (tsc.status !== 0) throw new Error('The verifier does not compile.');

const { version, license, engines, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly [member: string]: unknown;
};
writeFileSync(join(directory, 'package.json'), `${JSON.stringify({
  name: 'maso-verify',
  version,
  description: 'Verifies the log of a maso flight recorder, and trusts nothing but its key.',
  license,
  type,
  engines,
  bin: { 'maso-verify': './maso-verify.js' },
}, null, 2)}\n`);
cpSync(join(root, 'LICENSE'), join(directory, 'LICENSE'));
writeFileSync(join(directory, 'README.md'), `# maso-verify

Verifies the log of a maso flight recorder: tree, signed checkpoints, cosignatures of witnesses, form and order of
every entry, and that no step is missing. It needs no other package and shares no code with the recorder.

\`\`\`sh
npx maso-verify DIR|URL --key recorder.vkey --checkpoint kept/checkpoint --witness witness.vkey
\`\`\`

\`DIR\` is the directory of a log, or an export of it; \`URL\` is where an export is served. The exit code is 0 where
the log verifies, 1 where it does not, with the first bad entry first, and 2 where it cannot be read.
`);
