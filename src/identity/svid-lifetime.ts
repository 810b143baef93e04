// SPDX-License-Identifier: Apache-2.0
import type { SpiffeId } from './spiffe-id.ts';

/** No SVID lives longer, whatever a mesh file says: 60 minutes (DESIGN 6.4, IA-1.3). */
export const svidMsMax = 3_600_000;
export const svidMsMin = 1_000;

/**
 * Clocks of a fleet differ; a fresh SVID must be valid on a host that lags this far behind. Never
 * more than a quarter of its lifetime: half-life and age are reckoned from the beginning.
 */
export const backdateMs = 30_000;

/** Longest lifetime of an identity from its issue, in milliseconds. */
export type SvidLifetimes = (id: SpiffeId) => number;

/** Where a mesh does not say less. */
export const anySvidLifetime: SvidLifetimes = () => svidMsMax;

/** How long before its issue an SVID begins. */
export function backdateOf(lifetimeMs: number): number {
  return Math.min(backdateMs, lifetimeMs / 4);
}

/**
 * True when a certificate lives no longer than an SVID of this lifetime that was backdated. Its
 * times are whole seconds, rounded down, which may add one.
 */
export function isWithinLifetime(spanMs: number, lifetimeMs: number): boolean {
  return spanMs <= lifetimeMs + backdateOf(lifetimeMs) + 1_000;
}
