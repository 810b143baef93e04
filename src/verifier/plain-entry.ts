// SPDX-License-Identifier: Apache-2.0
import type { Entry } from './entry.ts';

const depthMax = 32;
const digitsMax = 15;

/**
 * Reads the line of an entry in one pass and without a copy: it is accepted only in its canonical
 * form, member by member. Null where it is none, and also where it holds what is rare and has to be
 * read the long way: an escape in a string, a negative or broken number, deep nesting. What is
 * accepted here is accepted there, and reads the same; a test holds the two against each other.
 */
export function plainEntry(text: string): Entry | null {
  return new PlainReader(text).entry();
}

/** Its detail is parsed when somebody asks, which is for few entries. */
class PlainEntry implements Entry {
  readonly kind: string;
  readonly id: string;
  readonly actor: string;
  readonly message: string | null;
  readonly causedBy: readonly string[];
  readonly outcome: string | null;
  readonly writer: string | null;
  readonly sequence: number;
  readonly recordedAt: number;
  readonly #detail: string;

  constructor(members: Omit<Entry, 'detail'>, detail: string) {
    this.kind = members.kind;
    this.id = members.id;
    this.actor = members.actor;
    this.message = members.message;
    this.causedBy = members.causedBy;
    this.outcome = members.outcome;
    this.writer = members.writer;
    this.sequence = members.sequence;
    this.recordedAt = members.recordedAt;
    this.#detail = detail;
  }

  get detail(): Entry['detail'] {
    return JSON.parse(this.#detail) as Entry['detail'];
  }
}

const nothing: readonly string[] = [];

class PlainReader {
  readonly #text: string;
  #at = 0;
  /** Where the last string or number stands, without quotes. */
  #from = 0;
  #to = 0;
  /** Of the last number. */
  #value = 0;
  /** Of the last list of ids. */
  #ids: readonly string[] = nothing;
  /** What the detail says as `writer`. */
  #writer: string | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  entry(): Entry | null {
    if (!(this.#is('{"actor":') && this.#id())) return null;
    const actor = this.#last();
    if (!(this.#is(',"at":') && this.#integer() && this.#is(',"causedBy":') && this.#idList())) return null;
    const causedBy = this.#ids;
    if (!(this.#is(',"code":') && (this.#is('null') || this.#code()) && this.#is(',"detail":'))) return null;
    const detail = this.#at;
    if (!this.#object(0)) return null;
    const detailEnd = this.#at;
    if (!(this.#is(',"id":') && this.#id())) return null;
    const id = this.#last();
    if (!(this.#is(',"kind":') && this.#kind())) return null;
    const kind = this.#last();
    if (!(this.#is(',"message":') && this.#idOrNull())) return null;
    const message = this.#lastOrNull();
    if (!(this.#is(',"outcome":') && (this.#null() || this.#outcome()))) return null;
    const outcome = this.#lastOrNull();
    if (!(this.#is(',"recordedAt":') && this.#integer())) return null;
    const recordedAt = this.#value;
    if (!(this.#is(',"sequence":') && this.#integer())) return null;
    const sequence = this.#value;
    if (!(this.#is(',"task":') && this.#idOrNull() && this.#is(',"tookUs":') && this.#integerOrNull())) return null;
    if (!(this.#is(',"verdicts":') && this.#verdicts() && this.#is('}'))) return null;
    if (this.#at !== this.#text.length) return null;
    const writer = this.#writer;
    const members = { kind, id, actor, message, causedBy, outcome, writer, sequence, recordedAt };
    return new PlainEntry(members, this.#text.slice(detail, detailEnd));
  }

  #last(): string {
    return this.#text.slice(this.#from, this.#to);
  }

  /** No string that is asked for may be empty: nothing is what null leaves. */
  #lastOrNull(): string | null {
    return this.#from === this.#to ? null : this.#last();
  }

  #is(literal: string): boolean {
    if (!this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  #null(): boolean {
    if (!this.#is('null')) return false;
    this.#from = this.#to;
    return true;
  }

  /** A string of which every character stands for itself. */
  #string(lengthMax: number): boolean {
    const text = this.#text;
    if (text.charCodeAt(this.#at) !== 0x22) return false;
    let at = this.#at + 1;
    for (let code = text.charCodeAt(at); code !== 0x22; code = text.charCodeAt(at)) {
      // Also where the text ends: NaN is in no range.
      if (!(code >= 0x20) || code === 0x5c) return false;
      at += 1;
    }
    this.#from = this.#at + 1;
    this.#to = at;
    this.#at = at + 1;
    return this.#to - this.#from <= lengthMax;
  }

  #id(): boolean {
    return this.#string(160) && this.#from < this.#to && this.#isWithin(0x21, 0x7e);
  }

  #idOrNull(): boolean {
    return this.#null() || this.#id();
  }

  #isWithin(low: number, high: number): boolean {
    for (let at = this.#from; at < this.#to; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code < low || code > high) return false;
    }
    return true;
  }

  #text1024(): boolean {
    return this.#string(1024);
  }

  #textOrNull(): boolean {
    return this.#is('null') || this.#text1024();
  }

  #code(): boolean {
    return this.#string(64) && codePattern.test(this.#last());
  }

  #kind(): boolean {
    return this.#string(160) && kindPattern.test(this.#last());
  }

  #outcome(): boolean {
    if (!this.#string(8)) return false;
    const said = this.#last();
    return said === 'GO' || said === 'NO-GO' || said === 'ESCALATE';
  }

  /** Zero and above, without a point or an exponent, and short enough to be exact. */
  #integer(): boolean {
    const text = this.#text;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(at)) {
      value = value * 10 + (code - 0x30);
      at += 1;
    }
    const digits = at - from;
    if (digits < 1 || digits > digitsMax || (digits > 1 && text.charCodeAt(from) === 0x30)) return false;
    this.#value = value;
    this.#at = at;
    return true;
  }

  #integerOrNull(): boolean {
    return this.#is('null') || this.#integer();
  }

  #idList(): boolean {
    this.#ids = nothing;
    if (this.#is('[]')) return true;
    if (!this.#is('[')) return false;
    const ids: string[] = [];
    do {
      if (!this.#id()) return false;
      ids.push(this.#last());
    } while (this.#is(','));
    this.#ids = ids;
    return ids.length <= 256 && this.#is(']');
  }

  #verdicts(): boolean {
    if (this.#is('[]')) return true;
    if (!this.#is('[')) return false;
    let count = 0;
    do {
      count += 1;
      if (!this.#verdict()) return false;
    } while (this.#is(','));
    return count <= 64 && this.#is(']');
  }

  #verdict(): boolean {
    return (
      this.#is('{"control":') && this.#id() &&
      this.#is(',"findings":') && this.#findings() &&
      this.#is(',"outcome":') && this.#outcome() &&
      this.#is(',"tookUs":') && this.#integer() &&
      this.#is(',"version":') && this.#text1024() && this.#is('}')
    );
  }

  #findings(): boolean {
    if (this.#is('[]')) return true;
    if (!this.#is('[')) return false;
    let count = 0;
    do {
      count += 1;
      if (!this.#finding()) return false;
    } while (this.#is(','));
    return count <= 1024 && this.#is(']');
  }

  #finding(): boolean {
    return (
      this.#is('{"code":') && this.#text1024() &&
      this.#is(',"digest":') && this.#textOrNull() &&
      this.#is(',"end":') && this.#integerOrNull() &&
      this.#is(',"path":') && this.#textOrNull() &&
      this.#is(',"rule":') && this.#text1024() &&
      this.#is(',"start":') && this.#integerOrNull() && this.#is('}')
    );
  }

  #anything(depth: number): boolean {
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x22:
        return this.#string(Number.MAX_SAFE_INTEGER);
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x74:
        return this.#is('true');
      case 0x66:
        return this.#is('false');
      case 0x6e:
        return this.#is('null');
      default:
        return this.#integer();
    }
  }

  #array(depth: number): boolean {
    this.#at += 1;
    if (this.#is(']')) return true;
    if (depth >= depthMax) return false;
    do if (!this.#anything(depth + 1)) return false; while (this.#is(','));
    return this.#is(']');
  }

  /** Its names in the order of their UTF-16 code units, and none of them twice. */
  #object(depth: number): boolean {
    if (!this.#is('{')) return false;
    if (this.#is('}')) return true;
    if (depth >= depthMax) return false;
    let from = 0;
    let to = 0;
    let isFirst = true;
    do {
      if (!this.#string(Number.MAX_SAFE_INTEGER)) return false;
      if (!isFirst && !this.#isAfter(from, to)) return false;
      isFirst = false;
      from = this.#from;
      to = this.#to;
      const isWriter = depth === 0 && to - from === 6 && this.#text.startsWith('writer', from);
      if (!this.#is(':') || !this.#anything(depth + 1)) return false;
      if (isWriter && this.#text.charCodeAt(this.#at - 1) === 0x22) this.#writer = this.#last();
    } while (this.#is(','));
    return this.#is('}');
  }

  /** Whether the last string comes after the one that stands there. */
  #isAfter(from: number, to: number): boolean {
    const text = this.#text;
    const length = Math.min(to - from, this.#to - this.#from);
    for (let at = 0; at < length; at += 1) {
      const difference = text.charCodeAt(this.#from + at) - text.charCodeAt(from + at);
      if (difference !== 0) return difference > 0;
    }
    return this.#to - this.#from > to - from;
  }
}

const kindPattern = /^[a-z]+\.[a-z-]+$/;
const codePattern = /^[A-Z][A-Z0-9_-]{0,63}$/;
