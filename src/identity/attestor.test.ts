// SPDX-License-Identifier: Apache-2.0
import { attestorSuite } from './attestor.suite.ts';
import { noAttestor } from './attestor.ts';

attestorSuite('nobody', () => noAttestor);
