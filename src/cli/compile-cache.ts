// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';

/**
 * Run from source, types are stripped at every start unless the result is kept. It is kept beside
 * the packages, where whoever can write could change the program itself; never in a shared folder.
 */
export function cacheCompiledSource(): void {
  enableCompileCache(`${import.meta.dirname}/../../node_modules/.cache/maso`);
}
