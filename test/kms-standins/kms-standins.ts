// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on loopback that speaks the protocol of a KMS; what it was sent is kept for the test. */
export type KmsStandIn = {
  readonly address: string;
  readonly asked: readonly string[];
  /** Makes a new version of its key; earlier ones still open. */
  readonly rotate: () => void;
  /** Earlier versions open no more. */
  readonly retire: () => void;
  readonly close: () => Promise<void>;
};

type Answer = { readonly status: number; readonly json: object };
type Ask = { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string };

class Versions {
  readonly keys = [randomBytes(32)];
  lowest = 1;

  seal(plain: Buffer, data: Buffer): { readonly version: number; readonly sealed: Buffer } {
    const version = this.keys.length;
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#of(version), nonce);
    cipher.setAAD(data);
    return { version, sealed: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
  }

  open(version: number, sealed: Buffer, data: Buffer): Buffer | null {
    if (version < this.lowest || version > this.keys.length || sealed.length < 28) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.#of(version), sealed.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(data);
    decipher.setAuthTag(sealed.subarray(-16));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    } catch {
      // The stand-in says what the real one says for it.
      return null;
    }
  }

  #of(version: number): Buffer {
    return this.keys[version - 1] ?? Buffer.alloc(32);
  }
}

/** HashiCorp Vault's transit engine: `encrypt` and `decrypt` with associated data, versions, errors. */
export function vaultStandIn(token: string, key: string): Promise<KmsStandIn> {
  const versions = new Versions();
  const error = (status: number, text: string): Answer => ({ status, json: { errors: [text] } });
  return listen(versions, ({ path, headers, body }) => {
    if (headers['x-vault-token'] !== token) return error(403, 'permission denied');
    const asked = JSON.parse(body) as { [member: string]: string };
    const data = Buffer.from(asked['associated_data'] ?? '', 'base64');
    if (path === `/v1/transit/encrypt/${key}`) {
      const plain = Buffer.from(asked['plaintext'] ?? '', 'base64');
      if (plain.length === 0) return error(400, 'missing plaintext');
      const { version, sealed } = versions.seal(plain, data);
      const ciphertext = `vault:v${version}:${sealed.toString('base64')}`;
      return { status: 200, json: { data: { ciphertext, key_version: version } } };
    }
    if (path !== `/v1/transit/decrypt/${key}`) return error(404, 'no handler for route');
    const [, version = '', sealed = ''] = /^vault:v(\d+):(.*)$/.exec(asked['ciphertext'] ?? '') ?? [];
    const plain = versions.open(Number(version), Buffer.from(sealed, 'base64'), data);
    if (plain === null) return error(400, 'cipher: message authentication failed');
    return { status: 200, json: { data: { plaintext: plain.toString('base64') } } };
  });
}

/** AWS KMS: JSON 1.1, Signature Version 4 checked against the secret, encryption context. */
export function awsStandIn(
  access: { readonly id: string; readonly secret: string },
  keyId: string,
): Promise<KmsStandIn> {
  const versions = new Versions();
  const error = (type: string): Answer => ({ status: 400, json: { __type: type, message: '' } });
  return listen(versions, (ask) => {
    if (!isSigned(ask, access)) return error('InvalidSignatureException');
    const asked = JSON.parse(ask.body) as { KeyId: string; Plaintext?: string; CiphertextBlob?: string; EncryptionContext: object };
    if (asked.KeyId !== keyId) return error('NotFoundException');
    const data = Buffer.from(JSON.stringify(asked.EncryptionContext));
    switch (ask.headers['x-amz-target']) {
      case 'TrentService.Encrypt': {
        const plain = Buffer.from(asked.Plaintext ?? '', 'base64');
        if (plain.length === 0) return error('ValidationException');
        const { version, sealed } = versions.seal(plain, data);
        const blob = Buffer.concat([Buffer.of(version), sealed]).toString('base64');
        return { status: 200, json: { CiphertextBlob: blob, KeyId: keyId } };
      }
      case 'TrentService.Decrypt': {
        const blob = Buffer.from(asked.CiphertextBlob ?? '', 'base64');
        const plain = versions.open(blob[0] ?? 0, blob.subarray(1), data);
        if (plain === null) return error('com.amazonaws.kms#InvalidCiphertextException');
        return { status: 200, json: { Plaintext: plain.toString('base64'), KeyId: keyId } };
      }
      default:
        return error('UnknownOperationException');
    }
  });
}

/** Written from the specification, apart from the signer under test. */
function isSigned({ path, headers, body }: Ask, access: { readonly id: string; readonly secret: string }): boolean {
  const form = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
  const [, id, date = '', region = '', names = '', signature] = form.exec(headers.authorization ?? '') ?? [];
  const time = String(headers['x-amz-date'] ?? '');
  if (id !== access.id || !time.startsWith(date)) return false;
  for (const name of ['host', 'x-amz-date', 'x-amz-target', 'content-type']) {
    if (!names.split(';').includes(name)) return false;
  }
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`).join('');
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const canonical = `POST\n${path}\n\n${lines}\n${names}\n${hash(body)}`;
  const mac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const key = mac(mac(mac(mac(`AWS4${access.secret}`, date), region), 'kms'), 'aws4_request');
  const scope = `${date}/${region}/kms/aws4_request`;
  return mac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(canonical)}`).toString('hex') === signature;
}

async function listen(versions: Versions, answer: (ask: Ask) => Answer): Promise<KmsStandIn> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push(body);
      const { status, json } = answer({ path: request.url ?? '', headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    asked,
    rotate: () => void versions.keys.push(randomBytes(32)),
    retire: () => (versions.lowest = versions.keys.length),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
