// SPDX-License-Identifier: Apache-2.0
import { approverSuite } from './approver.suite.ts';
import { noApprover } from './approver.ts';

approverSuite('nobody', () => noApprover);
