// SPDX-License-Identifier: Apache-2.0
import { RE2JS, RE2JSException } from 're2js';
import { ScannerError } from './scanner-error.ts';

const patternLengthMax = 512;
/** Instructions of the compiled program: time is the product of this and the length of the text. */
const programSizeMax = 1000;
/** A schema's pattern is about names and numbers; a longer string than this does not match. */
const schemaTextLengthMax = 4096;

/** A pattern that people wrote, on an engine whose time is linear in the text. */
export type LinearPattern = {
  readonly programSize: number;
  /** The first match at or after `from`; null when there is none. */
  readonly find: (
    text: string,
    from: number,
  ) => { readonly start: number; readonly end: number } | null;
};

/** Compiles RE2 syntax. Throws `ScannerError` SCAN_PATTERN_INVALID; `name` says which it was. */
export function compileLinearPattern(name: string, pattern: string): LinearPattern {
  const compiled = compile(name, pattern, 0);
  return {
    programSize: compiled.programSize(),
    find(text, from) {
      const matcher = compiled.matcher(text);
      if (!matcher.find(from)) return null;
      return { start: matcher.start(), end: matcher.end() };
    },
  };
}

/**
 * The engine for `pattern` keywords of users' schemas, in the form that ajv asks for. It throws
 * when the pattern does not compile; a string beyond its bound does not match.
 */
export function linearRegExp(
  pattern: string,
  _flags: string,
): { readonly test: (text: string) => boolean; readonly toString: () => string } {
  const compiled = compile('of a schema', pattern, 0);
  return {
    test: (text) => text.length <= schemaTextLengthMax && compiled.test(text),
    // ajv keeps one compiled pattern for each text of this; without it all patterns are the first.
    toString: () => `linear ${pattern}`,
  };
}
linearRegExp.code = 'linearRegExp';

function compile(name: string, pattern: string, flags: number): RE2JS {
  if (pattern.length > patternLengthMax) throw invalid(name, 'is too long');
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern, flags);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw invalid(name, 'does not compile', error);
  }
  if (!(compiled.programSize() <= programSizeMax)) throw invalid(name, 'is too large');
  return compiled;
}

function invalid(name: string, reason: string, cause?: unknown): ScannerError {
  return new ScannerError('SCAN_PATTERN_INVALID', `Pattern ${name} ${reason}.`, { cause });
}
