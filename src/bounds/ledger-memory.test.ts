// SPDX-License-Identifier: Apache-2.0
import { ledgerSuite } from './ledger.suite.ts';
import { MemoryLedgerStore } from './ledger-memory.ts';

ledgerSuite('memory', () => new MemoryLedgerStore());
