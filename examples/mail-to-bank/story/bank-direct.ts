// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { exampleDirectory } from './mesh-process.ts';

export type Payment = { readonly invoice: string; readonly payee: string; readonly amount: number };

/** Where the gate has the bank keep its books. */
export function ledgerFile(state: string): string {
  return join(state, 'tools/payments/bank-ledger.sqlite');
}

/** What the books say, read past the bank. */
export function paymentsIn(state: string): readonly Payment[] {
  const database = new DatabaseSync(ledgerFile(state), { readOnly: true });
  try {
    const rows = database.prepare('SELECT * FROM transfer ORDER BY position').all();
    return rows.map(({ invoice, payee, amount_cents: cents }) => {
      return { invoice: String(invoice), payee: String(payee), amount: Number(cents) / 100 };
    });
  } finally {
    database.close();
  }
}

const handshake = [
  {
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'rogue', version: '1' },
    },
  },
  { method: 'notifications/initialized' },
  {
    id: 2,
    method: 'tools/call',
    params: {
      name: 'transfer',
      arguments: {
        invoice: '9998',
        payee: 'NORTHWIND-HOLDINGS',
        amount: 4990,
        idempotency_key: 'around-the-gate',
      },
    },
  },
];

/**
 * Starts the bank on the mesh's own books, without the gate, and orders a transfer. Resolves with
 * what the bank says on its way out, and its exit code.
 */
export function payAround(
  state: string,
  key: string | null,
): Promise<{ readonly exitCode: number | null; readonly reason: string }> {
  const program = join(exampleDirectory, 'bank/server.ts');
  const child = spawn(process.execPath, [program, ledgerFile(state)], {
    env: key === null ? {} : { BANK_LEDGER_KEY: key },
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: 10_000,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // A bank that ends before it has read everything leaves a broken pipe, which is what is wanted.
  child.stdin.on('error', () => child.stdin.destroy());
  for (const message of handshake) {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve({ exitCode, reason: /^bank: (.*)$/m.exec(said)?.[1] ?? 'nothing said' });
    });
  });
}
