// SPDX-License-Identifier: Apache-2.0

/** Views of one text that are made at most; the text itself is one. */
export const viewsMax = 64;
/** Encodings inside one another that are undone. */
export const depthMax = 6;
/** Each inflation takes some 30 us to set up, however little is in it. */
const inflationsMax = 6;
export const inflatedBytesMax = 65_536;

/** What work is for; each has a share of its own, so that one cannot use up all of it. */
export type EffortPart = 'decoding' | 'rules' | 'secrets' | 'personal-data';

/**
 * What the work of a scan costs, in steps of about a nanosecond of the machine in docs/figures.md.
 * Passes over the text as it stands are not among them: they cost the same whatever is in it.
 */
export const stepsOf = {
  /** A text that is more than a short word or number, and one that may hold an encoding. */
  text: 600,
  survey: 600,
  /** A text with a character that is written otherwise, or stripped. */
  normal: 2000,
  /** One more view, and each character of it: written, looked over and scanned. */
  view: 2000,
  character: 24,
  replacement: 110,
  /** Of a letter in another form: such a text takes two bytes for each character. */
  fold: 150,
  /** A look at a sign that may begin an escape or markup. */
  sign: 32,
  /** A look at a sign that may stand for the space between words. */
  form: 160,
  /** A character of what may be a list of bytes or letters. */
  listed: 8,
  /** An invisible character that may spell something. */
  invisible: 60,
  /** A look at a run of characters that may be code, and the tries to read it where it does not look like words. */
  attempt: 300,
  tries: 250,
  /** A run that is decoded as a whole, and each of its characters. */
  decode: 800,
  coded: 10,
  inflation: 100_000,
  keyword: 50,
  rule: 150,
  /** A character that an expression may read. */
  ruleCharacter: 4,
  /** A match that is looked at, and may become a finding. */
  match: 1500,
  /** A match whose value is judged by what it looks like. */
  verify: 1500,
  number: 75,
  /** A row of numbers that may be one of a person. */
  window: 170,
  check: 650,
  iban: 2900,
  phone: 35_000,
  /** A number or an address of a person that is told of. */
  found: 800,
  address: 300,
  join: 1500,
} as const;

/** Of every scan, and for each character of its texts. */
const stepsMin = 650_000;
const stepsPerCharacter = 29;
/** Of each part, in the order of `placeOf`. */
const shares = Float64Array.of(0.9, 0.5, 0.5, 0.6);
/** Of what a scan may do, on top of it, whatever the other parts have spent: no flood of theirs keeps a refusal away. */
const reserved = Float64Array.of(0, 0, 0.08, 0.04);

const joinsShare = 0.4;

/**
 * What one scan may do, all its texts together. An attacker chooses every input, so everything whose
 * cost he can drive up is paid for from here before it is done; what is not paid for is not done, and
 * `exhausted` says of which part. Counted, not timed: the same input always ends at the same place.
 */
export class Effort {
  readonly exhausted = new Set<EffortPart>();
  /** Of all parts, so far. */
  spent = 0;
  private allowed: number;
  private inflations = inflationsMax;
  private readonly spentOn = new Float64Array(shares.length);

  /** `length` is that of the text, in UTF-16 units; `stepsAtLeast` what every scan may do. */
  constructor(length: number, stepsAtLeast: number = stepsMin) {
    this.allowed = stepsAtLeast;
    this.allow(length);
  }

  /** What one more text of this length adds: many texts are ordinary. */
  allow(length: number): void {
    this.allowed += stepsPerCharacter * length;
  }

  /** Pays for work; false when it is not to be done. Asked for every sign and keyword of a hostile text. */
  take(part: EffortPart, steps: number): boolean {
    if (this.takeSpare(part, steps)) return true;
    this.exhausted.add(part);
    return false;
  }

  /** Pays for what may be left undone: where it is not to be done, nothing is thought to be exhausted. */
  takeSpare(part: EffortPart, steps: number): boolean {
    const place = placeOf(part);
    const spentOn = (this.spentOn[place] ?? 0) + steps;
    const spent = this.spent + steps;
    const isWithinAll = spent <= this.allowed && spentOn <= (shares[place] ?? 0) * this.allowed;
    if (!isWithinAll && !(spentOn <= (reserved[place] ?? 0) * this.allowed)) return false;
    this.spentOn[place] = spentOn;
    this.spent = spent;
    return true;
  }

  /** The most that all joins with what went before may spend: the text at hand comes first. */
  get ofJoins(): number {
    return this.allowed * joinsShare;
  }

  /** The most that one rule may spend: what exhausts it does not silence the others. */
  get ofOneRule(): number {
    return this.allowed / 4;
  }

  /** Bytes that one inflation may give; 0 when there may be none. */
  takeInflation(): number {
    this.inflations -= 1;
    if (this.inflations < 0 || !this.take('decoding', stepsOf.inflation)) {
      this.exhausted.add('decoding');
      return 0;
    }
    const place = placeOf('decoding');
    const left = (shares[place] ?? 0) * this.allowed - (this.spentOn[place] ?? 0);
    return Math.min(inflatedBytesMax, Math.max(1, Math.floor(left / stepsOf.character)));
  }
}

/** Numbers, since a look-up by name costs more than most of what is paid for. */
function placeOf(part: EffortPart): number {
  switch (part) {
    case 'decoding':
      return 0;
    case 'rules':
      return 1;
    case 'secrets':
      return 2;
    case 'personal-data':
      return 3;
    default:
      return part satisfies never;
  }
}
