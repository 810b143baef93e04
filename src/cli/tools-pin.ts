// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../adapters/clock-system.ts';
import { programFiles } from '../adapters/tool-program-files.ts';
import { createToolRunner } from '../adapters/tool-runner-factory.ts';
import { ToolSecrets } from '../adapters/tool-secrets.ts';
import type { Diagnostic } from '../mesh/diagnostic.ts';
import { loadMesh } from '../mesh/load.ts';
import type { ToolManifest, ToolPins } from '../mesh/mesh.ts';
import { pinsFileName } from '../mesh/resolve-tools.ts';
import type { ToolCode } from '../tool/codes.ts';
import type { PinChange } from '../tool/pins.ts';
import { comparePins, pinOperations } from '../tool/pins.ts';
import { ToolError } from '../tool/tool-error.ts';

export type ToolPinResult = {
  readonly tool: string;
  readonly changes: readonly PinChange[];
  /** Why the tool could not be pinned; its old pins stay. */
  readonly code: ToolCode | null;
};

export type PinReport =
  | { readonly outcome: 'mesh-invalid'; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly outcome: 'pinned' | 'unchanged' | 'incomplete' | 'differs';
      readonly pinFile: string;
      readonly tools: readonly ToolPinResult[];
    };

export type PinOptions = {
  readonly meshFile: string;
  /** False compares only, and says `differs` where writing would change something. */
  readonly write: boolean;
  readonly onProgress: (line: string) => void;
};

const startTimeoutMs = 15_000;
const messageBytesMax = 4 * 1024 * 1024;

/**
 * `maso tools pin FILE`: starts each tool once, and writes the hashes of its program files, of its
 * descriptions and of its input schemas beside the mesh file. Whoever commits that file approves
 * what it pins, so the report says what changed. Nothing is written unless every tool could be
 * pinned.
 */
export async function pinTools(options: PinOptions): Promise<PinReport> {
  const meshFile = resolve(options.meshFile);
  const pinFile = pinsFileName(meshFile);
  const text = readFileSync(meshFile, 'utf8');
  const loaded = loadMesh(meshFile, text, (path) =>
    path === pinFile ? anyPins(text) : readOptional(path),
  );
  if (!loaded.ok) return { outcome: 'mesh-invalid', diagnostics: loaded.diagnostics };
  const { mesh } = loaded;
  const approved = readPins(pinFile);
  const pinned: { [tool: string]: ToolPins } = {};
  const tools: ToolPinResult[] = [];
  for (const manifest of mesh.tools.values()) {
    options.onProgress(`starting ${manifest.name}`);
    const before = approved[manifest.name] ?? null;
    try {
      const found = await pinTool(manifest, mesh.directory);
      pinned[manifest.name] = found;
      tools.push({ tool: manifest.name, changes: comparePins(before, found), code: null });
    } catch (failure) {
      const code = failure instanceof ToolError ? failure.code : 'TOOL_START_FAILED';
      tools.push({ tool: manifest.name, changes: [], code });
    }
  }
  const gone = Object.keys(approved).filter((name) => !mesh.tools.has(name));
  return finish(options.write, pinFile, pinned, tools, gone.length > 0);
}

function finish(
  write: boolean,
  pinFile: string,
  pinned: { readonly [tool: string]: ToolPins },
  tools: readonly ToolPinResult[],
  someGone: boolean,
): PinReport {
  if (tools.some((tool) => tool.code !== null)) return { outcome: 'incomplete', pinFile, tools };
  const changed = someGone || tools.some((tool) => tool.changes.length > 0);
  if (!changed) return { outcome: 'unchanged', pinFile, tools };
  if (!write) return { outcome: 'differs', pinFile, tools };
  const unfinished = `${pinFile}.new`;
  writeFileSync(unfinished, `${JSON.stringify({ tools: pinned }, null, 2)}\n`);
  renameSync(unfinished, pinFile);
  return { outcome: 'pinned', pinFile, tools };
}

async function pinTool(manifest: ToolManifest, directory: string): Promise<ToolPins> {
  // Secrets made up for this start: a tool describes itself before it is asked to do anything.
  const secrets = mkdtempSync(join(tmpdir(), 'maso-pin-'));
  const runner = await createToolRunner(manifest, {
    directory,
    clock: systemClock(),
    secrets: new ToolSecrets({ secrets, files: secrets, owner: null }),
    identity: null,
    messageBytesMax,
    startTimeoutMs,
    pins: 'report',
    onIndicator: () => {},
  });
  try {
    const operations = pinOperations(await runner.start());
    return { files: relativeFiles(manifest, directory), operations };
  } finally {
    await runner.close();
    rmSync(secrets, { recursive: true, force: true });
  }
}

function relativeFiles(manifest: ToolManifest, directory: string): ToolPins['files'] {
  const { runner } = manifest;
  if (runner.kind === 'http') return {};
  const command = runner.kind === 'stdio' ? runner.command : [runner.module];
  const files = Object.entries(programFiles(command, directory));
  return Object.fromEntries(files.map(([path, hash]) => [relative(directory, path), hash]));
}

/** Empty pins for every tool, so that the mesh file loads while its pins are being made. */
function anyPins(meshText: string): string {
  const names = toolNames(parse(meshText));
  const tools = Object.fromEntries(names.map((name) => [name, { files: {}, operations: {} }]));
  return JSON.stringify({ tools });
}

function toolNames(file: unknown): readonly string[] {
  const mesh = isRecord(file) ? file['security_mesh'] : null;
  const tools = isRecord(mesh) ? mesh['tools'] : null;
  return isRecord(tools) ? Object.keys(tools) : [];
}

/** What is approved today; a pin file that cannot be read approves nothing. */
function readPins(pinFile: string): { readonly [tool: string]: ToolPins } {
  const text = readOptional(pinFile);
  if (text === null) return {};
  const file: unknown = JSON.parse(text);
  const tools = isRecord(file) && isRecord(file['tools']) ? file['tools'] : {};
  return Object.fromEntries(
    Object.entries(tools).map(([name, pins]) => {
      const found = isRecord(pins) ? pins : {};
      return [name, { files: hashes(found['files']), operations: hashes(found['operations']) }];
    }),
  );
}

function hashes(value: unknown): { readonly [name: string]: string } {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(
      ([name, hash]) => (typeof hash === 'string' ? [[name, hash]] : []),
    ),
  );
}

function readOptional(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'ENOENT') return null;
    throw failure;
  }
}

function isRecord(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
