// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolFunction } from '../adapters/tool-function.ts';

/** Names the folder in which the replay lays each text for the tool to find; set by the replay. */
export const textsVariable = 'MASO_REPLAY_TEXTS';

export function textFile(directory: string, number: number): string {
  return join(directory, `${number}.txt`);
}

/**
 * The tool of `maso replay`: hands one text of the corpus back as its result. The text reaches it
 * beside the mesh, so that it meets the controls as a tool's result and not first as an argument.
 */
export const operations: { readonly [name: string]: ToolFunction } = {
  read: {
    description: 'Reads one text of the corpus.',
    inputSchema: {
      type: 'object',
      required: ['number'],
      additionalProperties: false,
      properties: { number: { type: 'integer', minimum: 1 } },
    },
    run: async ({ number }) => {
      const directory = process.env[textsVariable];
      if (directory === undefined || typeof number !== 'number') throw new Error('No such text.');
      return { text: await readFile(textFile(directory, number), 'utf8') };
    },
  },
};
