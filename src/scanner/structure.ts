// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { isJsonObject, membersInOrder, type JsonObject, type JsonValue } from '../message/json.ts';
import type { Finding } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';

export type StructureLimits = {
  readonly depthMax: number;
  /** Members and elements of the whole value. */
  readonly membersMax: number;
  /** UTF-16 code units of one string or member name. */
  readonly stringLengthMax: number;
  /** UTF-8 bytes of all strings and member names together. */
  readonly bytesMax: number;
};

/** A place in a value: a linked list, so that a pointer is only written for a finding. */
export type Place = {
  readonly parent: Place | null;
  readonly segment: string;
};

/** `name` is true for the name of a member; its place is then the member itself. */
export type VisitText = (text: string, place: Place | null, name: boolean) => void;

/** Called with each number, as it is written. */
export type VisitNumber = (written: string, place: Place | null) => void;

/**
 * Calls `visit` for every string and member name and checks the limits on the way. What lies beyond a limit
 * is not visited, and the finding says so. Members come in the order of the canonical form: what has been spent
 * on those before decides how a text is looked at, and the bus has to see what the sender's sidecar saw. Never throws.
 */
export function walkTexts(
  value: JsonValue,
  limits: StructureLimits,
  visit: VisitText,
  visitNumber: VisitNumber | null = null,
): readonly Finding[] {
  const walk = new Walk(limits, visit, visitNumber);
  walk.value(value, null, 0);
  return walk.findings;
}

/** Every string and member name of a value, in order, within generous limits. */
export function textsOf(value: JsonValue): readonly string[] {
  const texts: string[] = [];
  walkTexts(value, unbounded, (text) => texts.push(text));
  return texts;
}

/** The strict parser bounds what gets here; the depth alone guards the stack. */
const unbounded: StructureLimits = {
  depthMax: 1000,
  membersMax: Infinity,
  stringLengthMax: Infinity,
  bytesMax: Infinity,
};

/** RFC 6901. Names for which `isHidden` holds are written as `*`: they are evidence themselves. */
export function pointerTo(place: Place | null, isHidden: (segment: string) => boolean): string {
  let pointer = '';
  for (let step = place; step !== null; step = step.parent) {
    const shown = isHidden(step.segment) ? '*' : escapeSegment(step.segment);
    pointer = `/${shown}${pointer}`;
  }
  return pointer;
}

/** Not written in the path of a finding: what keeps paths in bounds, whatever a payload calls its members. */
export function isLongName(segment: string): boolean {
  return segment.length > segmentLengthMax;
}

const segmentLengthMax = 64;

/** The first characters of the pointer, at least so many: of a longer name only what they need is read. */
export function pointerBegun(place: Place | null, lengthMin: number): string {
  const segments: string[] = [];
  for (let step = place; step !== null; step = step.parent) segments.push(step.segment);
  let pointer = '';
  for (let segment = segments.pop(); segment !== undefined && pointer.length < lengthMin; segment = segments.pop()) {
    pointer += `/${escapeSegment(segment.slice(0, lengthMin))}`;
  }
  return pointer;
}

class Walk {
  readonly findings: Finding[] = [];
  private readonly limits: StructureLimits;
  private readonly visit: VisitText;
  private readonly visitNumber: VisitNumber | null;
  private members = 0;
  private bytes = 0;

  constructor(limits: StructureLimits, visit: VisitText, visitNumber: VisitNumber | null) {
    this.limits = limits;
    this.visit = visit;
    this.visitNumber = visitNumber;
  }

  value(value: JsonValue, place: Place | null, depth: number): void {
    if (typeof value === 'string') {
      this.text(value, place, false);
    } else if (typeof value === 'number') {
      this.visitNumber?.(String(value), place);
    } else if (typeof value === 'object' && value !== null) {
      this.container(value, place, depth);
    }
  }

  private container(value: JsonObject | readonly JsonValue[], place: Place | null, depth: number): void {
    if (!(depth < this.limits.depthMax)) {
      this.exceeds('structure/depth');
      return;
    }
    const named = isJsonObject(value);
    for (const [segment, member] of named ? membersInOrder(value) : Object.entries(value)) {
      this.members += 1;
      if (!(this.members <= this.limits.membersMax)) {
        this.exceeds('structure/members');
        return;
      }
      const child = { parent: place, segment };
      if (named) this.text(segment, child, true);
      this.value(member, child, depth + 1);
    }
  }

  private text(text: string, place: Place | null, name: boolean): void {
    if (!(text.length <= this.limits.stringLengthMax)) {
      this.exceeds('structure/string-length');
      return;
    }
    this.bytes += Buffer.byteLength(text, 'utf8');
    if (!(this.bytes <= this.limits.bytesMax)) {
      this.exceeds('structure/bytes');
      return;
    }
    this.visit(text, place, name);
  }

  /** Once for each limit: a hostile value must not make a list of findings of its own size. */
  private exceeds(rule: string): void {
    if (this.findings.some((known) => known.rule === rule)) return;
    this.findings.push(finding('SCAN_STRUCTURE', rule));
  }
}

function escapeSegment(segment: string): string {
  if (!/[~/]/.test(segment)) return segment;
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}
