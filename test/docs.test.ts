// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generatedDocuments, meshKeyPaths } from '../scripts/generate-docs.ts';
import { meshKeys } from '../scripts/mesh-file-meanings.ts';
import { loadMesh } from '../src/mesh/load.ts';
import { codeTables } from '../src/process/codes.ts';
import { blocksOf, filesOf, root } from './docs/guide.ts';

const documents = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...filesUnder('docs').filter((file) => file.endsWith('.md')),
];
const codes = new Map(
  Object.entries(codeTables).flatMap(([folder, table]) =>
    Object.entries(table).map(([code, entry]) => [code, { folder, ...entry }] as const),
  ),
);

describe('codes', () => {
  const prefixes = new Set([...codes.keys()].map((code) => code.split('_')[0] ?? ''));
  const inSource = codesInSource(prefixes);

  test('every code in the source has a row in a table', () => {
    const unknown = [...inSource].filter(([code]) => !codes.has(code));
    expect(unknown).toEqual([]);
  });

  test('every row of a table is used by the source', () => {
    expect([...codes.keys()].filter((code) => !inSource.has(code))).toEqual([]);
  });

  test('no code stands in two tables', () => {
    const rows = Object.values(codeTables).reduce((sum, table) => sum + Object.keys(table).length, 0);
    expect(codes.size).toBe(rows);
  });

  test('every row says in a sentence what it means and how to mend it', () => {
    const sentence = /^[A-Z`a-z][^\n]*[.]$/;
    const poor = [...codes].filter(
      ([, { means, mend }]) => !sentence.test(means) || !sentence.test(mend),
    );
    expect(poor.map(([code]) => code)).toEqual([]);
  });

  test('every code that a document names exists', () => {
    const form = new RegExp(`\\b(?:${[...prefixes].join('|')})_[A-Z0-9_]+[A-Z0-9]\\b`, 'g');
    const invented = documents.flatMap((document) =>
      [...new Set(readFileSync(join(root, document), 'utf8').match(form) ?? [])]
        .filter((code) => !codes.has(code) && !environmentNames.has(code))
        .map((code) => `${document}: ${code}`),
    );
    expect(invented).toEqual([]);
  });
});

describe('generated documents', () => {
  test('are what scripts/generate-docs.ts makes of the code now', async () => {
    const stale: string[] = [];
    for (const [path, text] of await generatedDocuments()) {
      if (readFileSync(join(root, path), 'utf8') !== text) stale.push(path);
    }
    expect(stale).toEqual([]);
  });

  test('explain every key of the mesh file and no other', () => {
    const shape = [...meshKeyPaths().keys()].sort();
    expect(Object.keys(meshKeys).sort()).toEqual(shape);
  });
});

describe('examples in documents', () => {
  test('every mesh file in a guide loads without an error', () => {
    const refused = documents.flatMap((document) => {
      const files = filesOf(document);
      const mesh = files.get('security_mesh.yaml');
      if (mesh === undefined) return [];
      const loaded = loadMesh('/guide/security_mesh.yaml', mesh, (path) =>
        files.get(relative('/guide', path)) ?? null,
      );
      const errors = loaded.diagnostics.filter((item) => item.severity === 'error');
      return errors.map((item) => `${document}:${item.line} ${item.code}`);
    });
    expect(refused).toEqual([]);
  });

  test('every TypeScript block compiles', () => {
    const folder = mkdtempSync(join(tmpdir(), 'maso-docs-'));
    documents.forEach((document, index) => {
      blocksOf(document)
        .filter(({ language }) => language === 'ts')
        .forEach(({ text }, block) => {
          const header = `// ${document}\nexport {};\n`;
          writeFileSync(join(folder, `document-${index}-${block}.ts`), header + text);
        });
    });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          noUnusedLocals: false,
          paths: { maso: [join(root, 'src/index.ts')] },
          typeRoots: [join(root, 'node_modules/@types')],
        },
        include: ['*.ts'],
      }),
    );
    const compiled = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect(compiled.stdout).toBe('');
    expect(compiled.status).toBe(0);
  });

  test('every command that a document types exists', () => {
    const reference = readFileSync(join(root, 'docs/reference/cli.md'), 'utf8');
    const listed = [...reference.matchAll(/^## maso (.+)$/gm)].map(([, name = '']) => name);
    const known = listed.filter((name) => !listed.some((other) => other.startsWith(`${name} `)));
    const typed = documents.flatMap((document) =>
      blocksOf(document)
        .filter(({ language }) => language === 'sh' || language === 'bash')
        .flatMap(({ text }) => [...text.matchAll(/^(?:npm run maso -- |maso )(.*)$/gm)])
        .map(([, command = '']) => ({ document, command })),
    );
    expect(typed.length).toBeGreaterThan(5);
    const exists = (command: string): boolean =>
      known.some((name) => command === name || command.startsWith(`${name} `));
    expect(typed.filter(({ command }) => !exists(command))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

  test('lists every folder of src with the level that the architecture test enforces', () => {
    const enforced = readFileSync(join(root, 'test/architecture.test.ts'), 'utf8');
    const block = /const levels[^=]*= \{([^}]*)\}/.exec(enforced)?.[1] ?? '';
    const levels = [...block.matchAll(/^\s*(\w+): ([\d.]+),/gm)].map(([, name, level]) => [name, level]);
    const listed = [...text.matchAll(/^\| `src\/(\w+)` \| ([\d.]+) \|/gm)].map(([, name, level]) => [name, level]);
    expect(levels.length).toBeGreaterThan(10);
    expect(sorted(listed)).toEqual(sorted(levels));
  });

  test('names every port that the folders declare, and nothing that is gone', () => {
    const listed = [...text.matchAll(/^\| `(\w+)`[^|]*\| `(src\/[^`]+)` \| /gm)];
    const gone = listed.filter(([, port, file]) => {
      const source = readFileSync(join(root, file ?? ''), 'utf8');
      return !new RegExp(`export (interface|type|const) ${port}\\b`).test(source);
    });
    expect(listed.length).toBeGreaterThan(10);
    expect(gone.map(([line]) => line)).toEqual([]);
  });
});

/** Upper-case names in documents that look like codes and are not. */
const environmentNames: ReadonlySet<string> = new Set([]);

/** Code literals outside the tables: code -> files, comments and tests left out. */
function codesInSource(prefixes: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const file of filesUnder('src')) {
    if (!file.endsWith('.ts') || isOnlyForTests(file) || file.endsWith('/codes.ts')) continue;
    for (const code of literalsOf(file)) {
      if (!prefixes.has(code.split('_')[0] ?? '')) continue;
      found.set(code, [...(found.get(code) ?? []), file]);
    }
  }
  return found;
}

function literalsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '');
  return [...text.matchAll(/['"`]([A-Z]+(?:_[A-Z0-9]+)+)(?=['"`:])/g)].map(([, code = '']) => code);
}

function isOnlyForTests(file: string): boolean {
  return /\.test\.ts$|\.suite\.ts$|-laws\.ts$|-fixture\.ts$|-memory\.ts$/.test(file);
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder)).flatMap((entry) => {
    const path = `${folder}/${entry}`;
    return statSync(join(root, path)).isDirectory() ? filesUnder(path) : [path];
  });
}

function sorted(rows: readonly (readonly unknown[])[]): readonly string[] {
  return rows.map((row) => row.join(' ')).sort();
}

test('every decision has a number of its own, the same in its name and its title', () => {
  const directory = join(root, 'docs', 'adr');
  const files = readdirSync(directory).toSorted();
  const numbers = files.map((file) => Number(file.slice(0, 4)));
  // Numbers are handed out before they are written, so one may be missing for a while.
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  for (const file of files) {
    const [title = ''] = readFileSync(join(directory, file), 'utf8').split('\n');
    expect(title.startsWith(`# ${Number(file.slice(0, 4))}. `), file).toBe(true);
  }
});
