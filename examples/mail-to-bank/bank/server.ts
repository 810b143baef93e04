// SPDX-License-Identifier: Apache-2.0
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { Ledger, LedgerError } from './ledger.ts';

/** sysexits(3): the caller has no permission. */
const exitNoPermission = 77;
const exitUsage = 64;

const invoice = z.string().regex(/^[A-Za-z0-9-]{1,32}$/);
const payee = z.string().regex(/^[A-Z0-9][A-Z0-9-]{0,63}$/);
const amount = z.number().positive().max(1_000_000);
const transferId = z.string().regex(/^(T[0-9]{8}|none)$/);

/**
 * An example bank as an MCP server over stdio: `node server.ts LEDGER-FILE`. It speaks only to
 * whoever started it, starts only with a key in `BANK_LEDGER_KEY`, which the tool gate hands over,
 * and ends at the first call when that is not the key of the books. Results hold no prose;
 * arguments take none.
 */
function main(): void {
  const [, , path] = process.argv;
  const key = process.env['BANK_LEDGER_KEY'] ?? '';
  delete process.env['BANK_LEDGER_KEY'];
  if (path === undefined) return stop(exitUsage, 'usage: server.ts LEDGER-FILE');
  if (key.length < 32) return stop(exitNoPermission, 'BANK_LEDGER_KEY is missing');
  let books: Ledger | null = null;
  const server = bankServer(() => {
    books ??= openBooks(path, key);
    return books;
  });
  void server.connect(new StdioServerTransport());
  process.stdin.once('end', () => process.exit(0));
}

/** A wrong key ends the process: nobody without the right one gets to try another call. */
function openBooks(path: string, key: string): Ledger {
  try {
    return new Ledger(path, key);
  } catch (failure) {
    if (!(failure instanceof LedgerError)) throw failure;
    stop(exitNoPermission, failure.code);
    return process.exit(exitNoPermission);
  }
}

function bankServer(ledger: () => Ledger): McpServer {
  const server = new McpServer({ name: 'example-bank', version: '1.0.0' });
  server.registerTool(
    'transfer',
    {
      description: 'Pays an invoice to a payee, at most once per idempotency key.',
      inputSchema: z.strictObject({
        invoice,
        payee,
        amount,
        idempotency_key: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
      }),
      outputSchema: z.strictObject({
        status: z.enum(['paid', 'refused']),
        transfer_id: transferId,
        payee,
        amount,
      }),
    },
    async (order) => {
      const amountCents = Math.round(order.amount * 100);
      // Half a cent would be rounded into a sum that nobody ordered.
      const exact = Math.abs(amountCents - order.amount * 100) < 1e-6;
      const { invoice, payee, amount, idempotency_key: idempotencyKey } = order;
      if (!exact) return structured({ status: 'refused', transfer_id: 'none', payee, amount });
      return structured(ledger().transfer({ invoice, payee, amountCents, idempotencyKey }));
    },
  );
  server.registerTool(
    'verified_payees',
    {
      description: 'Lists the payees whose account numbers were checked.',
      inputSchema: z.strictObject({}),
      outputSchema: z.strictObject({
        payees: z.array(
          z.strictObject({ name: payee, iban: z.string().regex(/^[A-Z0-9]{15,34}$/) }),
        ),
      }),
    },
    async () => structured({ payees: ledger().verifiedPayees() }),
  );
  server.registerTool(
    'balance',
    {
      description: 'Tells the balance of the account.',
      inputSchema: z.strictObject({}),
      outputSchema: z.strictObject({ balance: z.number() }),
    },
    async () => structured({ balance: ledger().balance() }),
  );
  server.registerTool(
    'history',
    {
      description: 'Lists all transfers, the oldest first.',
      inputSchema: z.strictObject({}),
      outputSchema: z.strictObject({
        transfers: z.array(
          z.strictObject({ transfer_id: transferId, invoice, payee, amount: z.number() }),
        ),
      }),
    },
    async () => structured({ transfers: ledger().history() }),
  );
  return server;
}

function structured(value: { readonly [member: string]: unknown }): {
  content: [];
  structuredContent: { [member: string]: unknown };
} {
  return { content: [], structuredContent: { ...value } };
}

function stop(exitCode: number, reason: string): void {
  process.stderr.write(`bank: ${reason}\n`);
  process.exitCode = exitCode;
}

if (import.meta.main) main();
