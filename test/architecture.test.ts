// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** A file imports its own folder and folders of a smaller number. `sdk` is what agents load. */
const levels: { readonly [folder: string]: number } = {
  message: 0,
  verifier: 0,
  witness: 1,
  review: 0.5,
  label: 1,
  text: 1,
  identity: 1,
  mesh: 2,
  recorder: 2,
  scanner: 3,
  firewall: 3,
  contagion: 3,
  policy: 3,
  mandate: 3,
  bounds: 3,
  intent: 3,
  judge: 3,
  oversight: 3,
  pace: 3,
  anomaly: 3,
  protection: 3,
  exporter: 3,
  knowledge: 3.5,
  wire: 4,
  tool: 4,
  sidecar: 5,
  bus: 5,
  control: 5,
  console: 5,
  observer: 5.5,
  adapters: 6,
  process: 7,
  simulation: 7.5,
  cli: 8,
  sdk: 8,
};

const effectFolders = new Set(['adapters', 'process', 'cli', 'sdk']);
/** `performance.now` measures how long a control took; it decides nothing. */
const effects =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|fetch\(|process\.env|randomBytes|randomUUID|generateKeyPair)/;
const effectModules = /^node:(fs|net|tls|http|https|dns|dgram|child_process|worker_threads|os|readline|sqlite)/;

/** The parts of the verifier that run under Node.js only; a page of a browser takes the rest. */
const verifierEffects = new Set(['src/verifier/directory.ts', 'src/verifier/maso-verify.ts']);

const root = join(import.meta.dirname, '..');
const sources = filesUnder(join(root, 'src')).filter((file) => file.endsWith('.ts'));
const shipped = sources.filter(
  (file) => !/\.test\.ts$|\.suite\.ts$|-laws\.ts$|-fixture\.ts$|-memory\.ts$/.test(file),
);

describe('levels', () => {
  test('every folder of src has one, and nothing else stands there', () => {
    const folders = readdirSync(join(root, 'src')).filter((name) => name !== 'index.ts');
    expect(folders.filter((folder) => !(folder in levels))).toEqual([]);
  });

  test('a file imports its own folder and lower levels only', () => {
    const upward = shipped.flatMap((file) =>
      importsOf(file).flatMap((imported) => {
        if (!imported.startsWith('.')) return [];
        const target = folderOf(join(dirname(file), imported));
        const own = folderOf(file);
        if (own === '' || own === target) return [];
        return (levels[target] ?? 99) < (levels[own] ?? -1) ? [] : [`${name(file)} -> ${imported}`];
      }),
    );
    expect(upward).toEqual([]);
  });

  test('the verifier imports nothing of what it verifies, and no package', () => {
    const foreign = shipped
      .filter((file) => folderOf(file) === 'verifier')
      .flatMap((file) =>
        importsOf(file)
          .filter((imported) => !imported.startsWith('./'))
          .filter((imported) => !(verifierEffects.has(name(file)) && imported.startsWith('node:')))
          .map((imported) => `${name(file)} -> ${imported}`),
      );
    expect(foreign).toEqual([]);
  });

  test('sidecar and bus never import each other, and only wiring imports adapters', () => {
    const wrong = shipped.filter((file) => {
      const own = folderOf(file);
      return importsOf(file).some((imported) => {
        const target = folderOf(join(dirname(file), imported));
        if (own === 'sidecar') return target === 'bus';
        if (own === 'bus') return target === 'sidecar';
        return false;
      });
    });
    expect(wrong.map(name)).toEqual([]);
  });

  test('there is no cycle of imports', () => {
    expect(cyclesAmong(shipped)).toEqual([]);
  });
});

describe('effects', () => {
  test('clock, randomness, timers, environment and sockets stay in adapters and wiring', () => {
    const found = shipped
      .filter((file) => !effectFolders.has(folderOf(file)) && !verifierEffects.has(name(file)))
      .flatMap((file) => {
        const text = withoutComments(readFileSync(file, 'utf8'));
        const used = effects.exec(text)?.[0];
        const modules = importsOf(file).filter((imported) => effectModules.test(imported));
        return [...(used === undefined ? [] : [used]), ...modules].map(
          (effect) => `${name(file)}: ${effect}`,
        );
      });
    expect(found).toEqual([]);
  });

  test('folders are made with those above them in one place, where that ends below /proc too', () => {
    const makers = shipped.filter((file) => /\bmkdir(?:Sync)?\([^;]*recursive/.test(readFileSync(file, 'utf8')));
    expect(makers.map(name)).toEqual([]);
  });

  test('only the gate calls a tool, and only sidecar/inbound, its actions and their undoing admit', () => {
    const callers = shipped.filter((file) => /\brunner\.call\(/.test(readFileSync(file, 'utf8')));
    expect(callers.map(name)).toEqual(['src/tool/gate.ts']);
    const admitting = shipped.filter((file) => /\badmission\.admit\(/.test(readFileSync(file, 'utf8')));
    expect(admitting.map(name)).toEqual(['src/sidecar/action.ts', 'src/sidecar/inbound.ts', 'src/sidecar/undo-call.ts']);
  });
});

describe('size and shape', () => {
  test('no file has more than 400 lines', () => {
    const long = sources.filter((file) => linesOf(file).length > 401);
    expect(long.map(name)).toEqual([]);
  });

  test('no function has more than 70 lines', () => {
    expect(shipped.flatMap(longFunctions)).toEqual([]);
  });

  test('every file starts with its licence', () => {
    const bare = sources.filter((file) => !linesOf(file).slice(0, 2).some((line) => line.includes('SPDX-License-Identifier')));
    expect(bare.map(name)).toEqual([]);
  });

  test('no drawer, no cast to an admitted request, no default export', () => {
    const drawers = sources.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.|\/|-)/.test(name(file)));
    const cast = shipped.filter((file) => /as Admitted/.test(readFileSync(file, 'utf8')));
    const defaults = shipped.filter((file) => /^export default/m.test(readFileSync(file, 'utf8')));
    expect([...drawers, ...cast, ...defaults].map(name)).toEqual([]);
  });

  test('the agent\'s own import closure holds no key handling of another process', () => {
    const closure = closureOf(join(root, 'src/sdk/join-mesh.ts')).map(name);
    expect(closure).toEqual([
      'src/sdk/change-workflow.ts', 'src/sdk/join-mesh.ts', 'src/sdk/knowledge.ts', 'src/sdk/sidecar-http.ts',
    ]);
  });

  test('the sidecar\'s closure holds neither the authority nor the recorder\'s key', () => {
    const closure = closureOf(join(root, 'src/process/sidecar.ts')).map(name);
    const foreign = /authority-builtin|node-recorder|record-log|src\/bus\/(?!codes)/;
    expect(closure.filter((file) => foreign.test(file))).toEqual([]);
  });
});

describe('documents', () => {
  test('every path that a document names exists', () => {
    const documents = [
      ...readdirSync(root).filter((file) => file.endsWith('.md')).map((file) => join(root, file)),
      ...filesUnder(join(root, 'docs')).filter((file) => file.endsWith('.md')),
    ];
    const missing = documents.flatMap((document) =>
      pathsIn(readFileSync(document, 'utf8'))
        .filter((path) => !existsSync(join(root, path)) && !existsSync(join(dirname(document), path)))
        .map((path) => `${name(document)}: ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

function filesUnder(directory: string): string[] {
  return readdirSync(directory).flatMap((entry) => {
    const path = join(directory, entry);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

function importsOf(file: string): readonly string[] {
  const text = withoutComments(readFileSync(file, 'utf8'));
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|import\s*\(?\s*'([^']+)'/g);
  return [...found].map((match) => match[1] ?? match[2] ?? '');
}

/** Imports that exist at run time: types are erased. */
function valueImportsOf(file: string): readonly string[] {
  const text = withoutComments(readFileSync(file, 'utf8')).replace(/import type [^;]+;|export type \{[^;]+;/g, '');
  const found = text.matchAll(/(?:import|export)\b[^'";]*?from\s*'([^']+)'|import\s*\(?\s*'([^']+)'/g);
  return [...found].map((match) => match[1] ?? match[2] ?? '').filter((path) => path.startsWith('.'));
}

function closureOf(entry: string): readonly string[] {
  const seen = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const imported of valueImportsOf(file)) pending.push(join(dirname(file), imported));
  }
  return [...seen].sort();
}

function cyclesAmong(files: readonly string[]): readonly string[] {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].map(name).join(' -> '));
      return;
    }
    state.set(file, 'open');
    for (const imported of valueImportsOf(file)) visit(join(dirname(file), imported), [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  return cycles;
}

function longFunctions(file: string): readonly string[] {
  const lines = linesOf(file);
  const found: string[] = [];
  lines.forEach((line, start) => {
    const opens = /^(\s*)(?:export )?(?:async )?(?:static )?(?:async )?(?:function\b|#?[a-zA-Z]+\([^)]*\)[^;]*\{$)/.exec(line);
    if (opens === null || /^\s*(if|for|while|switch|return|await)\b/.test(line)) return;
    const indent = opens[1] ?? '';
    const end = lines.findIndex((other, index) => index > start && other.startsWith(`${indent}}`));
    if (end - start > 70) found.push(`${name(file)}:${start + 1} has ${end - start} lines`);
  });
  return found;
}

function pathsIn(text: string): readonly string[] {
  const found = text.matchAll(/`((?:src|test|docs|bench|examples|scripts|schema)\/[A-Za-z0-9_./-]+)`|\]\((?!https?:|#)([^)#\s]+)/g);
  return [...found].map((match) => match[1] ?? match[2] ?? '').filter((path) => path !== '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n');
}

function folderOf(file: string): string {
  const path = relative(join(root, 'src'), file);
  return path.includes('/') ? (path.split('/')[0] ?? '') : '';
}

function name(file: string): string {
  return relative(root, file);
}
