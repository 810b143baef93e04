// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { Random } from '../message/clock.ts';

/** The operating system's random source. Throws when it fails; never gives weaker bytes. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
