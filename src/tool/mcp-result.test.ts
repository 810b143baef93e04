// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { readMcpResult, valueForSchema } from './mcp-result.ts';

describe('an MCP result', () => {
  test('leaves a failed write in doubt and a failed read failed', () => {
    const error = { isError: true, content: [{ type: 'text', text: 'not found' }] };
    expect(readMcpResult(error, true)).toEqual(
      { status: 'unknown', reason: 'TOOL_ANSWERED_ERROR' },
    );
    expect(readMcpResult(error, false)).toEqual(
      { status: 'failed', reason: 'TOOL_ANSWERED_ERROR' },
    );
  });

  test.each([[null], ['text'], [{}], [{ content: 'text' }]])('refuses %j', (result) => {
    expect(readMcpResult(result, true)).toEqual({ status: 'unknown', reason: 'TOOL_PROTOCOL' });
    expect(readMcpResult(result, false)).toEqual({ status: 'failed', reason: 'TOOL_PROTOCOL' });
  });

  test('prefers structured content', () => {
    const result = {
      structuredContent: { status: 'paid' },
      content: [{ type: 'text', text: 'no' }],
    };
    expect(readMcpResult(result, true)).toEqual({ status: 'done', value: { status: 'paid' } });
  });

  test('keeps text as text and leaves out what no control reads', () => {
    const content = [
      { type: 'text', text: '{"status":"paid"}' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'file:///x', text: 'hi' } },
      { type: 'resource', resource: { uri: 'file:///x', blob: 'AAAA' } },
      7,
    ];
    expect(readMcpResult({ content }, false)).toEqual({
      status: 'done',
      value: {
        content: [
          { type: 'text', text: '{"status":"paid"}' },
          { type: 'image' },
          { type: 'resource', text: 'hi' },
          { type: 'resource' },
          { type: 'unknown' },
        ],
      },
    });
  });

  test('is parsed for a schema only when it is one block of JSON text', () => {
    const block = (text: string) => ({ type: 'text', text });
    expect(valueForSchema({ content: [block('{"a":1}')] })).toEqual({ a: 1 });
    const prose = { content: [block('the invoice is paid')] };
    expect(valueForSchema(prose)).toBe(prose);
    const two = { content: [block('{"a":1}'), block('{"a":1}')] };
    expect(valueForSchema(two)).toBe(two);
    const more = { content: [block('{"a":1}')], a: 2 };
    expect(valueForSchema(more)).toBe(more);
  });
});
