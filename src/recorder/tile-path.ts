// SPDX-License-Identifier: Apache-2.0
import { tileWidth } from './merkle.ts';

/**
 * Where C2SP tlog-tiles puts a tile, relative to the log: `tile/0/x001/x234/067`, and
 * `tile/0/x001/x234/067.p/12` for one of 12 hashes. Level `entries` names bundles of entries.
 */
export function tilePath(level: number | 'entries', index: number, width: number): string {
  const parts: string[] = [];
  for (let rest = index; parts.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    const part = String(rest % 1000).padStart(3, '0');
    parts.unshift(parts.length === 0 ? part : `x${part}`);
  }
  const whole = `tile/${level}/${parts.join('/')}`;
  return width === tileWidth ? whole : `${whole}.p/${width}`;
}
