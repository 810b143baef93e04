// SPDX-License-Identifier: Apache-2.0
import { injectionModelSuite } from './injection-model.suite.ts';
import { noInjectionModel } from './injection-model.ts';

injectionModelSuite('no model', async () => noInjectionModel);
