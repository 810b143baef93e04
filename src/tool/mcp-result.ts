// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import type { JsonValue } from '../message/json.ts';
import type { ToolAnswer } from './tool-runner.ts';

/**
 * Reads the result of an MCP `tools/call`. `structuredContent` is the value where there is one;
 * otherwise the value is `{ content: [...] }` with the text blocks as they are, which no manifest
 * needs to trust. Images and sound are named and left out: no control of this build reads them.
 *
 * An error result of a read is `failed`. Of a write it is `unknown`: MCP servers answer the same
 * way whether they declined, failed half way or failed after the effect, and so do their JSON-RPC
 * errors (a server also answers "invalid params" when its own output did not validate). A tool that
 * can decline a write says so in its structured content.
 */
export function readMcpResult(result: unknown, write: boolean): ToolAnswer {
  const failed = write ? 'unknown' : 'failed';
  if (!isJsonObject(result)) return { status: failed, reason: 'TOOL_PROTOCOL' };
  if (result['isError'] !== undefined && result['isError'] !== false) {
    return { status: failed, reason: 'TOOL_ANSWERED_ERROR' };
  }
  const structured = result['structuredContent'];
  if (structured !== undefined) return { status: 'done', value: structured };
  const content = result['content'];
  if (!Array.isArray(content)) return { status: failed, reason: 'TOOL_PROTOCOL' };
  return { status: 'done', value: { content: content.map(readBlock) } };
}

/**
 * The JSON value of a result that is one block of JSON text, for operations whose result must match
 * a schema. Anything else is returned as it is, and the schema refuses it.
 */
export function valueForSchema(value: JsonValue): JsonValue {
  if (!isJsonObject(value) || !Array.isArray(value['content'])) return value;
  const blocks: readonly JsonValue[] = value['content'];
  const [block] = blocks;
  if (blocks.length !== 1 || Object.keys(value).length !== 1 || !isJsonObject(block)) return value;
  if (block['type'] !== 'text' || typeof block['text'] !== 'string') return value;
  try {
    const parsed: JsonValue = JSON.parse(block['text']);
    return parsed;
  } catch {
    // Prose stays prose: the schema check that follows refuses it.
    return value;
  }
}

function readBlock(block: JsonValue): JsonValue {
  if (!isJsonObject(block)) return { type: 'unknown' };
  if (block['type'] === 'text') return { type: 'text', text: block['text'] ?? '' };
  const resource = block['resource'];
  const text = isJsonObject(resource) ? resource['text'] : undefined;
  if (block['type'] === 'resource' && typeof text === 'string') return { type: 'resource', text };
  return { type: typeof block['type'] === 'string' ? block['type'].slice(0, 32) : 'unknown' };
}
