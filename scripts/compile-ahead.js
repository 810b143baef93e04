// SPDX-License-Identifier: Apache-2.0
// Run by `npm ci`: reads and compiles what a mesh is made of, so that the first start does not have to. Without it
// everything works, and the first start takes a second more: so no failure here is one of the installation. In
// JavaScript, since an older Node.js, which cannot run the product, may be the one that installs it.
const loadedAtStart = ['cli/program', 'cli/up', 'cli/sidecar', 'process/node', 'process/sidecar'];

try {
  const { cacheCompiledSource } = await import('../src/cli/compile-cache.ts');
  cacheCompiledSource();
  for (const path of loadedAtStart) await import(`../src/${path}.ts`);
} catch (failure) {
  process.stderr.write(`Nothing was compiled ahead; the first start does it: ${String(failure)}\n`);
}
