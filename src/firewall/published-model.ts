// SPDX-License-Identifier: Apache-2.0
import { FirewallError } from './firewall-error.ts';

/** What the `config.json` of a published classifier says that a reader of its answers must know. */
export type PublishedModel = {
  /** In the order of the model's outputs. */
  readonly labels: readonly string[];
  /** Places of the labels that mean an attack; not empty. */
  readonly attackPlaces: readonly number[];
  /** Labels that do not exclude each other, or a single one: each output is a probability of its own. */
  readonly independent: boolean;
  /** Tokens of one window, those that the tokenizer adds included. */
  readonly tokensMax: number;
};

const tokensMost = 512;
const tokensLeast = 16;
const labelsMax = 256;
/** Some models count positions from behind their padding token. */
const positionsBesidePadding = 2;
const attackWords = /inject|jailbreak|malicious|attack|unsafe|adversarial/i;
const harmlessWords = /benign|safe|legit|normal|clean|harmless|none/i;

/**
 * Reads the model's own configuration. Throws `FirewallError` FIREWALL_MODEL_MALFORMED when it is
 * none of a text classifier, FIREWALL_LABELS_UNKNOWN when its labels do not say which of them mean
 * an attack and `attackLabels` (of the mesh file) does not either, or names one that is not there.
 */
export function publishedModelOf(
  config: unknown,
  attackLabels: readonly string[] | null,
): PublishedModel {
  if (!isRecord(config)) throw malformed('config.json is no object.');
  const labels = labelsOf(config['id2label']);
  const positions = config['max_position_embeddings'];
  const stated = typeof positions === 'number' && positions > 0 ? positions - positionsBesidePadding : tokensMost;
  return {
    labels,
    attackPlaces: attackPlacesOf(labels, attackLabels),
    independent: labels.length === 1 || config['problem_type'] === 'multi_label_classification',
    tokensMax: Math.max(tokensLeast, Math.min(tokensMost, Math.floor(stated))),
  };
}

/**
 * The probability of an attack out of the model's outputs. `NaN` where there are more or fewer
 * outputs than labels, or one of them is no number: the caller refuses that as malformed.
 */
export function attackProbability(outputs: ArrayLike<number>, model: PublishedModel): number {
  const { labels, attackPlaces, independent } = model;
  const values = Array.from(outputs, Number);
  if (values.length !== labels.length || values.some((value) => Number.isNaN(value))) return Number.NaN;
  if (independent) return Math.max(...attackPlaces.map((place) => 1 / (1 + Math.exp(-(values[place] ?? Number.NaN)))));
  const highest = Math.max(...values);
  const parts = values.map((value) => Math.exp(value - highest));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const attack = attackPlaces.reduce((sum, place) => sum + (parts[place] ?? Number.NaN), 0);
  return Math.min(1, attack / total);
}

/** Half-open ranges of `size` tokens, each beginning half a window after the one before. */
export function tokenWindows(count: number, size: number): readonly (readonly [number, number])[] {
  const windows: [number, number][] = [];
  const step = Math.max(1, size >> 1);
  for (let from = 0; ; from += step) {
    const to = Math.min(from + size, count);
    windows.push([from, to]);
    if (to >= count) return windows;
  }
}

const pieceUnits = 2_000;
const pieceOverlap = 250;

/**
 * Pieces of a text that overlap, so that what a tokenizer does with one long word stays bounded; no
 * piece cuts a character in two.
 */
export function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; ; ) {
    let to = Math.min(from + pieceUnits, text.length);
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to += 1;
    pieces.push(text.slice(from, to));
    if (to >= text.length) return pieces;
    from = to - pieceOverlap;
    if (isHighSurrogate(text.charCodeAt(from - 1))) from += 1;
  }
}

function labelsOf(value: unknown): readonly string[] {
  if (!isRecord(value)) throw malformed('config.json has no id2label.');
  const count = Object.keys(value).length;
  if (count === 0 || count > labelsMax) throw malformed('id2label names no label, or too many.');
  return Array.from({ length: count }, (_, place) => {
    const label = Object.hasOwn(value, String(place)) ? value[String(place)] : undefined;
    if (typeof label !== 'string') throw malformed('id2label does not number its labels from 0.');
    return label;
  });
}

function attackPlacesOf(labels: readonly string[], named: readonly string[] | null): readonly number[] {
  if (named !== null) {
    const places = named.map((label) => labels.indexOf(label));
    if (places.length === 0 || places.includes(-1)) throw labelsUnknown();
    return places;
  }
  const places = labels.flatMap((label, place) => (attackWords.test(label) ? [place] : []));
  const others = labels.filter((label) => !attackWords.test(label));
  // A label that nobody knows could be either: then a person says which.
  if (places.length === 0 || !others.every((label) => harmlessWords.test(label))) throw labelsUnknown();
  return places;
}

function labelsUnknown(): FirewallError {
  return new FirewallError('FIREWALL_LABELS_UNKNOWN', 'The labels of the model do not say which mean an attack.');
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(reason: string): FirewallError {
  return new FirewallError('FIREWALL_MODEL_MALFORMED', `The injection model cannot be used. ${reason}`);
}
