// SPDX-License-Identifier: Apache-2.0
// Builds the pages of the console into console/dist, unless they are newer than their sources.
// `--again` builds in any case.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const built = join(root, 'console', 'dist', 'index.html');
const isDue = process.argv.includes('--again') || !existsSync(built) ||
  newestUnder('console/src', 'console/index.html', 'console/vite.config.ts', 'src/verifier', 'package-lock.json') >
    statSync(built).mtimeMs;

if (isDue) {
  // Loaded only when it is needed: a start that builds nothing does not wait for it.
  const { build } = await import('vite');
  const startedMs = performance.now();
  await build({ root: join(root, 'console'), logLevel: 'warn' });
  process.stdout.write(`console built in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
}

function newestUnder(...paths: readonly string[]): number {
  return Math.max(...paths.flatMap((path) => {
    const place = join(root, path);
    if (!statSync(place).isDirectory()) return [statSync(place).mtimeMs];
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .map((file) => statSync(join(place, file)).mtimeMs);
  }));
}
