// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { loadCredential } from '../adapters/credential-keys.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { loadOperatorKey } from '../adapters/operator-keys.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { createPeerVerifier, readTrustBundle } from '../identity/peer.ts';
import { RevocationList } from '../identity/revocation.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import type { MandateSigner } from '../mandate/block.ts';
import { mandateCodes, type MandateCode } from '../mandate/codes.ts';
import { depthDefault, rightKey, type EffectiveMandate } from '../mandate/mandate.ts';
import {
  issueMandate,
  narrow,
  readUnverified,
  type IssuedMandate,
  type Narrowing,
} from '../mandate/narrow.ts';
import { delegateTermsOf, peersOf, rootAuthorityOf, verifyMandate } from '../mandate/verify.ts';
import type { MandateTerms } from '../mandate/mandate.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { isDigest } from '../message/identifiers.ts';
import { isJsonObject, type JsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import type { CommandIo, ExitCode } from './check.ts';
import { askNode } from './control.ts';
import { stateDirectoryOf } from './state.ts';

/** Paths are relative to `io.directory`; `-` reads standard input. */
type Common = { readonly json: boolean };

export type MandateIssueOptions = Common & {
  /** JSON file of the terms; `lifetimeMs` may stand for `notBefore` and `expiresAt`. */
  readonly terms: string;
  /** Operator's JWK with `as`, else the credential file of an NHI. */
  readonly key: string;
  /** Name of the operator in the mesh file. */
  readonly as?: string;
};

export type MandateShowOptions = Common & { readonly chain: string; readonly state: string };

export type MandateNarrowOptions = Common & {
  readonly chain: string;
  /** JSON file: `audience`, and what is to be narrower. */
  readonly narrowing: string;
  /** Credential file of the holder. */
  readonly key: string;
};

export type MandateVerifyOptions = Common & {
  readonly chain: string;
  readonly mesh: string;
  /** PEM file of the authorities that peers trust. */
  readonly bundle: string;
  readonly task: string;
  /** SPIFFE id of the instance that presents the mandate. */
  readonly holder: string;
  /** Names of the nodes whose control plane issues mandates. */
  readonly nodes?: readonly string[];
  /** References of approvals that stand for a depth of three. */
  readonly approvals?: readonly string[];
};

const textBytesMax = 65_536;

/** A mistake in the command's own input; its message is for the person who typed it. */
class UsageError extends Error {}

/** `maso mandate issue`: signs the first mandate of a chain and writes the chain. */
export async function mandateIssue(
  options: MandateIssueOptions,
  io: CommandIo,
): Promise<ExitCode> {
  return answered(io, async () => {
    const stated = readObject(options.terms, io);
    const path = resolve(io.directory, options.key);
    const signer = await signerAt(path, options.as);
    return handOut(issueMandate(termsOf(stated), signer), options.json, io);
  });
}

/** `maso mandate show`: what a chain says, hop by hop. It proves nothing and says so. */
export async function mandateShow(options: MandateShowOptions, io: CommandIo): Promise<ExitCode> {
  return answered(io, async () => {
    const chain = await chainOf(options, io);
    const read = readUnverified(chain);
    if (!read.ok) return refuse(read.code, null, options.json, io);
    if (options.json) io.out(JSON.stringify({ verified: false, mandate: read.mandate, chain }));
    else {
      for (const line of describe(read.mandate)) io.out(line);
      io.out('not verified: use maso mandate verify');
    }
    return 0;
  });
}

/** A file, standard input, or the id of a mandate that the running mesh registered. */
async function chainOf({ chain, state }: MandateShowOptions, io: CommandIo): Promise<string> {
  if (!isDigest(chain) || existsSync(resolve(io.directory, chain))) return readText(chain, io);
  const path = `/v1/mandates/${chain}`;
  const { status, body } = await askNode(stateDirectoryOf(state, null), 'GET', path);
  if (status === 200 && typeof body['chain'] === 'string') return body['chain'];
  throw new UsageError('No mandate of that id is registered.');
}

/** `maso mandate narrow`: passes a mandate on, offline, and writes the longer chain. */
export async function mandateNarrow(
  options: MandateNarrowOptions,
  io: CommandIo,
): Promise<ExitCode> {
  return answered(io, async () => {
    const chain = readText(options.chain, io);
    const stated = readObject(options.narrowing, io);
    const credential = await credentialAt(resolve(io.directory, options.key));
    const { audience, oispec = null, ...narrower } = stated;
    const known = ['rights', 'notBefore', 'expiresAt', 'output', 'maxDepth'];
    const unknown = Object.keys(narrower).filter((member) => !known.includes(member));
    if (unknown.length > 0) throw new UsageError('The narrowing has members that it cannot have.');
    // The block is parsed before it is signed, whatever stands here.
    const narrowing = { ...narrower, audience, oispec } as unknown as Narrowing;
    return handOut(narrow(chain, narrowing, credential), options.json, io);
  });
}

/**
 * `maso mandate verify`: as an executor of the mesh would, but without its revocations, which the
 * answer says.
 */
export async function mandateVerify(
  options: MandateVerifyOptions,
  io: CommandIo,
): Promise<ExitCode> {
  return answered(io, async () => {
    const mesh = meshAt(options.mesh, io);
    const holder = parseSpiffeId(options.holder);
    if (holder?.kind !== 'agent') throw new UsageError('The holder is no SPIFFE id of an agent.');
    const clock = systemClock();
    const nowMs = clock.nowMs();
    const bundle = readTrustBundle(readText(options.bundle, io), mesh.trustDomain);
    const verdict = verifyMandate(readText(options.chain, io), {
      peerByThumbprint: peersOf(createPeerVerifier(bundle, clock)),
      revocations: {
        version: 0,
        validUntilMs: nowMs + 1,
        identities: new RevocationList([], 0, nowMs),
        mandates: new Set(),
        tasks: new Set(),
      },
      staleSnapshot: 'refuse',
      nowMs,
      clockSkewMs: mesh.limits.clockSkewMs,
      task: options.task,
      audience: { name: holder.name, spiffeId: options.holder },
      rootAuthority: rootAuthorityOf(mesh, options.nodes),
      delegateTerms: delegateTermsOf(mesh),
      isDepthApproved: (reference) => options.approvals?.includes(reference) === true,
      policyVersion: mesh.digest,
      cache: null,
    });
    if (!verdict.ok) return refuse(verdict.code, null, options.json, io);
    const { mandate } = verdict;
    if (options.json) {
      io.out(JSON.stringify({ verified: true, revocationsChecked: false, mandate }));
    } else {
      for (const line of describe(mandate)) io.out(line);
      io.out('verified, but not against the revocations of a running mesh');
    }
    return 0;
  });
}

/** Fills in what may be left out; everything else is the parser's to judge before it is signed. */
function termsOf(stated: JsonObject): MandateTerms {
  const { lifetimeMs, ...members } = stated;
  const nowMs = systemClock().nowMs();
  const box = typeof lifetimeMs === 'number'
    ? { notBefore: nowMs, expiresAt: nowMs + lifetimeMs }
    : {};
  const defaults = { output: null, maxDepth: depthDefault, approval: null, oispec: null };
  return { ...defaults, ...box, ...members } as unknown as MandateTerms;
}

function handOut(issued: IssuedMandate, asJson: boolean, io: CommandIo): ExitCode {
  if (!issued.ok) return refuse(issued.code, issued.path, asJson, io);
  const { chain, mandate } = issued;
  io.out(asJson ? JSON.stringify({ id: mandate.id, chain, mandate }) : chain);
  return 0;
}

function describe(mandate: EffectiveMandate): readonly string[] {
  const iso = (timeMs: number): string => new Date(timeMs).toISOString();
  return [
    `mandate    ${mandate.id}`,
    `path       ${mandate.path.join(' -> ')}  (${mandate.depth} of ${mandate.maxDepth} hops)`,
    `task       ${mandate.task}, answered for by ${mandate.sponsor}`,
    `valid      ${iso(mandate.notBefore)} until ${iso(mandate.expiresAt)}`,
    `output     ${mandate.output ?? 'any'}`,
    ...mandate.rights.flatMap((right) => [
      `may        ${rightKey(right)}`,
      ...Object.entries(right.constraints).map(
        ([parameter, constraint]) => `             ${parameter}  ${JSON.stringify(constraint)}`,
      ),
      `             limits  ${JSON.stringify(right.limits)}`,
    ]),
  ];
}

function refuse(
  code: MandateCode,
  path: string | null,
  asJson: boolean,
  io: CommandIo,
): ExitCode {
  const { means, mend } = mandateCodes[code];
  if (asJson) io.out(JSON.stringify({ code, path }));
  else io.err(`${code}${path === null ? '' : ` at ${path}`}: ${means} ${mend}`);
  return 1;
}

/** 2 where the command's own input cannot be used; keys that cannot be used keep their code. */
async function answered(io: CommandIo, act: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await act();
  } catch (failure) {
    if (failure instanceof UsageError) {
      io.err(failure.message);
      return 2;
    }
    if (!(failure instanceof IdentityError)) throw failure;
    io.err(`${failure.code}: ${failure.message}`);
    return 1;
  }
}

async function signerAt(path: string, operator: string | undefined): Promise<MandateSigner> {
  if (operator === undefined) return { kind: 'nhi', credential: await credentialAt(path) };
  const { privateKey } = await loadOperatorKey(path);
  return { kind: 'operator', name: operator, privateKey };
}

async function credentialAt(path: string) {
  const credential = await loadCredential(path);
  if (credential === null) throw new UsageError('There is no credential file at that path.');
  return credential;
}

function meshAt(path: string, io: CommandIo): Mesh {
  const loaded = readMesh(resolve(io.directory, path));
  if (!loaded.ok) throw new UsageError('The mesh file has errors: see maso check.');
  return loaded.mesh;
}

function readObject(path: string, io: CommandIo): JsonObject {
  const json = parseStrictJson(readText(path, io));
  if (!json.ok || !isJsonObject(json.value)) throw new UsageError('The terms are no JSON object.');
  return json.value;
}

/** The text of a file, or of standard input for `-`, without white space around it. */
function readText(path: string, io: CommandIo): string {
  try {
    const place = path === '-' ? 0 : resolve(io.directory, path);
    if (place !== 0 && statSync(place).size > textBytesMax) {
      throw new UsageError('The file is too large for what it should hold.');
    }
    return readFileSync(place, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${path} cannot be read.`, { cause });
  }
}
