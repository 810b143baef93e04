// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { someEntries } from '../recorder/exporter.suite.ts';
import type { EntryKind } from '../recorder/entry.ts';
import type { ExportedEntry } from '../recorder/exporter.ts';
import { entryClasses } from './entry-classes.ts';
import { ocsfEvent } from './ocsf.ts';

const [refusal] = someEntries(0, 1) as [ExportedEntry];
const quiet: ExportedEntry = { ...refusal, outcome: 'GO', code: null, verdicts: [] };

describe('an OCSF event', () => {
  test('of a refusal that may be an attack is a finding with its tags', () => {
    const event = ocsfEvent({ ...refusal, code: 'SCAN_INJECTION' });
    expect(event).toMatchObject({
      class_uid: 2004, category_uid: 2, activity_id: 1, type_uid: 200_401, severity_id: 3,
      status_id: 2, status_code: 'SCAN_INJECTION',
      metadata: {
        version: '1.3.0', uid: 'log-of-a-test:0', event_code: 'message.refused',
        labels: expect.arrayContaining(['mitre-atlas:AML.T0051', 'owasp:LLM01:2025', 'owasp:ASI01:2026']),
      },
      finding_info: {
        title: 'SCAN_INJECTION',
        attacks: expect.arrayContaining([
          expect.objectContaining({ technique: expect.objectContaining({ uid: 'AML.T0051' }) }),
        ]),
      },
    });
  });

  test('of a refusal for a fault of the mesh is an API failure', () => {
    const event = ocsfEvent({ ...quiet, outcome: 'NO-GO', code: 'BUS_UNAVAILABLE' });
    expect(event).toMatchObject({ class_uid: 6003, status_id: 2, severity_id: 2 });
  });

  test('carries every member that its class requires, for every kind of entry', () => {
    const required: { readonly [uid: number]: readonly string[] } = {
      2004: ['finding_info'],
      3002: ['user'],
      3004: ['entity'],
      6002: ['app'],
      6003: ['actor', 'api', 'src_endpoint'],
    };
    const base = [
      'activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid',
    ];
    for (const kind of Object.keys(entryClasses) as EntryKind[]) {
      const event = ocsfEvent({ ...quiet, kind });
      const uid = Number(event['class_uid']);
      for (const member of [...base, ...(required[uid] ?? ['absent'])]) {
        expect(event, `${kind} ${member}`).toHaveProperty(member);
      }
      expect(event['type_uid']).toBe(uid * 100 + Number(event['activity_id']));
    }
  });

  test('of a digest of refusals is tagged by the codes that it counts', () => {
    const event = ocsfEvent({
      ...quiet, kind: 'refusals.counted', outcome: 'NO-GO', code: 'RECORDER_REFUSALS_FOLDED',
      counted: { SCAN_SECRET: 4 },
    });
    expect(event['metadata']).toMatchObject({
      labels: expect.arrayContaining(['mitre-atlas:AML.T0057']),
    });
    expect(event['unmapped']).toMatchObject({ counted: { SCAN_SECRET: 4 } });
  });
});
