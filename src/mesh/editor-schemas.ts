// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { judgeSpecShape } from './judge-spec-file.ts';
import { meshFileShape } from './mesh-file.ts';
import { oispecFileShape } from './oispec-file.ts';
import { workflowFileShape } from './workflow-file.ts';

type EditorSchema = { readonly file: string; readonly title: string; readonly shape: z.ZodType };

const shapes: readonly EditorSchema[] = [
  { file: 'security_mesh.json', title: 'maso mesh file', shape: meshFileShape },
  { file: 'oispec.json', title: 'maso agent OISpec', shape: oispecFileShape },
  { file: 'judge.json', title: 'maso judge OISpec', shape: judgeSpecShape },
  { file: 'workflow.json', title: 'maso workflow OISpec', shape: workflowFileShape },
];

/** File name -> text of the JSON Schemas (draft 2020-12) that editors use for completion. */
export function editorSchemas(): ReadonlyMap<string, string> {
  return new Map(shapes.map(({ file, title, shape }) => [file, editorSchema(title, shape)]));
}

/** A shape as the text of a JSON Schema for what people write, before defaults are filled in. */
export function editorSchema(title: string, shape: z.ZodType): string {
  const { $schema, ...schema } = z.toJSONSchema(shape, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ $schema, title, ...schema }, null, 2)}\n`;
}
