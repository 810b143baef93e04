// SPDX-License-Identifier: Apache-2.0
import type { Chance } from './planted-fixture.ts';
import { pick } from './planted-fixture.ts';

/** An expression of the small dialect of the shipped rules, as written. */
type Node =
  | { readonly kind: 'signs'; readonly fits: (sign: string) => boolean; readonly signs: readonly string[] }
  | { readonly kind: 'either'; readonly parts: readonly (readonly Node[])[] }
  | { readonly kind: 'repeat'; readonly what: Node; readonly least: number; readonly most: number }
  | { readonly kind: 'nothing' };

const group = /^\((?:\?(?::|=|!|<=|<!))?/;
const single = /^(?:\[(?:\\.|[^\]\\])*\]|\\u[0-9a-f]{4}|\\.|[^()|])/s;
const quantifier = /^(?:\{([0-9]+)(?:,([0-9]+))?\}|\?)\??/;

export const signs: readonly string[] = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  .concat('\n', '\u00e9');

const parsed = new Map<string, Node>();

function nodeOf(expression: RegExp): Node {
  const key = String(expression);
  const node = parsed.get(key) ?? new Parser(expression).either();
  parsed.set(key, node);
  return node;
}

class Parser {
  private readonly source: string;
  private readonly flags: string;
  private at = 0;

  constructor({ source, flags }: RegExp) {
    this.source = source;
    this.flags = flags.replace('y', '');
  }

  either(): Node {
    const parts: Node[][] = [[]];
    while (this.at < this.source.length && this.source[this.at] !== ')') {
      if (this.source[this.at] === '|') {
        this.at += 1;
        parts.push([]);
      } else {
        parts.at(-1)?.push(this.term());
      }
    }
    return { kind: 'either', parts };
  }

  private term(): Node {
    const what = this.atom();
    const match = quantifier.exec(this.source.slice(this.at));
    if (match === null) return what;
    this.at += match[0].length;
    const [least, most] = match[1] === undefined ? [0, 1] : [Number(match[1]), Number(match[2] ?? match[1])];
    return { kind: 'repeat', what, least, most };
  }

  private atom(): Node {
    const rest = this.source.slice(this.at);
    const opened = group.exec(rest)?.[0];
    if (opened !== undefined) {
      this.at += opened.length;
      const inside = this.either();
      this.at += 1;
      // What is only looked at ahead is a few signs at most, in all of the rules.
      return opened === '(' || opened === '(?:' ? inside : { kind: 'nothing' };
    }
    const one = single.exec(rest)?.[0] ?? '';
    this.at += Math.max(1, one.length);
    if (one === '\\b' || one === '^' || one === '$') return { kind: 'nothing' };
    const expression = new RegExp(`^${one}$`, this.flags);
    const fitting = signs.filter((sign) => expression.test(sign));
    const known = new Set(fitting);
    return { kind: 'signs', signs: fitting, fits: (sign) => known.has(sign) };
  }
}

/**
 * A text that an expression matches, or almost, drawn from how it is written: `favoured` stands
 * wherever it may, repetitions are near their bounds, and the end is cut off. One sign over and over,
 * and a failure at the very end, make an expression try the most.
 */
export function nearMatch(chance: Chance, expression: RegExp, favoured: string | null = null): string {
  const draw = (node: Node): string => {
    switch (node.kind) {
      case 'signs':
        if (favoured !== null && node.fits(favoured)) return favoured;
        return node.signs.length === 0 ? '' : pick(chance, node.signs);
      case 'either':
        return pick(chance, node.parts).map(draw).join('');
      case 'repeat': {
        const { least, most } = node;
        const count = chance() < 0.8 ? most : least + Math.floor(chance() * (most - least + 1));
        return Array.from({ length: count }, () => draw(node.what)).join('');
      }
      case 'nothing':
        return '';
      default:
        return node satisfies never;
    }
  };
  const text = draw(nodeOf(expression));
  return chance() < 0.8 ? text.slice(0, Math.max(1, text.length - 1 - Math.floor(chance() * 8))) : text;
}

/**
 * Signs that a backtracking engine looks at before it gives up or matches at the beginning of the text;
 * `most` where it takes more.
 */
export function stepsToMatch(expression: RegExp, text: string, most: number): number {
  let steps = 0;
  const run = (node: Node, at: number, then: (at: number) => boolean): boolean => {
    if (steps >= most) return true;
    switch (node.kind) {
      case 'nothing':
        return then(at);
      case 'signs':
        steps += 1;
        return at < text.length && node.fits(text.charAt(at)) && then(at + 1);
      case 'either':
        return node.parts.some((part) => inTurn(part, 0, at, then));
      case 'repeat':
        return again(node, 0, at, then);
      default:
        return node satisfies never;
    }
  };
  const inTurn = (nodes: readonly Node[], index: number, at: number, then: (at: number) => boolean): boolean => {
    const node = nodes[index];
    return node === undefined ? then(at) : run(node, at, (next) => inTurn(nodes, index + 1, next, then));
  };
  const again = (
    node: Extract<Node, { kind: 'repeat' }>,
    done: number,
    at: number,
    then: (at: number) => boolean,
  ): boolean => {
    const more = done < node.most && run(node.what, at, (next) => next > at && again(node, done + 1, next, then));
    return more || (done >= node.least && then(at));
  };
  run(nodeOf(expression), 0, () => true);
  return steps;
}
