// SPDX-License-Identifier: Apache-2.0
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBuiltinAuthority } from '../../src/adapters/authority-builtin.ts';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { newKey } from '../../src/adapters/credential-keys.ts';
import { openKeyFileKms } from '../../src/adapters/kms-encrypted-file.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { clientTlsOptions } from '../../src/adapters/tls-options.ts';
import { credentialFromPem } from '../../src/identity/credential-pem.ts';
import { agentSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { BusLine, enrolIntruder, entryOf, forge, type Intruder } from '../mesh-harness/bus-line.ts';
import { recorded, startIntruderMesh } from '../mesh-harness/intruder-mesh.ts';
import { MeshFolder, until, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const clock = systemClock();

/** Whoever reaches the bus's port, with an identity of the mesh or without. */
describe('an intruder at the bus', () => {
  let folder: MeshFolder;
  let node: MasoProcess;
  let mallory: Intruder;
  let digest: string;

  beforeAll(async () => {
    ({ folder, node, mallory, digest } = await startIntruderMesh());
  });
  afterAll(async () => {
    await node?.stop();
    await folder?.remove();
  });

  const line = (): Promise<BusLine> => BusLine.hello(mallory, digest);

  describe('frames', () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const publish = (): JsonObject => {
      const { envelope, entry } = forge(mallory, {});
      return {
        kind: 'publish', number: 1, policyVersion: 1, envelope, entry: { ...entry } as unknown as JsonObject,
        resend: false,
      };
    };
    const attacks: readonly {
      readonly name: string;
      readonly bytes: () => string | Uint8Array;
      readonly code: string;
    }[] = [
      { name: 'truncated JSON', bytes: () => '{"kind":"publish"', code: 'MESSAGE_JSON_SYNTAX' },
      {
        name: 'a duplicate key', bytes: () => '{"kind":"hello","kind":"record"}',
        code: 'MESSAGE_DUPLICATE_KEY',
      },
      {
        name: 'a prototype key',
        bytes: () => '{"kind":"renew","number":1,"csr":"x","__proto__":{}}',
        code: 'MESSAGE_KEY_FORBIDDEN',
      },
      { name: 'binary', bytes: () => Uint8Array.from([1, 2, 3]), code: 'BUS_FRAME_MALFORMED' },
      {
        name: 'JSON in a binary frame', bytes: () => Buffer.from(JSON.stringify(publish())),
        code: 'BUS_FRAME_MALFORMED',
      },
      {
        name: 'a depth of 10,000', bytes: () => `{"kind":"publish","x":${deep}}`,
        code: 'MESSAGE_TOO_DEEP',
      },
      {
        name: 'an unknown kind', bytes: () => '{"kind":"shutdown","number":1}',
        code: 'BUS_FRAME_MALFORMED',
      },
      {
        name: 'an unknown member', bytes: () => JSON.stringify({ ...publish(), trusted: true }),
        code: 'BUS_FRAME_MALFORMED',
      },
      {
        name: 'a number beyond exact integers',
        bytes: () => '{"kind":"renew","number":99999999999999999999,"csr":"x"}',
        code: 'MESSAGE_NUMBER_UNSAFE',
      },
      {
        name: 'a number of the wrong type',
        bytes: () => JSON.stringify({ ...publish(), number: '1' }), code: 'BUS_FRAME_MALFORMED',
      },
      {
        name: 'a second hello',
        bytes: () => JSON.stringify({ kind: 'hello', meshDigest: digest, policyVersion: 0, isolation: 'uid', runs: ['01K74F0Z00ABCDEFGHJKMNPQRS'], nonce: 'A'.repeat(22) }),
        code: 'BUS_FRAME_MALFORMED',
      },
      {
        name: 'a record entry of another agent',
        bytes: () => JSON.stringify(
          {
            kind: 'record', number: 1, policyVersion: 1, privileged: true,
            entries: [entryOf(forge(mallory, {}).body, { actor: 'sidecar:planner' })],
          }
        ),
        code: 'BUS_ENTRY_FORGED',
      },
      {
        name: 'a record entry that only the node may write',
        bytes: () => JSON.stringify(
          {
            kind: 'record', number: 1, policyVersion: 1, privileged: true,
            entries: [entryOf(forge(mallory, {}).body, { kind: 'message.admitted' })],
          }
        ),
        code: 'BUS_FRAME_MALFORMED',
      },
      {
        name: 'the receipt of a message never handed over',
        bytes: () => JSON.stringify({ kind: 'delivered', number: 1, entries: [] }),
        code: 'BUS_ENTRY_FORGED',
      },
      {
        name: 'a hold in the name of an executor',
        bytes: () => JSON.stringify(
          {
            kind: 'hold', number: 1,
            hold: {
              message: 'm', task: 't', executor: 'payments', requester: 'planner', rootOrigin: 'x',
              action: 'refund', risk: 'HIGH', reversibility: 'irreversible', parameters: {},
              digest: 'A'.repeat(43), approvalsNeeded: 1, reasons: [], expiresAt: 1,
            },
          }
        ),
        code: 'BUS_ENTRY_FORGED',
      },
    ];
    for (const { name, bytes, code } of attacks) {
      it(`end the connection when they are ${name}`, async () => {
        const bus = await line();
        bus.raw(bytes());
        expect(await bus.ended).toEqual({ status: 4000, reason: code });
        await until(`${code} in the log`, async () => {
          const entries = await folder.entries();
          return entries.some((one) => one.code === code && one.detail['agent'] === 'mallory');
        });
      });
    }

    it('end the connection when anything comes before hello', async () => {
      const { credential, bundlePem, nodeSpiffeId, port } = mallory;
      const bus = await BusLine.open(clientTlsOptions(credential, bundlePem, nodeSpiffeId), port);
      bus.send(publish());
      expect(await bus.ended).toEqual({ status: 4000, reason: 'BUS_FRAME_MALFORMED' });
    });

    it('end the connection when they run on another mesh file', async () => {
      const { credential, bundlePem, nodeSpiffeId, port } = mallory;
      const bus = await BusLine.open(clientTlsOptions(credential, bundlePem, nodeSpiffeId), port);
      bus.send({ kind: 'hello', meshDigest: 'B'.repeat(43), policyVersion: 0, isolation: 'uid', runs: ['01K74F0Z00ABCDEFGHJKMNPQRS'], nonce: 'A'.repeat(22) });
      expect(await bus.ended).toEqual({ status: 4000, reason: 'BUS_MESH_MISMATCH' });
    });

    it('of 100 MB end the connection and cost the node no memory', async () => {
      const before = residentKb(node.pid);
      const bus = await line();
      bus.raw(Buffer.alloc(100 * 1024 * 1024, 0x20).toString('latin1'));
      const { status } = await bus.ended;
      expect([1006, 1009]).toContain(status);
      await recorded(folder, 'identity.refused', 'BUS_FRAME_MALFORMED');
      expect(residentKb(node.pid) - before).toBeLessThan(90_000);
    });
  });

  describe('connections', () => {
    const refusedWith = async (options: Parameters<typeof BusLine.open>[0]): Promise<unknown> =>
      BusLine.open(options, mallory.port).then(
        async (bus) => {
          bus.send({ kind: 'hello', meshDigest: digest, policyVersion: 0, isolation: 'uid', runs: ['01K74F0Z00ABCDEFGHJKMNPQRS'], nonce: 'A'.repeat(22) });
          const ended = await Promise.race(
            [bus.ended, bus.next((frame) => frame['kind'] === 'welcome')]
          );
          bus.close();
          return 'kind' in ended ? 'WELCOMED' : 'ENDED';
        },
        () => 'REFUSED',
      );

    it('are refused without a certificate', async () => {
      const { bundlePem } = mallory;
      expect(
        await refusedWith(
          { ca: bundlePem, checkServerIdentity: () => undefined, minVersion: 'TLSv1.3' }
        )
      ).not.toBe('WELCOMED');
      await recorded(folder, 'identity.refused', 'IDENTITY_HANDSHAKE_REFUSED');
    });

    const authorityIn = async (directory: string) =>
      openBuiltinAuthority({
        directory: join(directory, 'authority'),
        trustDomain: 'maso.local',
        kms: await openKeyFileKms(join(directory, 'kms.key'), systemRandom),
        clock,
        random: systemRandom,
      });
    const issued = async (directory: string, lifetimeMs: number): Promise<Intruder> => {
      const authority = await authorityIn(directory);
      const key = await newKey();
      const spiffeId = agentSpiffeId('maso.local', 'mallory', 'X');
      const svid = await authority.issue({ csrPem: key.csrPem, spiffeId, lifetimeMs });
      return { ...mallory, credential: credentialFromPem(svid.chainPem, key.privateKey) };
    };
    const optionsOf = ({ credential, bundlePem, nodeSpiffeId }: Intruder) =>
      clientTlsOptions(credential, bundlePem, nodeSpiffeId);
    const refusals = async (): Promise<number> =>
      (await folder.entries()).filter((one) => one.kind === 'identity.refused').length;

    it('are refused with a certificate of another authority', async () => {
      const other = await MeshFolder.create({});
      const stranger = await issued(other.directory, 60_000);
      const before = await refusals();
      expect(await refusedWith(optionsOf(stranger))).not.toBe('WELCOMED');
      await until('one more refusal', async () => (await refusals()) > before);
      await other.remove();
    });

    it('are refused with a certificate that signed itself', async () => {
      const stranger = await selfSigned();
      const before = await refusals();
      const { bundlePem } = mallory;
      const options = {
        ...stranger, ca: bundlePem, checkServerIdentity: () => undefined,
        minVersion: 'TLSv1.3' as const,
      };
      expect(await refusedWith(options)).not.toBe('WELCOMED');
      await until('one more refusal', async () => (await refusals()) > before);
    });

    it('are refused with an expired certificate, and end where it expires', async () => {
      const short = await issued(join(folder.state, 'node'), 2_000);
      const bus = await BusLine.hello(short, digest);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      const { envelope, entry } = forge(short, {});
      const answer = await bus.publish(envelope, entry);
      expect(['BUS_CREDENTIAL_EXPIRED', 'IDENTITY_SIGNER_UNKNOWN']).toContain(answer['code']);
      expect((await bus.ended).status).toBe(4000);
      const before = await refusals();
      expect(await refusedWith(optionsOf(short))).not.toBe('WELCOMED');
      await until('one more refusal', async () => (await refusals()) > before);
    });

    it('are refused with the right certificate and another key', async () => {
      const { credential, bundlePem, nodeSpiffeId } = mallory;
      const options = { ...clientTlsOptions(credential, bundlePem, nodeSpiffeId) };
      const key = generateKeyPairSync('ed25519').privateKey.export(
        { format: 'pem', type: 'pkcs8' }
      );
      await expect(BusLine.open({ ...options, key }, mallory.port)).rejects.toThrow();
    });

    it('speak for the agent that the join token was made for, and a token works once', async () => {
      const token = await folder.joinToken('mallory');
      await enrolIntruder(token);
      await expect(enrolIntruder(token)).rejects.toMatchObject(
        { code: 'CONTROL_ENROLMENT_REFUSED' }
      );
      await recorded(folder, 'identity.refused', 'IDENTITY_JOIN_TOKEN_SPENT');
    });
  });
});

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

/** What anybody can make: the right names, signed by nobody but itself. */
async function selfSigned(): Promise<{ readonly cert: string; readonly key: string }> {
  const pair = generateKeyPairSync('ed25519');
  const algorithm = { name: 'Ed25519' };
  const keys = {
    privateKey: pair.privateKey.toCryptoKey(algorithm, true, ['sign']),
    publicKey: pair.publicKey.toCryptoKey(algorithm, true, ['verify']),
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 600_000),
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: 'spiffe://maso.local/agent/mallory/X' },
        ]),
      ],
    },
    webcrypto,
  );
  const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' });
  return { cert: certificate.toString('pem'), key: key.toString() };
}
