// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { buildProgram } from '../src/cli/program.ts';
import { meshFileShape } from '../src/mesh/mesh-file.ts';
import { failureModes } from '../src/pace/modes.ts';
import { codeTables } from '../src/process/codes.ts';
import { openApiDocument } from '../src/sidecar/openapi.ts';
import { z } from 'zod';
import { meshKeys } from './mesh-file-meanings.ts';

/**
 * Documents that are made from the code: path from the repository's root -> text. Run this file to
 * write them; a test compares them with what is committed.
 */
export async function generatedDocuments(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/errors.md', errors()],
    ['docs/reference/cli.md', await cli()],
    ['docs/reference/mesh-file.md', meshFile()],
    ['docs/reference/agent-api.md', agentApi()],
    ['docs/reference/failure-modes.md', failureModesPage()],
  ]);
}

/** Every key of the mesh file's shape as a path: `agents.*.role`, `edges[].from`. */
export function meshKeyPaths(): ReadonlyMap<string, JsonSchema> {
  const shape: unknown = z.toJSONSchema(meshFileShape, { io: 'input', target: 'draft-2020-12' });
  const found = new Map<string, JsonSchema>();
  const root = isSchema(shape) ? shape.properties?.['security_mesh'] : undefined;
  collectKeys(root ?? {}, '', found);
  return found;
}

export type JsonSchema = {
  readonly type?: unknown;
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly additionalProperties?: unknown;
  readonly items?: unknown;
  readonly anyOf?: unknown;
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly required?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly description?: unknown;
  readonly requestBody?: unknown;
};

/** Section of the keys that stand directly under `security_mesh`. */
const topLevel = 'security_mesh';

const generatedBy = (source: string): string =>
  `<!-- Made by scripts/generate-docs.ts from ${source}. Do not edit by hand. -->\n`;

const agentMeanings: readonly (readonly [code: string, means: string])[] = [
  ['REFUSED', 'The mesh does not allow it. Asking again does not help.'],
  ['INVALID', 'The request or its payload does not have the published shape.'],
  ['HELD', 'No decision yet: it waits for a person, or is still running.'],
  ['UNAVAILABLE', 'Something that has to answer first is away. It may work later.'],
  ['RATE_LIMITED', 'Too much at once.'],
  ['IN_DOUBT', 'The tool was called and nobody knows how it ended. It is not called again.'],
  ['SESSION_ENDED', 'The session is over. A new process with a new token starts a new one.'],
];

function failureModesPage(): string {
  return [
    '# Failure modes',
    '',
    generatedBy('`src/pace/modes.ts`'),
    'What each control does when it cannot do its work. None fails open. `maso pace modes` lists them.',
    '',
    '| control | fails when | safe state | code | goes on meanwhile |',
    '|---|---|---|---|---|',
    ...failureModes.map(({ control, fails, safeState, code, keeps }) =>
      `| ${control} | ${cell(fails)} | ${cell(safeState)} | ${code === null ? '' : `\`${code}\``} | ${cell(keeps)} |`),
    '',
  ].join('\n');
}

function errors(): string {
  const intro = [
    '# Codes',
    '',
    generatedBy('the tables that `src/process/codes.ts` joins'),
    'Every refusal and every fault has one code from a closed table. Operators see the code in the',
    'decision trace, in `maso check` and on the command line. Agents see only the coarse code in the',
    'third column, so that a refusal does not teach an attacker which rule fired.',
    '',
    '| an agent sees | it means |',
    '|---|---|',
    ...agentMeanings.map(([code, means]) => `| \`${code}\` | ${means} |`),
    '',
  ];
  const tables = Object.entries(codeTables).flatMap(([folder, table]) => [
    `## ${folder}`,
    '',
    `From \`src/${folder}/codes.ts\`.`,
    '',
    '| code | means | agent sees | mend |',
    '|---|---|---|---|',
    ...Object.entries(table).map(
      ([code, { means, mend, agentSees }]) =>
        `| \`${code}\` | ${cell(means)} | \`${agentSees}\` | ${cell(mend)} |`,
    ),
    '',
  ]);
  return [...intro, ...tables].join('\n');
}

async function cli(): Promise<string> {
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), err: () => undefined, directory: '.' };
  const program = await buildProgram(io, () => undefined);
  const sections = commandsOf(program, []).flatMap(({ command, path }) => {
    lines.length = 0;
    command.configureOutput({ getOutHelpWidth: () => 92, getOutHasColors: () => false });
    command.outputHelp();
    return [`## ${path.join(' ')}`, '', '```text', lines.join('\n').trim(), '```', ''];
  });
  return [
    '# Command line',
    '',
    generatedBy('the commands of `src/cli/program.ts`'),
    'In a clone, `npm run maso -- COMMAND` runs what is written `maso COMMAND` here.',
    'Exit codes: 0 done, 1 a finding, a refusal or a failure, 2 wrong usage.',
    '',
    ...sections,
  ].join('\n');
}

type Listed = { readonly command: Command; readonly path: readonly string[] };

function commandsOf(command: Command, above: readonly string[]): readonly Listed[] {
  const path = [...above, command.name()];
  const below = command.commands.flatMap((child) => commandsOf(child, path));
  return [{ command, path }, ...below];
}

function meshFile(): string {
  const keys = meshKeyPaths();
  const sections = new Map<string, string[]>();
  for (const [path, schema] of keys) {
    const top = path.split(/[.[]/)[0] ?? '';
    const section = hasKeysBelow(top, keys) ? top : topLevel;
    const rows = sections.get(section) ?? [];
    sections.set(section, rows);
    if (path === section) continue;
    const required = isRequired(path, keys) ? '**required**' : valueText(schema.default);
    rows.push(`| \`${path}\` | ${typeOf(schema)} | ${required} | ${meshKeys[path] ?? ''} |`);
  }
  return [
    '# The mesh file',
    '',
    generatedBy('`src/mesh/mesh-file.ts` and `scripts/mesh-file-meanings.ts`'),
    'One YAML file under the key `security_mesh` says who may do what. Unknown keys are errors;',
    '`maso check FILE` reports each mistake with line, column and mend. Paths are relative to the',
    'folder of the mesh file; `*` stands for a name that you choose, `[]` for an item of a list.',
    'Editors complete and check it with `schema/security_mesh.json`; an OISpec with',
    '`schema/oispec.json`.',
    '',
    ...[...sections].flatMap(([section, rows]) => [
      `## ${section}`,
      '',
      meshKeys[section] ?? 'Keys directly under `security_mesh`.',
      '',
      '| key | type | default | meaning |',
      '|---|---|---|---|',
      ...rows,
      '',
    ]),
  ].join('\n');
}

function collectKeys(schema: JsonSchema, path: string, found: Map<string, JsonSchema>): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const here = path === '' ? name : `${path}.${name}`;
    found.set(here, { ...property, required: includes(schema.required, name) });
    collectKeys(property, here, found);
  }
  if (isSchema(schema.additionalProperties)) {
    collectKeys(schema.additionalProperties, `${path}.*`, found);
  }
  if (isSchema(schema.items)) collectKeys(schema.items, `${path}[]`, found);
  if (!Array.isArray(schema.anyOf)) return;
  for (const choice of schema.anyOf) if (isSchema(choice)) collectKeys(choice, path, found);
}

function hasKeysBelow(section: string, keys: ReadonlyMap<string, JsonSchema>): boolean {
  return [...keys.keys()].some((key) => key !== section && /^[.[]/.test(key.slice(section.length))
    && key.startsWith(section));
}

function isRequired(path: string, keys: ReadonlyMap<string, JsonSchema>): boolean {
  return keys.get(path)?.required === true;
}

function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (Array.isArray(schema.anyOf)) {
    return [...new Set(schema.anyOf.map((choice) => (isSchema(choice) ? typeOf(choice) : '')))]
      .join(' or ');
  }
  if (schema.type === 'array') {
    return `list of ${isSchema(schema.items) ? typeOf(schema.items) : 'values'}`;
  }
  if (schema.type === 'object') return 'map';
  const { minimum, maximum } = schema;
  const bounded = typeof minimum === 'number' && typeof maximum === 'number' && maximum < 1e9;
  return bounded ? `${String(schema.type)}, ${minimum} to ${maximum}` : String(schema.type);
}

function agentApi(): string {
  const document = openApiDocument();
  const paths = Object.entries(isSchema(Reflect.get(document, 'paths'))
    ? Object(Reflect.get(document, 'paths')) : {});
  const sections = paths.flatMap(([path, methods]) =>
    Object.entries(Object(methods)).flatMap(([method, operation]) =>
      operationLines(`${method.toUpperCase()} ${path}`, Object(operation))));
  return [
    '# The sidecar\'s interface for its agent',
    '',
    generatedBy('`src/sidecar/openapi.ts`'),
    'HTTP/1.1 with JSON on the agent\'s unix socket, or on a loopback port. The running sidecar serves',
    'this as OpenAPI 3.1 at `GET /openapi.json`, and `GET /healthz`; both need no session. Everything',
    'else but `POST /v1/session` needs the header `authorization: Bearer SESSION`. The walk-through',
    'with `curl` is in [Agents in other languages](../guides/agents-in-other-languages.md).',
    '',
    ...sections,
  ].join('\n');
}

type Operation = {
  readonly summary?: string;
  readonly requestBody?: { readonly content?: { readonly [type: string]: { readonly schema?: JsonSchema } } };
  readonly responses?: { readonly [status: string]: { readonly description?: string } };
};

function operationLines(title: string, operation: Operation): readonly string[] {
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  const members = Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const required = includes(schema?.required, name);
    const shown = required ? '**required**' : valueText(property.default);
    return `| \`${name}\` | ${typeOf(property)} | ${shown} |`;
  });
  const table = members.length === 0
    ? []
    : ['| member | type | default |', '|---|---|---|', ...members, ''];
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, { description }]) => `| ${status} | ${cell(description ?? '')} |`,
  );
  return [
    `## ${title}`,
    '',
    operation.summary ?? '',
    '',
    ...table,
    '| status | answer |',
    '|---|---|',
    ...answers,
    '',
  ];
}

function valueText(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}

function includes(list: unknown, name: string): boolean {
  return Array.isArray(list) && list.includes(name);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, '..');
  for (const [path, text] of await generatedDocuments()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
