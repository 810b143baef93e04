// SPDX-License-Identifier: Apache-2.0
// Writes the verifier as one HTML page that loads nothing: `node scripts/build-verifier-page.ts FILE`.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');

/** The page as text: script and styles stand in it, and its policy lets no other run. */
export async function verifierPage(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: join(root, 'verifier-page/src/page.ts'), formats: ['iife'], name: 'masoVerify' },
    },
  });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const [script] = outputs.flatMap((one) => (one.type === 'chunk' ? [one.code] : []));
  if (script === undefined || script.includes('</script')) throw new Error('The page has no script.');
  const template = readFileSync(join(root, 'verifier-page/page.html'), 'utf8');
  const style = /<style>([\s\S]*?)<\/style>/.exec(template)?.[1] ?? '';
  return template
    .replace('SCRIPT-HASH', () => hashOf(script))
    .replace('STYLE-HASH', () => hashOf(style))
    .replace('<script>SCRIPT</script>', () => `<script>${script}</script>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

if (process.argv[1] === import.meta.filename) {
  const target = process.argv[2] ?? join(root, 'dist/verifier.html');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, await verifierPage());
}
