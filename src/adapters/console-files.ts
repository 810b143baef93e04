// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyReply } from 'fastify';

const types: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/**
 * The built pages, read once. Only what stood in the folder at the start is served, by its whole
 * path, so no path of a request reaches the disk. Every other path is a view of the one page.
 */
export class ConsoleFiles {
  readonly #files = new Map<string, { readonly bytes: Buffer; readonly type: string }>();

  constructor(folder: string) {
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = types[extname(file.name)];
      if (!file.isFile() || type === undefined) continue;
      const path = join(file.parentPath, file.name);
      this.#files.set(path.slice(folder.length).replaceAll('\\', '/'), {
        bytes: readFileSync(path), type,
      });
    }
  }

  send(url: string, reply: FastifyReply): FastifyReply {
    const [path = ''] = url.split('?');
    const found = this.#files.get(path);
    const isAsset = path.startsWith('/assets/');
    const file = found ?? (isAsset ? undefined : this.#files.get('/index.html'));
    if (file === undefined) return reply.code(404).send({ code: 'CONSOLE_UNKNOWN' });
    // Names of assets hold a hash of what they are.
    reply.header('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-store');
    return reply.type(file.type).send(file.bytes);
  }
}
