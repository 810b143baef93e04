// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import { RecentMap } from './recent-map.ts';

/** Messages and tasks whose domain is remembered; beyond it doubt masks. */
const rememberedMax = 50_000;

/**
 * Which entries are about an exchange in a domain that masks metadata (DESIGN 6.7; seed 003). Most
 * entries name only a message or a task, so what was seen of those before is remembered. Doubt
 * masks: an entry whose domain is not known counts as masked as soon as any domain masks, and a
 * message or task that was masked once stays masked.
 */
export class MaskMemory {
  readonly #mesh: Mesh;
  readonly #anyMasks: boolean;
  readonly #masked = new RecentMap<boolean>(rememberedMax);
  readonly #domains = new RecentMap<string>(rememberedMax);

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
    this.#anyMasks = anyDomainMasks(mesh);
  }

  isMasked(entry: RecordedEntry): boolean {
    if (!this.#anyMasks) return false;
    const { task, message, detail } = entry;
    const domain = this.#mesh.domains.get(String(detail['domain'] ?? ''));
    // Only the node's word counts against a mask: a sidecar that is taken over speaks of others.
    if (domain !== undefined && (domain.metadataMasking || entry.actor === 'node')) {
      const masked = domain.metadataMasking;
      this.#remember(message === null ? null : `m ${message}`, masked);
      this.#remember(task === null ? null : `t ${task}`, masked);
    }
    if (task === null && message === null) return entry.kind === 'message.refused';
    if (domain?.metadataMasking === true) return true;
    const known = [
      ...(message === null ? [] : [this.#masked.get(`m ${message}`)]),
      ...(task === null ? [] : [this.#masked.get(`t ${task}`)]),
    ].filter((masked) => masked !== undefined);
    return known.length === 0 || known.includes(true);
  }

  /** The domain that the node admitted a message in; null where it has not said so. */
  domainOf({ message, actor, detail }: RecordedEntry): string | null {
    if (message === null) return null;
    const said = detail['domain'];
    if (actor === 'node' && typeof said === 'string' && this.#mesh.domains.has(said)) {
      this.#domains.set(message, said);
    }
    return this.#domains.get(message) ?? null;
  }

  #remember(key: string | null, masked: boolean): void {
    if (key !== null) this.#masked.set(key, masked || this.#masked.get(key) === true);
  }
}

export function anyDomainMasks(mesh: Mesh): boolean {
  return [...mesh.domains.values()].some((domain) => domain.metadataMasking);
}
