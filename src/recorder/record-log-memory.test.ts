// SPDX-License-Identifier: Apache-2.0
import { MemoryRecordLog } from './record-log-memory.ts';
import { recordLogSuite } from './record-log.suite.ts';

recordLogSuite('the log in memory', async () => ({
  log: new MemoryRecordLog('memory-log-of-a-test-00'),
  reopen: null,
  dispose: async () => undefined,
}));
