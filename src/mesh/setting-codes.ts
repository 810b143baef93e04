// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';
import { firewallSettingCodes } from './firewall-setting-codes.ts';
import { judgeSettingCodes } from './judge-setting-codes.ts';
import { workflowCodes } from './workflow-codes.ts';

/** What is wrong with a section that configures one control, and with workflows. */
export const settingCodes = {
  ...firewallSettingCodes,
  ...judgeSettingCodes,
  ...workflowCodes,
} as const satisfies CodeTable;
