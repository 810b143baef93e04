// SPDX-License-Identifier: Apache-2.0
// `npm test`: types, lint, every test, and the fuzz run. The last line counts them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

type Step = { readonly name: string; readonly command: readonly string[] };

/** Programs that tests use beyond Node.js, and the Debian package each comes from. */
const systemPrograms: readonly { readonly program: string; readonly debianPackage: string; readonly for: string }[] = [
  { program: 'go', debianPackage: 'golang-go', for: 'the log read by Go\'s own implementation' },
  // A library: looked for from the folders of programs.
  { program: '../share/gocode/src/golang.org/x/mod', debianPackage: 'golang-golang-x-mod-dev', for: 'the log read by Go\'s own implementation' },
  { program: 'chromium', debianPackage: 'chromium', for: 'the console in a browser' },
  { program: 'initdb', debianPackage: 'postgresql', for: 'knowledge and memory in Postgres' },
  { program: 'mount', debianPackage: 'mount', for: 'the disk-full and read-only tests (as root)' },
];

const root = join(import.meta.dirname, '..');
const inCi = !['', '0', 'false', undefined].includes(process.env['CI']);
const isRoot = process.getuid?.() === 0;
const fuzzSeconds = process.env['MASO_FUZZ_SECONDS'] ?? (inCi ? '60' : '10');
// Programs that tests start hundreds of times are compiled once, beside the packages as `maso` does it.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/maso');
let failed = 0;
let passed = 0;

prepareSystem();
const only = process.argv.slice(2);
if (only.length === 0) {
  run({ name: 'types', command: ['tsc', '-p', 'tsconfig.json'] });
  run({ name: 'types of the console', command: ['tsc', '-p', 'console/tsconfig.json'] });
  run({ name: 'lint', command: ['oxlint', '--deny-warnings'] });
}
// Before the tests, which run side by side: two builds at once would write the same folder.
run({ name: 'pages of the console', command: [process.execPath, 'scripts/build-console.ts'] });
runVitest(only);
if (only.length === 0) {
  run({ name: 'fuzz', command: [process.execPath, 'test/fuzz/frames.ts', '--seconds', fuzzSeconds] });
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function run(step: Step): void {
  const [program = '', ...args] = step.command;
  const started = performance.now();
  const ended = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const good = ended.status === 0;
  if (good) passed += 1;
  else failed += 1;
  process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)\n`);
}

function runVitest(paths: readonly string[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'maso-test-'));
  const report = join(directory, 'report.json');
  const args = ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`, ...paths];
  const ended = spawnSync('vitest', args, { cwd: root, stdio: 'inherit' });
  if (existsSync(report)) {
    const counts = JSON.parse(readFileSync(report, 'utf8')) as {
      readonly numPassedTests: number;
      readonly numFailedTests: number;
      readonly numPendingTests: number;
    };
    passed += counts.numPassedTests;
    failed += counts.numFailedTests;
    if (counts.numPendingTests > 0) {
      process.stdout.write(`${counts.numPendingTests} left out; each says why in its name\n`);
    }
    if (ended.status !== 0 && counts.numFailedTests === 0) failed += 1;
  } else failed += 1;
  rmSync(directory, { recursive: true });
}

/** With CI set and as root on Debian, installs what is missing; else says what is left out. */
function prepareSystem(): void {
  const missing = systemPrograms.filter(({ program }) => !isInstalled(program));
  if (missing.length === 0 && isRoot) return;
  if (!isRoot) {
    process.stdout.write('left out without root: separate users, disk full, read-only disk\n');
    return;
  }
  const packages = missing.map(({ debianPackage }) => debianPackage);
  if (inCi && isInstalled('apt-get')) {
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    install(packages);
    // From Debian 13 on; before that, tests put a stand-in for the extension into the server.
    if (packages.includes('postgresql')) install(['^postgresql-[0-9]+-pgvector$']);
    return;
  }
  process.stdout.write(`left out: ${missing.map((one) => `${one.for} need ${one.program}`).join('; ')}\n`);
}

function install(packages: readonly string[]): void {
  const args = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  spawnSync('apt-get', args, { stdio: 'inherit' });
}

function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  // Debian keeps the programs of each version of Postgres in a folder of its own.
  const postgres = '/usr/lib/postgresql';
  const versions = existsSync(postgres) ? readdirSync(postgres) : [];
  const more = versions.map((version) => join(postgres, version, 'bin'));
  return [...folders, '/sbin', '/usr/sbin', ...more].some((folder) => existsSync(join(folder, program)));
}
