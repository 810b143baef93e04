// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { relative, resolve } from 'node:path';
import type { z } from 'zod';
import { canonicalize } from '../message/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { MeshCode } from './codes.ts';
import type { MeshBundle } from './mesh.ts';
import { diagnostic, type Diagnostic, type Position, type Severity } from './diagnostic.ts';
import { compileJsonSchema } from './json-schema.ts';
import { parseYaml, sourceCharactersMax, type Path, type YamlSource } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

/**
 * Reads a whole text file by absolute path. Returns null when there is no such file; throws when it
 * cannot be read or is larger than `sourceCharactersMax`.
 */
export type ReadFile = (path: string) => string | null;

/** One entry of a section whose shape is right. */
export type Entry<Value> = {
  readonly name: string;
  readonly path: Path;
  readonly value: Value;
};

/** Where a JSON Schema was written: in the mesh file, or in a file of its own. */
type SchemaPlace = { readonly source: YamlSource; readonly base: Path };

/** The work in progress of one load: what was read, where it stands, and what is wrong with it. */
export class Loading {
  readonly source: YamlSource;
  readonly directory: string;
  readonly diagnostics: Diagnostic[] = [];
  readonly #readFile: ReadFile;
  readonly #texts = new Map<string, string>();
  readonly #schemaPlaces = new Map<JsonObject, SchemaPlace>();
  readonly #oispecs = new Map<string, YamlSource>();
  /** Names of a section, with those of entries that are themselves broken. */
  readonly #declared = new Map<string, Set<string>>();

  constructor(source: YamlSource, directory: string, text: string, readFile: ReadFile) {
    this.source = source;
    this.directory = directory;
    this.#readFile = readFile;
    this.#texts.set(source.file, text);
  }

  report(code: MeshCode, path: Path, message?: string, mend?: string): void {
    this.add(code, 'error', this.source.at(path), message, mend);
  }

  reportKey(code: MeshCode, path: Path, message?: string, mend?: string): void {
    this.add(code, 'error', this.source.atKey(path), message, mend);
  }

  add(code: MeshCode, severity: Severity, at: Position, message?: string, mend?: string): void {
    this.diagnostics.push(diagnostic(code, severity, at, message, mend));
  }

  /** Parses a map section entry by entry, so that one broken entry hides nothing else. */
  entries<Value>(
    section: string,
    raw: { readonly [name: string]: unknown },
    shape: z.ZodType<Value>,
    nameShape: z.ZodType<string>,
  ): Entry<Value>[] {
    const parsed: Entry<Value>[] = [];
    this.#declared.set(section, new Set(Object.keys(raw)));
    for (const [name, value] of Object.entries(raw)) {
      const path: Path = ['security_mesh', section, name];
      if (!nameShape.safeParse(name).success) this.reportKey('MESH_NAME_INVALID', path);
      const result = parseShape(shape, this.source, path, value);
      if (result.ok) parsed.push({ name, path, value: result.value });
      else this.diagnostics.push(...result.diagnostics);
    }
    return parsed;
  }

  /** Parses a list section item by item; `name` is the item's own `name` or `id`, or empty. */
  items<Value>(
    path: Path,
    raw: readonly unknown[],
    shape: z.ZodType<Value>,
  ): Entry<Value>[] {
    const parsed: Entry<Value>[] = [];
    const section = String(path.at(-1));
    const declared = new Set<string>();
    this.#declared.set(section, declared);
    for (const [index, value] of raw.entries()) {
      const itemPath: Path = [...path, index];
      const name = itemName(value);
      if (name !== '') {
        if (declared.has(name)) this.report('MESH_NAME_DUPLICATE', itemPath);
        declared.add(name);
      }
      const result = parseShape(shape, this.source, itemPath, value);
      if (result.ok) parsed.push({ name, path: itemPath, value: result.value });
      else this.diagnostics.push(...result.diagnostics);
    }
    return parsed;
  }

  declare(section: string, name: string): void {
    const names = this.#declared.get(section) ?? new Set<string>();
    this.#declared.set(section, names.add(name));
  }

  declared(section: string): ReadonlySet<string> {
    return this.#declared.get(section) ?? new Set();
  }

  absolute(path: string): string {
    return resolve(this.directory, path);
  }

  /** The text of a file that the mesh file names at `path`; a missing file is a diagnostic. */
  text(file: string, path: Path): string | null {
    const absolute = this.absolute(file);
    const known = this.#texts.get(absolute);
    if (known !== undefined) return known;
    const text = this.#read(absolute, path);
    if (text === null) return null;
    this.#texts.set(absolute, text);
    return text;
  }

  #read(absolute: string, path: Path): string | null {
    try {
      const text = this.#readFile(absolute);
      if (text === null) this.report('MESH_FILE_MISSING', path);
      else if (!(text.length <= sourceCharactersMax)) this.report('MESH_FILE_TOO_LARGE', path);
      else return text;
    } catch {
      this.report('MESH_FILE_UNREADABLE', path);
    }
    return null;
  }

  /** A file beside the mesh file that may be absent. */
  optionalText(file: string): string | null {
    const absolute = this.absolute(file);
    try {
      const text = this.#readFile(absolute);
      if (text !== null) this.#texts.set(absolute, text);
      return text;
    } catch {
      this.add('MESH_FILE_UNREADABLE', 'error', { file: absolute, line: 1, column: 1 });
      return null;
    }
  }

  /** A named file as parsed YAML or JSON; its syntax errors carry its own name. */
  file(file: string, path: Path): YamlSource | null {
    const text = this.text(file, path);
    return text === null ? null : this.parse(this.absolute(file), text);
  }

  parse(absolute: string, text: string): YamlSource | null {
    const parsed = parseYaml(absolute, text);
    if (parsed.ok) return parsed.source;
    this.diagnostics.push(...parsed.diagnostics);
    return null;
  }

  /** A JSON Schema given inline or as a file, compiled once to show that it can be. */
  schema(given: string | { readonly [keyword: string]: unknown }, path: Path): JsonObject | null {
    const source = typeof given === 'string' ? this.file(given, path) : this.source;
    if (source === null) return null;
    const base = typeof given === 'string' ? [] : path;
    const schema = asJsonObject(typeof given === 'string' ? source.value : given);
    if (schema === null) {
      this.add('MESH_SCHEMA_INVALID', 'error', source.at(base), 'A JSON Schema is an object.');
      return null;
    }
    const compiled = compileJsonSchema(schema);
    if (!compiled.ok) {
      const at = source.at([...base, ...compiled.path]);
      this.add('MESH_SCHEMA_INVALID', 'error', at, compiled.reason);
      return null;
    }
    this.#schemaPlaces.set(schema, { source, base });
    return schema;
  }

  /** Position of a part of a schema that `schema` returned. */
  inSchema(schema: JsonObject, pointer: Path): Position {
    const place = this.#schemaPlaces.get(schema);
    if (place === undefined) return this.source.at(['security_mesh']);
    return place.source.at([...place.base, ...pointer]);
  }

  noteOISpec(agent: string, source: YamlSource): void {
    this.#oispecs.set(agent, source);
  }

  /** Position in the OISpec of an agent, or null when it has none that could be read. */
  inOISpec(agent: string, path: Path): Position | null {
    return this.#oispecs.get(agent)?.at(path) ?? null;
  }

  /** SHA-256 (base64url) over every file read, by its path relative to the mesh file. */
  digest(): string {
    const files = Object.entries(this.bundle().texts)
      .map(([file, text]): [string, string] => [file, sha256(text)]);
    return sha256(canonicalize(Object.fromEntries(files)));
  }

  /** Every file read, as it was read. */
  bundle(): MeshBundle {
    const texts = [...this.#texts].map(([file, text]): [string, string] => [
      relative(this.directory, file), text,
    ]);
    return { file: relative(this.directory, this.source.file), texts: Object.fromEntries(texts) };
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** The value as a JSON object, or null for anything that JSON cannot hold. */
export function asJsonObject(value: unknown): JsonObject | null {
  if (!isJsonObject(value)) return null;
  try {
    // The parser of a configuration text: what survives canonicalisation is JSON.
    return JSON.parse(canonicalize(value)) as JsonObject & JsonValue;
  } catch {
    // NaN, infinities and other things that YAML has and JSON has not: not a JSON object.
    return null;
  }
}

function itemName(value: unknown): string {
  if (!isJsonObject(value)) return '';
  const own = value['name'] ?? value['id'];
  return typeof own === 'string' ? own : '';
}
