// SPDX-License-Identifier: Apache-2.0
import { ocsfEvent } from '../exporter/ocsf.ts';
import type { Delivery, ExportedEntry, Exporter } from '../recorder/exporter.ts';
import { HttpPoster, type PostTarget } from './export-http.ts';

/** OCSF events as one JSON list per request; a 2xx confirms all of them. */
export class SiemHttpExporter implements Exporter {
  readonly batchEntriesMax = 500;
  readonly #poster: HttpPoster;

  constructor(target: PostTarget) {
    this.#poster = new HttpPoster(target);
  }

  async deliver(entries: readonly ExportedEntry[], signal: AbortSignal): Promise<Delivery> {
    const body = Buffer.from(JSON.stringify(entries.map(ocsfEvent)));
    const posted = await this.#poster.post('', body, signal);
    return posted.ok ? { ok: true, rejected: 0 } : posted;
  }

  async close(): Promise<void> {
    this.#poster.close();
  }
}
