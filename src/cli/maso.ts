#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0

/** The oldest Node.js that the product runs on. */
const oldest = [22, 22, 2] as const;

// Whoever reads the output may stop reading, as `head` does; that is no fault of ours.
process.stdout.on('error', (failure: NodeJS.ErrnoException) => {
  if (failure.code !== 'EPIPE') throw failure;
});

const running = process.versions.node.split('.').map(Number);

if (isOlder(running)) {
  process.stderr.write(
    `CONTROL_UNSUPPORTED_NODE: maso needs Node.js ${oldest.join('.')} or newer, ` +
      `this is ${process.versions.node}.\n`,
  );
  process.exitCode = 2;
} else {
  if (import.meta.filename.endsWith('.ts')) (await import('./compile-cache.ts')).cacheCompiledSource();
  const { main } = await import('./program.ts');
  await main(process.argv);
}

function isOlder(version: readonly number[]): boolean {
  for (const [index, least] of oldest.entries()) {
    const part = version[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
