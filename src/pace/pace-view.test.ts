// SPDX-License-Identifier: Apache-2.0
import { paceViewSuite } from './pace-view.suite.ts';
import { primaryPace } from './pace-view.ts';

paceViewSuite('always Primary', () => primaryPace);
