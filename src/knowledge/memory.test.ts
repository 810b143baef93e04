// SPDX-License-Identifier: Apache-2.0
// Memory of agents: DP-2.4, DP-3.2 and the ways to poison one.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { givenItem } from './context.ts';
import { given, KnowledgeFixture, onlyItem, plainLabel, startMs, taskOne, taskTwo } from './knowledge-fixture.ts';

let node: KnowledgeFixture;
beforeEach(async () => {
  node = await KnowledgeFixture.open();
  return () => node.close();
});
const entry = { customer: 'c-7', note: 'prefers letters' };

describe('what is refused', () => {
  test('DP-T2.5: one agent reads nothing of what another remembers, by whatever it asks', async () => {
    const kept = onlyItem(await node.remember(entry));
    const { clerk } = node.agents;
    expect(given(await node.recall({}, {}, clerk))).toEqual([]);
    expect(given(await node.recall({ customer: 'c-7' }, {}, clerk))).toEqual([]);
    expect(given(await node.remember(entry, { id: kept.id }, clerk))).toBe('KNOWLEDGE_DENIED');
  });

  test('an entry of another task, unless the mesh file says that they are one', async () => {
    await node.remember(entry);
    expect(given(await node.recall({}, { task: taskTwo }))).toEqual([]);
    const { memory } = node.settings;
    node.settings.memory = memory === null ? null : { ...memory, per: 'agent' };
    expect(given(await node.recall({}, { task: taskTwo }))).toEqual([entry]);
  });

  test('an agent that has no memory, and one that was spawned under a name which others had', async () => {
    const { planner, triage } = node.agents;
    expect(given(await node.remember(entry, {}, planner))).toBe('KNOWLEDGE_NO_MEMORY');
    expect(given(await node.recall({}, {}, { ...triage, fromTemplate: 'triage' }))).toBe('KNOWLEDGE_NO_MEMORY');
    node.settings.memory = null;
    expect(given(await node.recall())).toBe('KNOWLEDGE_NO_MEMORY');
  });

  test('everybody at once when the policy of the domain changes', async () => {
    await node.remember(entry);
    const { domain } = node.settings;
    node.settings.domain = { ...domain, allowedRoles: ['ORCHESTRATOR'] };
    expect(given(await node.recall())).toBe('BUS_ROLE_DENIED');
    node.settings.domain = { ...domain, tier: 'FHE' };
    expect(given(await node.recall())).toBe('PROTECTION_TIER_UNAVAILABLE');
    node.settings.domain = { ...domain, attestationRequired: true };
    expect(given(await node.recall())).toBe('BUS_NOT_ATTESTED');
  });

  test('what was kept for other roles, although the domain allows this one now', async () => {
    await node.remember(entry);
    const { triage } = node.agents;
    node.settings.domain = { ...node.settings.domain, allowedRoles: ['RETRIEVER', 'ORCHESTRATOR', 'ANALYST'] };
    expect(given(await node.recall({}, {}, { ...triage, role: 'ANALYST' }))).toEqual([]);
  });

  test('RT-04: what lies above the clearance that the agent has now, and what it may not know at all', async () => {
    await node.remember(entry, { label: { ...plainLabel, classification: 'confidential' } });
    const { triage } = node.agents;
    expect(given(await node.recall({}, {}, { ...triage, clearance: 'internal' }))).toEqual([]);
    const above = { label: { ...plainLabel, classification: 'restricted' } } as const;
    expect(given(await node.remember(entry, above))).toBe('KNOWLEDGE_CLEARANCE');
  });

  test('what was kept under a mandate that is revoked now', async () => {
    await node.remember(entry, { mandate: 'mandate-1' });
    expect(given(await node.recall())).toEqual([entry]);
    node.settings.revokedMandates.add('mandate-1');
    expect(given(await node.recall())).toEqual([]);
    expect(given(await node.remember(entry, { mandate: 'mandate-1' }))).toBe('KNOWLEDGE_DENIED');
  });

  test('a search by what is not indexed, a value that is no scalar, too much at once', async () => {
    expect(given(await node.recall({ note: 'x' }))).toBe('KNOWLEDGE_FIELD_UNKNOWN');
    expect(given(await node.recall({ customer: ['c-7'] }))).toBe('KNOWLEDGE_FIELD_UNKNOWN');
    expect(given(await node.remember('x'.repeat(70_000)))).toBe('KNOWLEDGE_ENTRY_TOO_LARGE');
    const { memory } = node.settings;
    node.settings.memory = memory === null ? null : { ...memory, entriesMax: 1 };
    await node.remember(entry);
    expect(given(await node.remember('more'))).toBe('KNOWLEDGE_FULL');
  });

  test('everything while it cannot be recorded: nothing is given that nobody would hear of', async () => {
    await node.remember(entry);
    node.recorderFails = true;
    await expect(node.recall()).rejects.toThrow('full');
  });
});

describe('DP-T3.2: an entry past its retention', () => {
  test('is not given, and nothing of it is left that opens', async () => {
    await node.remember(entry);
    node.clock.ms = startMs + 72 * 3_600_000 - 1;
    expect(given(await node.recall())).toEqual([entry]);
    node.clock.ms = startMs + 72 * 3_600_000;
    expect(given(await node.recall())).toEqual([]);
    expect(await node.store.removeExpired(node.clock.ms)).toBe(1);
    expect(await node.store.list(null, '', 10)).toEqual([]);
    node.clock.ms += 2 * 3_600_000;
    await node.context.keys.prune(node.clock.ms);
    expect(node.tamper("DELETE FROM data_key WHERE binding NOT LIKE '%index%'")).toBe(0);
  });

  test('counts half as much after each half-life before that', async () => {
    await node.remember(entry);
    node.clock.ms += 24 * 3_600_000;
    expect(onlyItem(await node.recall()).weight).toBeCloseTo(0.5);
  });
});

describe('G4: whose instructions led to an entry', () => {
  test('is given with it, to whichever process', async () => {
    await node.remember(entry, { principals: ['low'] });
    expect(onlyItem(await node.recall()).principals).toEqual(['low']);
  });

  test('is not lost by having kept the same before under nobody\'s', async () => {
    await node.remember(entry);
    await node.remember(entry, { principals: ['low'] });
    await node.remember(entry, { principals: ['low'] });
    const answer = await node.recall();
    const led = answer.ok ? answer.items.map(({ principals }) => principals.join()) : [];
    expect(led.toSorted()).toEqual(['', 'low']);
  });

  test('cannot be taken away by who has the disk', async () => {
    await node.remember(entry, { principals: ['low'] });
    expect(node.tamper("UPDATE item SET facts = json_set(facts, '$.principals', json('[]'))")).toBe(1);
    expect(given(await node.recall())).toEqual([]);
    await node.remember(entry, { principals: ['low'] });
    expect(node.tamper("UPDATE item SET facts = json_remove(facts, '$.principals')")).toBe(2);
    expect(given(await node.recall())).toEqual([]);
  });

  test('is anybody where an entry is older than what says so', async () => {
    await node.remember(entry);
    const [kept] = await node.store.list(null, '', 1);
    if (kept === undefined) throw new Error('nothing was kept');
    const { principals: _none, ...facts } = kept;
    expect(givenItem({ facts, value: null }, 1).principals).toEqual(['*']);
  });
});

describe('what is kept', () => {
  test('is found by its indexed members and by nothing near to them', async () => {
    await node.remember(entry);
    await node.remember({ customer: 'c-8', note: 'calls' });
    expect(given(await node.recall({ customer: 'c-7' }))).toEqual([entry]);
    expect(given(await node.recall({ customer: 'C-7' }))).toEqual([]);
    expect(given(await node.recall())).toHaveLength(2);
  });

  test('lies nowhere in clear: neither the value, nor what it can be found by', async () => {
    // Longer than what ciphertext spells by chance.
    await node.remember({ ...entry, customer: 'customer-70071' });
    node.database.flush();
    for (const file of readdirSync(node.folder)) {
      const bytes = readFileSync(join(node.folder, file));
      for (const text of ['prefers letters', 'customer-70071']) expect([file, bytes.includes(text)]).toEqual([file, false]);
    }
  });

  test('carries the label of all that its writer had read, never below that of the domain', async () => {
    await node.remember(entry, { label: { ...plainLabel, classification: 'public' } });
    expect(onlyItem(await node.recall()).label).toEqual(plainLabel);
  });

  test('is kept once, but never under a better label than it was written with', async () => {
    const first = onlyItem(await node.remember(entry));
    expect(onlyItem(await node.remember(entry)).id).toBe(first.id);
    const worse = { ...plainLabel, origins: ['tool:web'] };
    expect(onlyItem(await node.remember(entry, { label: worse })).id).not.toBe(first.id);
    expect(given(await node.recall())).toHaveLength(2);
  });

  test('is not given while a control had a doubt about it', async () => {
    await node.remember(entry, { suspect: true });
    expect(given(await node.recall())).toEqual([]);
    const [item] = await node.store.list(null, '', 10);
    expect(item).toMatchObject({ state: 'flagged', reason: 'KNOWLEDGE_SUSPECT' });
  });

  test('is on record as written and as read, without a word of it', async () => {
    const kept = onlyItem(await node.remember(entry, { causes: ['message-1'] }));
    await node.recall({ customer: 'c-7' });
    expect(node.entries.map(({ kind, outcome, causedBy }) => [kind, outcome, causedBy])).toEqual([
      ['memory.written', 'GO', ['message-1']], ['memory.read', 'GO', [kept.id]],
    ]);
    expect(JSON.stringify(node.entries)).not.toMatch(/c-7|letters/);
  });
});

describe('memory poisoning (tier 3 category) by somebody with the disk', () => {
  const facts = [
    ['its label', "json_set(facts, '$.label.integrity', 'trusted')"],
    ['its classification', "json_set(facts, '$.label.classification', 'public')"],
    ['its origin', "json_set(facts, '$.origin', 'agent:desk')"],
    ['its end', "json_set(facts, '$.expiresAt', 8640000000000000)"],
    ['its digest', "json_set(facts, '$.digest', 'x')"],
    ['its key', "json_set(facts, '$.key', 'x')"],
    ['what led to it', "json_set(facts, '$.causes', json('[\"x\"]'))"],
    ['its roles', "json_set(facts, '$.roles', json('[\"RETRIEVER\",\"ANALYST\"]'))"],
  ] as const;

  test.each(facts)('who changes %s finds it quarantined, not served', async (_, change) => {
    const kept = onlyItem(await node.remember(entry));
    expect(node.tamper(`UPDATE item SET facts = ${change}`)).toBe(1);
    expect(given(await node.recall())).toEqual([]);
    expect(await node.store.get(kept.id)).toMatchObject({ state: 'quarantined', reason: 'KNOWLEDGE_ALTERED' });
    expect(node.entries.at(-2)).toMatchObject({ kind: 'indicator.raised', code: 'KNOWLEDGE_ALTERED' });
  });

  test('who writes another task into it has it served in neither', async () => {
    await node.remember(entry);
    node.tamper(`UPDATE item SET task = ?1, facts = json_set(facts, '$.task', ?1)`, taskTwo);
    expect(given(await node.recall())).toEqual([]);
    expect(given(await node.recall({}, { task: taskTwo }))).toEqual([]);
    const [kept] = await node.store.list(null, '', 1);
    expect(kept).toMatchObject({ state: 'quarantined', reason: 'KNOWLEDGE_ALTERED' });
  });

  test('who changes one byte of the ciphertext or the nonce has nothing served', async () => {
    for (const column of ['ciphertext', 'nonce']) {
      await node.remember({ customer: column, note: 'x' });
      const flip = `CASE substr(${column}, 1, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(${column}, 2)`;
      expect(node.tamper(`UPDATE item SET ${column} = ${flip} WHERE state = 'current'`)).toBe(1);
      expect(given(await node.recall({ customer: column }))).toEqual([]);
    }
  });

  test('who moves an entry to another agent, or another task, has nothing served there', async () => {
    await node.remember(entry);
    node.tamper("UPDATE item SET shelf = 'memory/clerk', facts = json_set(facts, '$.shelf', 'memory/clerk')");
    expect(given(await node.recall({}, {}, node.agents.clerk))).toEqual([]);
    await node.remember(entry, { task: taskOne });
    node.tamper('UPDATE item SET task = ?', taskTwo);
    expect(given(await node.recall({}, { task: taskTwo }))).toEqual([]);
  });

  test('who has an entry found by what is not in it has it left out', async () => {
    await node.remember({ customer: 'a', note: '1' });
    await node.remember({ customer: 'b', note: '2' });
    const [one, two] = await node.store.list(null, '', 10);
    if (one === undefined || two === undefined) throw new Error('not kept');
    for (const term of two.terms) {
      node.tamper('INSERT INTO item_term VALUES (?, ?, ?)', one.shelf, term, one.id);
    }
    expect(given(await node.recall({ customer: 'b' }))).toEqual([{ customer: 'b', note: '2' }]);
  });

  test('who swaps two ciphertexts has neither served', async () => {
    await node.remember({ customer: 'a', note: '1' });
    await node.remember({ customer: 'b', note: '2' });
    const [one, two] = await node.store.list(null, '', 10);
    if (one === undefined || two === undefined) throw new Error('not kept');
    node.tamper('UPDATE item SET ciphertext = ?, nonce = ? WHERE id = ?', two.ciphertext, two.nonce, one.id);
    node.tamper('UPDATE item SET ciphertext = ?, nonce = ? WHERE id = ?', one.ciphertext, one.nonce, two.id);
    expect(given(await node.recall())).toEqual([]);
  });

  test('who puts the key of another binding in the place of its own has nothing served', async () => {
    await node.remember(entry);
    await node.remember('other', { mandate: 'mandate-1' });
    node.tamper(`UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key AS other
      WHERE other.binding LIKE '%mandate-1%') WHERE binding LIKE '%"mandate":null%'`);
    node.clock.ms += 3_600_000;
    await expect(node.recall({ customer: 'c-7' })).rejects.toMatchObject({ code: 'KNOWLEDGE_UNAVAILABLE' });
  });
});

test('each ask leaves its verdict on record: control, rule, version of the policy, time', async () => {
  await node.remember('entry');
  await node.recall({ unindexed: 1 });
  await node.query('anything');
  const version = node.context.mesh.digest.slice(0, 12);
  const verdicts = node.entries.flatMap((entry) => entry.verdicts.map((verdict) => ({ kind: entry.kind, ...verdict })));
  expect(verdicts).toMatchObject([
    { kind: 'memory.written', outcome: 'GO', control: 'policy-compliance', version, findings: [] },
    {
      kind: 'memory.read', outcome: 'NO-GO', control: 'policy-compliance', version,
      findings: [{ code: 'KNOWLEDGE_FIELD_UNKNOWN', rule: 'knowledge/recall' }],
    },
    { kind: 'knowledge.read', outcome: 'GO', control: 'policy-compliance', version, findings: [] },
  ]);
  for (const { tookUs } of verdicts) expect(tookUs).toBeGreaterThan(0);
});
