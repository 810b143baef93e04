// SPDX-License-Identifier: Apache-2.0

export type Rate = {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens that can be saved up; at least 1 for anything to pass. */
  readonly burst: number;
};

export type TokenBucket = { readonly tokens: number; readonly updatedAtMs: number };

export type Taken = {
  readonly bucket: TokenBucket;
  readonly allowed: boolean;
  /** Milliseconds until the same request can pass; 0 when it was allowed. */
  readonly retryAfterMs: number;
};

/** Takes `cost` tokens if they are there. A clock that goes backwards gives none back. */
export function takeTokens(bucket: TokenBucket, rate: Rate, nowMs: number, cost = 1): Taken {
  const elapsedMs = Math.max(0, nowMs - bucket.updatedAtMs);
  const tokens = Math.min(rate.burst, bucket.tokens + (elapsedMs * rate.perSecond) / 1000);
  const updatedAtMs = Math.max(nowMs, bucket.updatedAtMs);
  if (tokens >= cost) {
    return { bucket: { tokens: tokens - cost, updatedAtMs }, allowed: true, retryAfterMs: 0 };
  }
  // NaN fails the comparison above; the old bucket stays, so that one bad reading blocks nothing.
  if (!Number.isFinite(tokens)) return { bucket, allowed: false, retryAfterMs: Infinity };
  const retryAfterMs = Math.ceil(((cost - tokens) * 1000) / rate.perSecond);
  return { bucket: { tokens, updatedAtMs }, allowed: false, retryAfterMs };
}

/** One bucket for each of a closed set of names; the caller has authenticated the name. */
export class TokenBuckets {
  private readonly buckets = new Map<string, TokenBucket>();
  private readonly rate: Rate;

  constructor(rate: Rate) {
    this.rate = rate;
  }

  /** True when one more message of this sender may pass now. */
  take(name: string, nowMs: number): boolean {
    const bucket = this.buckets.get(name) ?? { tokens: this.rate.burst, updatedAtMs: nowMs };
    const taken = takeTokens(bucket, this.rate, nowMs);
    this.buckets.set(name, taken.bucket);
    return taken.allowed;
  }
}
