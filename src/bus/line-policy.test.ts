// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from 'vitest';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import type { NodeFrame } from '../wire/frame.ts';
import { policyPartLengthMax } from '../wire/parse-frame.ts';
import { PolicyParts, policyFrames } from '../wire/policy-parts.ts';
import { LinePolicy, type PolicySource } from './line-policy.ts';

let inForce: number;
let sent: NodeFrame[];
let line: LinePolicy;

function policy(version: number, text = 'security_mesh: {}'): PolicyVersion {
  const bundle = { file: 'mesh.yaml', texts: { 'mesh.yaml': text } };
  return { version, digest: `digest-${version}`, signed: null, bundle };
}

beforeEach(() => {
  inForce = 3;
  sent = [];
  const source: PolicySource = {
    get version() {
      return inForce;
    },
    missing: () => [],
    after: (version) => Array.from({ length: inForce - version }, (_, at) => policy(version + 1 + at)),
    switching: () => null,
  };
  line = new LinePolicy(source, (frame) => sent.push(frame));
});

const versionsSent = () => sent.map((frame) => (frame.kind === 'policy' ? frame.version : null));

describe('a sidecar that lags behind', () => {
  test('cannot say that it took what it was not sent', () => {
    expect(line.took(1)).toBe('forged');
    line.offer([policy(2)]);
    expect(line.took(3)).toBe('forged');
    expect(line.version).toBe(0);
  });

  test('is not current before it took the newest version', () => {
    line.offer([policy(2), policy(3)]);
    expect(line.took(2)).toBe('behind');
    expect(line.took(3)).toBe('current');
  });

  test('is sent what came while it took the last one, once', () => {
    line.offer([policy(3)]);
    inForce = 5;
    expect(line.took(3)).toBe('behind');
    expect(versionsSent()).toEqual([3, 4, 5]);
    expect(line.took(4)).toBe('behind');
    expect(line.took(5)).toBe('current');
    expect(versionsSent()).toEqual([3, 4, 5]);
  });
});

describe('a version in parts', () => {
  const large = policy(4, `#${'é𝄞"\\\n'.repeat(policyPartLengthMax / 8)}`);

  test('is what it was, whatever characters a cut falls on', () => {
    const frames = policyFrames(large);
    expect(frames.length).toBeGreaterThan(2);
    const parts = new PolicyParts();
    expect(frames.map((frame) => parts.add(frame)).at(-1)).toEqual(large);
  });

  test.each([
    ['a part that is missing', (frames: readonly NodeFrame[]) => [frames[0], frames[2]]],
    ['a part of another version', (frames: readonly NodeFrame[]) => [frames[0], { ...frames[1], version: 5 }]],
    ['a part beyond the last', (frames: readonly NodeFrame[]) => [{ ...frames[0], parts: 0 }]],
    ['a text that is no version', (frames: readonly NodeFrame[]) => [{ ...frames[0], parts: 1, text: '{}' }]],
    ['another version in the text', () => [{ ...policyFrames(policy(4))[0], version: 5 }]],
  ])('with %s is broken', (_what, change) => {
    const parts = new PolicyParts();
    const taken = change(policyFrames(large)).map((frame) => parts.add(frame as never));
    expect(taken.at(-1)).toBe('broken');
  });
});
