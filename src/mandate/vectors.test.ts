// SPDX-License-Identifier: Apache-2.0
import { compactVerify, importJWK, importX509 } from 'jose';
import { describe, expect, it } from 'vitest';
import { RevocationList, type RevocationChange } from '../identity/revocation.ts';
import { compileJsonSchema } from '../mesh/json-schema.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { readFileSync } from 'node:fs';
import { mandateCodes } from './codes.ts';
import { contextFor, noRevocations, nowMs, publicJwkOf, readVectors } from './mandate-fixture.ts';
import { parseBlock } from './parse-block.ts';
import { verifyMandate, type MandateContext } from './verify.ts';

type Setting = {
  readonly task?: string;
  readonly presenter?: string;
  readonly nowMs?: number;
  readonly revokedMandates?: readonly string[];
  readonly revokedAgents?: readonly string[];
  readonly endedTasks?: readonly string[];
  readonly snapshotValidUntilMs?: number;
  readonly oispecs?: { readonly [agent: string]: string };
  readonly hopsMax?: { readonly [agent: string]: number };
};
type Failing = {
  readonly name: string;
  readonly code: string;
  readonly chain: string;
  readonly context: Setting;
};
type Valid = Omit<Failing, 'code'> & {
  readonly id: string;
  readonly blocks: readonly { readonly [member: string]: never }[];
};

const mustFail: { readonly vectors: readonly Failing[] } = readVectors('mandate-must-fail.json');
const valid: { readonly vectors: readonly Valid[] } = readVectors('mandate-valid.json');

function contextOf(setting: Setting): MandateContext {
  const atMs = Math.max(setting.nowMs ?? nowMs, 0);
  const usual = contextFor(setting.presenter ?? 'triage', { nowMs: atMs });
  return {
    ...usual,
    nowMs: setting.nowMs ?? nowMs,
    task: setting.task ?? usual.task,
    audience: { ...usual.audience, name: presenterName(setting.presenter) },
    revocations: {
      ...noRevocations,
      validUntilMs: setting.snapshotValidUntilMs ?? noRevocations.validUntilMs,
      mandates: new Set(setting.revokedMandates),
      tasks: new Set(setting.endedTasks),
      identities: revoked(setting.revokedAgents ?? []),
    },
    delegateTerms: (agent) => {
      const known = usual.delegateTerms(agent);
      if (known === null) return null;
      const { oispecs = {}, hopsMax = {} } = setting;
      return { oispec: oispecs[agent] ?? known.oispec, hopsMax: hopsMax[agent] ?? known.hopsMax };
    },
  };
}

function presenterName(certificate = 'triage'): string {
  return certificate === 'triageSecond' ? 'triage' : certificate;
}

function revoked(agents: readonly string[]): RevocationList {
  const changes = agents.map((value, index): RevocationChange => ({
    version: index + 1,
    id: 'r',
    op: 'revoke',
    target: { kind: 'agent', value },
    at: nowMs,
    signed: null,
  }));
  return new RevocationList(changes, changes.length, nowMs);
}

describe('mandate vectors', () => {
  it('are at least 100 that must fail, and cover every code of a chain', () => {
    expect(mustFail.vectors.length).toBeGreaterThanOrEqual(100);
    const shown = new Set(mustFail.vectors.map(({ code }) => code));
    const ofRequests = /RIGHT_ABSENT|PRINCIPAL|PARAMETER|VALUE|REFERENCE|COUNT|TOTAL_|RATE|USAGE/;
    const ofChains = Object.keys(mandateCodes).filter((code) => !ofRequests.test(code));
    const missing = ofChains.filter((code) => !shown.has(code));
    expect(missing).toEqual([]);
  });

  it.each(mustFail.vectors)('refuses $name', ({ chain, context, code }) => {
    const verdict = verifyMandate(chain, contextOf(context));
    expect(verdict.ok ? 'accepted' : verdict.code).toBe(code);
  });

  it.each(mustFail.vectors)('refuses $name with a warm cache', ({ chain, context, code }) => {
    const cache = new Map();
    for (const one of valid.vectors) {
      verifyMandate(one.chain, { ...contextOf(one.context), cache });
    }
    const asked = { ...contextOf(context), cache };
    // What the context alone refuses has another version where the state behind it differs.
    const changed = Object.keys(context).some((key) => /revoked|ended|oispecs|hops/.test(key));
    const versioned = changed ? { ...asked, policyVersion: 'p2' } : asked;
    const verdict = verifyMandate(chain, versioned);
    expect(verdict.ok ? 'accepted' : verdict.code).toBe(code);
  });

  it.each(valid.vectors)('accepts $name', ({ chain, context, id, blocks }) => {
    const verdict = verifyMandate(chain, contextOf(context));
    expect(verdict.ok || verdict.code).toBe(true);
    if (!verdict.ok) return;
    const { v: _v, issuer: _issuer, parent: _parent, ...last } = blocks.at(-1) ?? {};
    expect(verdict.mandate).toMatchObject({ ...last, id, depth: blocks.length });
  });
});

describe('jose', () => {
  it.each(valid.vectors)('verifies each block of $name', async ({ chain, blocks }) => {
    for (const [index, block] of chain.split('~').entries()) {
      const { protectedHeader, payload } = await compactVerify(block, async ({ x5c, kid }) => {
        if (kid !== undefined) return importJWK({ ...publicJwkOf(kid) }, 'EdDSA');
        return importX509(pem(x5c?.[0] ?? ''), 'EdDSA');
      });
      expect(protectedHeader.typ).toBe('maso-mandate+jws');
      expect(Buffer.from(payload).toString('utf8')).toBe(canonicalize(blocks[index] ?? {}));
    }
  });

  it('agrees that an edited block does not verify', async () => {
    const edited = mustFail.vectors.filter(({ name }) => name.startsWith('block 0'));
    expect(edited.length).toBeGreaterThan(8);
    for (const { chain } of edited) {
      const [block = ''] = chain.split('~');
      const verify = compactVerify(block, async ({ x5c }) =>
        importX509(pem(x5c?.[0] ?? ''), 'EdDSA'));
      await expect(verify).rejects.toThrow();
    }
  });
});

describe('schema/mandate.json', () => {
  const file = new URL('../../schema/mandate.json', import.meta.url);
  const schema = JSON.parse(readFileSync(file, 'utf8'));
  const compiled = compileJsonSchema(schema);

  it('accepts every block of the valid vectors', () => {
    expect(compiled.ok).toBe(true);
    for (const block of valid.vectors.flatMap(({ blocks }) => blocks)) {
      expect(compiled.ok && compiled.check(block)).toBe(null);
      expect(parseBlock(block).ok).toBe(true);
    }
  });

  it('refuses what the parser refuses by form', () => {
    const [block = {}] = valid.vectors[0]?.blocks ?? [];
    for (const change of [
      { v: 2 }, { zzz: 1 }, { rights: null }, { audience: 'A B' }, { task: 'x' }, { maxDepth: 4 },
      { issuer: 'operator:' }, { sponsor: 'a b' }, { notBefore: 1.5 }, { output: 'x' },
      { oispec: 'x' }, { parent: '' }, { approval: 'a b' },
    ]) {
      const broken = { ...block, ...change };
      expect(parseBlock(broken).ok).toBe(false);
      expect(compiled.ok && compiled.check(broken)).not.toBe(null);
    }
  });
});

function pem(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----`;
}
