// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';
import { drawCarrier } from './carriers.ts';
import type { Fragment, FragmentKind } from './fragments.ts';
import type { LabelledRow } from './labelled-row.ts';
import type { Draw } from './seeded-random.ts';
import { pick, seededDraw } from './seeded-random.ts';
import { fillSlots } from './slots.ts';
import { drawQuery } from './queries.ts';
import { drawSuffix } from './suffixes.ts';

const dataChannels: readonly Channel[] = ['tool_result', 'document', 'email', 'web', 'code'];

/** Where a kind of attack is one, and how often each fragment is composed. */
const attacks: readonly {
  readonly kind: FragmentKind;
  readonly channels: readonly Channel[];
  readonly times: number;
}[] = [
  { kind: 'override', channels: [...dataChannels, 'user', 'agent_message', 'tool_result'], times: 7 },
  { kind: 'leak', channels: ['user', 'user', 'document', 'agent_message'], times: 4 },
  { kind: 'persona', channels: ['user'], times: 5 },
  { kind: 'order', channels: [...dataChannels, 'tool_result'], times: 5 },
  { kind: 'task', channels: [...dataChannels, 'document'], times: 4 },
  { kind: 'steer', channels: dataChannels, times: 5 },
  { kind: 'passive', channels: dataChannels, times: 5 },
  { kind: 'insert', channels: [...dataChannels, 'document', 'document'], times: 20 },
  { kind: 'prerequisite', channels: ['web', 'document', 'tool_result', 'code', 'agent_message'], times: 20 },
  { kind: 'puzzle', channels: ['user'], times: 14 },
  { kind: 'agent-attack', channels: ['agent_message'], times: 6 },
];

const harmless: { readonly [channel in Channel]: readonly FragmentKind[] } = {
  user: ['user-benign'],
  tool_result: ['tool-benign', 'tool-benign', 'doc-benign'],
  agent_message: ['agent-benign', 'agent-benign', 'ops-benign'],
  document: ['doc-benign'],
  email: ['email-benign'],
  web: ['doc-benign', 'tool-benign'],
  code: ['code-benign'],
};

const suffixCount = 600;
const queryCount = 1200;
/** Share of attacks whose two parts may be in two languages. */
const foreignShare = 0.2;
/** How often a line with alternatives is composed. */
const variedTimes = 12;

/** What is put together out of several lines of one kind, and out of how many. */
const assembled = {
  story: { label: 'attack', count: 700, least: 2, most: 9 },
  'prompt-benign': { label: 'benign', count: 700, least: 1, most: 9 },
} as const;

/** Where words of attacks stand in texts that are none. */
const wordChannels: readonly Channel[] = ['document', 'email', 'tool_result', 'agent_message', 'user'];

/** Frames of writing about attacks: what stands in them is told, not said. */
const quotations: readonly string[] = [
  'A typical attack reads: "@".',
  'The red team wrote "@" into a review; the assistant reported it and went on.',
  'expect(await ask(agent, "@")).toBe(refusal)',
  'In the slides: hidden text such as “@” is found in about one page of a thousand.',
  'Incident 41: the mail contained the line "@". It was quarantined and nobody acted on it.',
  'Training for staff: what would you do if a page said "@"? Report it.',
];

/**
 * Composes labelled rows out of hand-written fragments, the same ones for the same seed: attacks in
 * carriers of every channel, and for each a twin that looks alike and is harmless. An order is an
 * attack where only a model can be meant, and a plain request where a user speaks.
 */
export function composeRows(fragments: readonly Fragment[], seed: number): readonly LabelledRow[] {
  const composer = new Composer(fragments, seededDraw(seed));
  for (const { kind, channels, times } of attacks) {
    for (const fragment of fragments.filter((each) => each.kind === kind)) {
      for (let time = 0; time < timesOf(fragment, times); time += 1) {
        composer.attack(fragment, pick(channels, composer.draw));
      }
      composer.requests(fragment);
    }
  }
  composer.harmless();
  composer.suffixed();
  composer.assembled('story');
  composer.assembled('prompt-benign');
  composer.queries();
  return composer.rows;
}

class Composer {
  readonly rows: LabelledRow[] = [];
  readonly draw: Draw;
  private readonly fragments: readonly Fragment[];

  constructor(fragments: readonly Fragment[], draw: Draw) {
    this.fragments = fragments;
    this.draw = draw;
  }

  attack(fragment: Fragment, channel: Channel): void {
    const payload = this.payload(fragment, channel);
    this.add(channel, payload, this.lineOf(channel, fragment.language), 'attack', fragment);
    const twin = this.line(channel, this.draw() < 0.6 ? fragment.language : 'en');
    this.add(channel, twin, this.lineOf(channel, fragment.language), 'benign', fragment);
  }

  /** From a user, orders and tasks are what an assistant is for. */
  requests(fragment: Fragment): void {
    if (fragment.kind !== 'order' && fragment.kind !== 'task') return;
    for (let time = 0; time < 3; time += 1) {
      const text = fillSlots(fragment.text, this.draw);
      this.add('user', text, this.lineOf('user', fragment.language), 'benign', fragment);
    }
  }

  harmless(): void {
    for (const fragment of this.fragments) {
      for (const channel of channelsOf(fragment.kind)) {
        for (let time = 0; time < timesOf(fragment, 3); time += 1) {
          const text = fillSlots(fragment.text, this.draw);
          this.add(channel, text, this.lineOf(channel, fragment.language), 'benign', fragment);
        }
      }
    }
    for (const fragment of this.fragments.filter(({ kind }) => kind === 'override' || kind === 'leak')) {
      const [before = '', after = ''] = pick(quotations, this.draw).split('@');
      const quoted = `${before}${fillSlots(fragment.text, this.draw)}${after}`;
      const channel = pick(['document', 'code', 'document'] as const, this.draw);
      this.add(channel, quoted, this.lineOf(channel, 'en'), 'benign', fragment);
    }
  }

  /** Requests with a run of nonsense that makes a model obey: the run is the attack. */
  suffixed(): void {
    const words = this.fragments.flatMap(({ text }) => text.split(' ')).filter((word) => !word.includes('{'));
    const requests = this.fragments.filter(({ kind }) => kind === 'task' || kind === 'user-benign');
    if (requests.length === 0 || words.length === 0) return;
    for (let time = 0; time < suffixCount; time += 1) {
      const { text, language } = pick(requests, this.draw);
      const request = `${fillSlots(text, this.draw)} `;
      const suffix = drawSuffix(() => pick(words, this.draw), this.draw);
      const start = [...request].length;
      this.rows.push({
        id: `own-${this.rows.length}`,
        text: `${request}${suffix}`,
        label: 'attack',
        family: `suffix_${language}`,
        channel: 'user',
        source: 'own-suffix',
        span: [start, start + [...suffix].length],
      });
    }
  }

  /** Long messages of a user to a model: lines of one kind and language in an order of their own. */
  assembled(kind: keyof typeof assembled): void {
    const { label, count, least, most } = assembled[kind];
    const lines = this.fragments.filter((each) => each.kind === kind);
    if (lines.length === 0) return;
    for (let time = 0; time < count; time += 1) {
      const { language } = pick(lines, this.draw);
      const some = lines.filter((each) => each.language === language);
      const gap = pick([' ', '\n', ' ', '\n\n'], this.draw);
      const size = least + Math.floor(this.draw() * (most - least + 1));
      const persona = fillSlots('{persona}', this.draw);
      const line = () => fillSlots(pick(some, this.draw).text.replaceAll('{persona}', persona), this.draw);
      const text = Array.from({ length: size }, line).join(gap);
      const family = `${kind}_${language}`;
      this.rows.push({ id: `own-${this.rows.length}`, text, label, family, channel: 'user', source: `own-${kind}` });
    }
  }

  /** SQL, as code, in results of tools and in documents: no other text of programs is written so much like orders. */
  queries(): void {
    for (let time = 0; time < queryCount; time += 1) {
      const channel = pick(['code', 'code', 'code', 'tool_result', 'document'] as const, this.draw);
      const text = drawQuery(this.draw);
      this.rows.push({ id: `own-${this.rows.length}`, text, label: 'benign', family: 'query_en', channel, source: 'own-query' });
    }
  }

  /** Words of authority rarely stand alone: mostly what they are for comes after or before them. */
  private payload(fragment: Fragment, channel: Channel): string {
    const own = fillSlots(fragment.text, this.draw);
    const joined = this.draw();
    const language = this.draw() < foreignShare ? pick(this.fragments, this.draw).language : fragment.language;
    if (fragment.kind === 'override' && joined < 0.75) {
      const kinds: readonly FragmentKind[] =
        channel === 'agent_message' ? ['order', 'agent-attack', 'leak'] : ['order', 'order', 'task', 'steer', 'insert', 'leak'];
      return `${own} ${this.drawOf(pick(kinds, this.draw), language)}`;
    }
    if (fragment.kind !== 'override' && joined < 0.2) {
      const lead = this.drawOf('override', language);
      return this.draw() < 0.7 ? `${lead} ${own}` : `${own} ${lead}`;
    }
    return this.draw() < 0.04 ? own.toUpperCase() : own;
  }

  private drawOf(kind: FragmentKind, language: string): string {
    const own = this.fragments.filter((each) => each.kind === kind && each.language === language);
    const some = own.length > 0 ? own : this.fragments.filter((each) => each.kind === kind);
    return fillSlots(pick(some, this.draw).text, this.draw);
  }

  private lineOf(channel: Channel, language: string): () => string {
    const spoken = this.draw() < 0.7 ? language : 'en';
    return () => this.line(channel, spoken);
  }

  private line(channel: Channel, language: string): string {
    return this.drawOf(pick(harmless[channel], this.draw), language);
  }

  private add(
    channel: Channel,
    text: string,
    line: () => string,
    label: LabelledRow['label'],
    { kind, language }: Fragment,
  ): void {
    const { before, after } = drawCarrier(channel, line, this.draw);
    const start = [...before].length;
    const row = {
      id: `own-${this.rows.length}`,
      text: `${before}${text}${after}`,
      label,
      family: label === 'attack' ? `${kind}_${language}` : `twin_${language}`,
      channel,
      source: `own-${label === 'attack' || kind === 'word-benign' ? kind : channel}`,
    } as const;
    this.rows.push(label === 'attack' ? { ...row, span: [start, start + [...text].length] } : row);
  }
}

function timesOf({ text }: Fragment, times: number): number {
  return text.includes('|') ? Math.max(times, variedTimes) : times;
}

function channelsOf(kind: FragmentKind): readonly Channel[] {
  if (kind === 'doc-benign') return ['document', 'web'];
  if (kind === 'ops-benign') return ['user', 'agent_message'];
  if (kind === 'prompt-benign') return [];
  if (kind === 'word-benign') return wordChannels;
  if (kind === 'tool-benign') return ['tool_result', 'web'];
  const [name = ''] = kind.split('-');
  if (!kind.endsWith('-benign')) return [];
  return name === 'agent' ? ['agent_message'] : [name as Channel];
}
