// SPDX-License-Identifier: Apache-2.0
import { backboneSuite } from './backbone.suite.ts';
import { LocalBackbone } from './local-backbone.ts';

backboneSuite('one node', (queue) => new LocalBackbone(queue));
