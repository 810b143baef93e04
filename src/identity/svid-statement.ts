// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { X509Certificate } from 'node:crypto';
import { canonicalize } from '../message/canonical-json.ts';
import type { Classification } from '../message/envelope.ts';
import { isDigest, isName, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { extensionsOf } from './certificate-extensions.ts';
import { readDer, writeDer } from './der.ts';
import { IdentityError } from './identity-error.ts';
import { parseSpiffeId } from './spiffe-id.ts';

/** What a spawned agent may use of its template's rights; every list is complete. */
export type ChildScope = {
  readonly tools: readonly string[];
  /** Actions that it may request, of whichever executor its template may ask. */
  readonly requests: readonly string[];
  readonly clearance: Classification;
};

/** Where a spawned agent comes from, and what it was given. */
export type Lineage = {
  /** SPIFFE ids from the first ancestor to the parent; at most 8. */
  readonly ancestors: readonly string[];
  /** The only task that it may take part in. */
  readonly task: string;
  /** Generations that may still stand below it. */
  readonly depthLeft: number;
  readonly scope: ChildScope;
  /** Milliseconds since 1970; no certificate of this instance is valid after it. */
  readonly endsAt: number;
};

/**
 * What the authority says of an instance beside its name (IA-1.2): its role, the digest of the OISpec
 * that bounds it, who answers for it, and its lineage where it was spawned.
 */
export type SvidStatement = {
  readonly role: string;
  readonly scope: string | null;
  readonly sponsor: string | null;
  readonly lineage: Lineage | null;
};

/**
 * Unique by a UUID under the arc that Microsoft gives away for that: arcs of 2.25 hold 128 bits, which
 * few libraries write. Not critical: other software need not know it.
 */
export const statementOid =
  '1.2.840.113556.1.8000.2554.14680.50123.54270.17512.47702.14592185.15355862';
const statementOidDer = Buffer.from('2a864886f71401be40937af25883874b83a77e81886882f45686fad13987a99f56', 'hex');
const utf8Tag = 0x0c;
const bytesMax = 4_096;
const ancestorsMax = 8;
const namesMax = 64;
const classifications: ReadonlySet<string> = new Set([
  'public', 'internal', 'confidential', 'restricted',
]);

/** The value of the extension. Throws IDENTITY_STATEMENT_INVALID when it could not be read back. */
export function encodeStatement(statement: SvidStatement): Buffer {
  const text = canonicalize(statement as unknown as JsonObject);
  const bytes = Buffer.from(text, 'utf8');
  if (readStatement(bytes) === null) {
    throw new IdentityError('IDENTITY_STATEMENT_INVALID', 'The statement is out of bounds.');
  }
  return writeDer(utf8Tag, bytes);
}

export type StatementReading =
  | { readonly ok: true; readonly statement: SvidStatement | null }
  | { readonly ok: false };

/** What the certificate says; null when it says nothing, as those of other authorities do. */
export function statementOf(certificate: X509Certificate): StatementReading {
  const extensions = extensionsOf(certificate.raw);
  if (extensions === null) return { ok: false };
  const values = extensions.filter(({ oid }) => oid.equals(statementOidDer));
  const [value, ...more] = values;
  if (value === undefined) return { ok: true, statement: null };
  const text = readDer(value.value);
  if (more.length > 0 || text === null || text.tag !== utf8Tag || text.rest.length > 0) {
    return { ok: false };
  }
  const statement = readStatement(text.content);
  return statement === null ? { ok: false } : { ok: true, statement };
}

function readStatement(bytes: Uint8Array): SvidStatement | null {
  if (bytes.byteLength > bytesMax) return null;
  const json = parseStrictJson(bytes);
  if (!json.ok || !json.canonical || !isJsonObject(json.value)) return null;
  const { role, scope, sponsor, lineage, ...unknown } = json.value;
  if (Object.keys(unknown).length > 0) return null;
  if (typeof role !== 'string' || !/^[A-Z]{1,32}$/.test(role)) return null;
  if (scope !== null && !(typeof scope === 'string' && isDigest(scope))) return null;
  if (sponsor !== null && !(typeof sponsor === 'string' && sponsor.length <= 128)) return null;
  if (lineage === null) return { role, scope, sponsor, lineage };
  const read = readLineage(lineage);
  return read === null ? null : { role, scope, sponsor, lineage: read };
}

function readLineage(value: JsonValue | undefined): Lineage | null {
  if (!isJsonObject(value)) return null;
  const { ancestors, task, depthLeft, scope, endsAt, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return null;
  const ids = textsOf(ancestors, ancestorsMax, (id) => parseSpiffeId(id)?.kind === 'agent');
  if (ids === null || ids.length === 0) return null;
  if (typeof task !== 'string' || !isUlid(task)) return null;
  if (!isCount(depthLeft, ancestorsMax) || !isCount(endsAt, Number.MAX_SAFE_INTEGER)) return null;
  const read = readScope(scope);
  return read === null ? null : { ancestors: ids, task, depthLeft, scope: read, endsAt };
}

function readScope(value: JsonValue | undefined): ChildScope | null {
  if (!isJsonObject(value)) return null;
  const { tools, requests, clearance, ...unknown } = value;
  const toolNames = textsOf(tools, namesMax, isName);
  const actions = textsOf(requests, namesMax, isName);
  if (Object.keys(unknown).length > 0 || toolNames === null || actions === null) return null;
  return isClassification(clearance) ? { tools: toolNames, requests: actions, clearance } : null;
}

function textsOf(
  value: JsonValue | undefined,
  countMax: number,
  fits: (text: string) => boolean,
): readonly string[] | null {
  if (!Array.isArray(value) || value.length > countMax) return null;
  const texts = value.filter((one) => typeof one === 'string' && fits(one));
  return texts.length === value.length ? (texts as readonly string[]) : null;
}

function isCount(value: JsonValue | undefined, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function isClassification(value: JsonValue | undefined): value is Classification {
  return typeof value === 'string' && classifications.has(value);
}
