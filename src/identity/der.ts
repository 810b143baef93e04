// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';

/** One element of DER: its tag, its content, and what follows it. */
export type DerElement = {
  readonly tag: number;
  readonly content: Buffer;
  readonly rest: Buffer;
};

/** Reads the element at the beginning; null unless its length is minimal and its bytes are there. */
export function readDer(bytes: Buffer): DerElement | null {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) return null;
  if (first < 0x80) return elementOf(bytes, tag, 2, first);
  const lengthBytes = first & 0x7f;
  if (lengthBytes < 1 || lengthBytes > 2 || bytes.length < 2 + lengthBytes) return null;
  const length = bytes.readUIntBE(2, lengthBytes);
  const minimal = lengthBytes === 1 ? length >= 0x80 : length >= 0x100;
  return minimal ? elementOf(bytes, tag, 2 + lengthBytes, length) : null;
}

/** The elements of a constructed value in order; null when one of them is broken. */
export function readDerAll(content: Buffer): readonly DerElement[] | null {
  const elements: DerElement[] = [];
  for (let rest = content; rest.length > 0; ) {
    const element = readDer(rest);
    if (element === null) return null;
    elements.push(element);
    rest = element.rest;
  }
  return elements;
}

/** An element with a length in its shortest form; contents of at most 65,535 bytes. */
export function writeDer(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function elementOf(bytes: Buffer, tag: number, at: number, length: number): DerElement | null {
  if (bytes.length < at + length) return null;
  const end = at + length;
  return { tag, content: bytes.subarray(at, end), rest: bytes.subarray(end) };
}
