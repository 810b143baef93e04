// SPDX-License-Identifier: Apache-2.0
import { hasTokenChecksum } from './checksum.ts';
import { isPlaceholder } from './entropy.ts';
import type { Rule } from './rule.ts';
import type { SecretRow } from './secret-rows.ts';
import { moreSecretRows, namedSecretRows } from './secret-rows.ts';

/**
 * Published formats of credentials. Each row names the text that every credential of the kind holds
 * and a bounded expression; a prefix of its own makes a format, and a format a NO-GO.
 */
const rows: readonly SecretRow[] = [
  {
    id: 'aws-access-key',
    keywords: ['akia', 'asia', 'abia', 'acca', 'agpa', 'aida', 'aroa', 'aipa', 'anpa', 'anva'],
    expression: /(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]{16}(?![A-Za-z0-9])/y,
    verify: (match) => !match.endsWith('EXAMPLE'),
  },
  {
    id: 'aws-secret-key',
    keywords: ['aws_secret_access_key', 'aws_secret_key', 'secretaccesskey'],
    expression: /[A-Za-z_]{14,22}["'\s:=]{1,8}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/y,
    verify: (match) => !match.endsWith('EXAMPLEKEY'),
  },
  {
    id: 'github-token',
    keywords: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    expression: /gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    verify: hasTokenChecksum,
    otherwise: 'ESCALATE',
  },
  {
    id: 'github-fine-grained-token',
    keywords: ['github_pat_'],
    expression: /github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])/y,
  },
  {
    id: 'gitlab-token',
    keywords: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glsoat-'],
    expression: /gl(?:pat|dt|rt|ptt|soat)-[A-Za-z0-9_-]{20,64}(?![A-Za-z0-9_-])/y,
  },
  {
    id: 'slack-token',
    keywords: ['xoxa-', 'xoxb-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'xoxd-', 'xoxc-'],
    expression: /xox[a-eo-s]-[0-9]{8,14}-[A-Za-z0-9-]{10,200}/y,
  },
  {
    id: 'slack-app-token',
    keywords: ['xapp-'],
    expression: /xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{8,15}-[a-f0-9]{40,128}/y,
  },
  {
    id: 'slack-webhook',
    keywords: ['hooks.slack.com/services/'],
    expression:
      /hooks\.slack\.com\/services\/T[A-Z0-9]{6,12}\/B[A-Z0-9]{6,12}\/[A-Za-z0-9]{20,28}/y,
  },
  {
    id: 'discord-webhook',
    keywords: ['/api/webhooks/'],
    expression: /\/api\/webhooks\/[0-9]{17,20}\/[A-Za-z0-9_-]{60,70}/y,
    wordStart: false,
  },
  {
    id: 'stripe-key',
    keywords: ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'],
    expression: /[sr]k_(?:live|test)_[A-Za-z0-9]{16,247}(?![A-Za-z0-9])/y,
  },
  {
    id: 'stripe-webhook-secret',
    keywords: ['whsec_'],
    expression: /whsec_[A-Za-z0-9+/]{32,64}={0,2}/y,
  },
  {
    id: 'google-api-key',
    keywords: ['aiza'],
    expression: /AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/y,
  },
  {
    id: 'google-oauth-secret',
    keywords: ['gocspx-'],
    expression: /GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])/y,
  },
  {
    id: 'google-oauth-token',
    keywords: ['ya29.'],
    expression: /ya29\.[0-9A-Za-z_-]{20,512}/y,
  },
  {
    id: 'openai-key',
    keywords: ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-none-'],
    expression: /sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,200}/y,
  },
  {
    id: 'openai-legacy-key',
    keywords: ['t3blbkfj'],
    expression: /sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}(?![A-Za-z0-9])/,
    before: 23,
  },
  {
    id: 'anthropic-key',
    keywords: ['sk-ant-'],
    expression: /sk-ant-[a-z]{3,6}[0-9]{2}-[A-Za-z0-9_-]{20,140}/y,
  },
  {
    id: 'hugging-face-token',
    keywords: ['hf_', 'api_org_'],
    expression: /(?:hf_|api_org_)[A-Za-z]{34}(?![A-Za-z0-9])/y,
  },
  {
    id: 'npm-token',
    keywords: ['npm_'],
    expression: /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    verify: hasTokenChecksum,
    otherwise: 'ESCALATE',
  },
  {
    id: 'pypi-token',
    keywords: ['pypi-ageichlwas5vcmc'],
    expression: /pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,512}/y,
  },
  {
    id: 'twilio-key',
    keywords: ['sk0', 'sk1', 'sk2', 'sk3', 'sk4', 'sk5', 'sk6', 'sk7', 'sk8', 'sk9']
      .concat(['ska', 'skb', 'skc', 'skd', 'ske', 'skf']),
    expression: /SK[0-9a-f]{32}(?![0-9A-Za-z])/y,
  },
  {
    id: 'sendgrid-key',
    keywords: ['sg.'],
    expression: /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/y,
  },
  {
    id: 'mailgun-key',
    keywords: ['key-'],
    expression: /key-[0-9a-f]{32}(?![0-9A-Za-z])/y,
  },
  {
    id: 'telegram-bot-token',
    keywords: [':aa'],
    expression: /[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/,
    before: 10,
  },
  {
    id: 'json-web-token',
    keywords: ['eyj'],
    expression: /eyJ[A-Za-z0-9_-]{10,512}\.eyJ[A-Za-z0-9_-]{10,1024}\.[A-Za-z0-9_-]{16,700}/y,
  },
  {
    id: 'private-key',
    keywords: ['-----begin '],
    // Texts about keys quote the first line; a key has a body.
    expression:
      /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{0,160}?[A-Za-z0-9+/]{24}/y,
    wordStart: false,
  },
  {
    id: 'age-secret-key',
    keywords: ['age-secret-key-1'],
    expression: /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/y,
  },
  {
    id: 'connection-string',
    keywords: ['postgres://', 'postgresql://', 'mysql://', 'mariadb://', 'mongodb://']
      .concat(['mongodb+srv://', 'redis://', 'rediss://', 'amqp://', 'amqps://', 'mssql://'])
      .concat(['ftp://', 'sftp://', 'http://', 'https://', 'smtp://', 'ldap://']),
    expression:
      /[a-z+]{3,13}:\/\/[^\s:@/?#"'<>]{0,64}:[^\s:@/?#"'<>]{3,128}@[a-z0-9.[-]{1,64}/iy,
    verify: (match) => !isPlaceholder(match.slice(match.lastIndexOf(':') + 1, match.indexOf('@'))),
  },
  {
    id: 'azure-storage-key',
    keywords: ['accountkey=', 'sharedaccesskey='],
    expression: /(?:AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{43}=)/iy,
    wordStart: false,
  },
  {
    id: 'azure-client-secret',
    keywords: ['q~'],
    expression: /[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])/,
    before: 4,
    wordStart: true,
  },
  {
    id: 'digitalocean-token',
    keywords: ['dop_v1_', 'doo_v1_', 'dor_v1_'],
    expression: /do[opr]_v1_[a-f0-9]{64}(?![a-z0-9])/y,
  },
  {
    id: 'shopify-token',
    keywords: ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    expression: /shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?![A-Za-z0-9])/y,
  },
  {
    id: 'vault-token',
    keywords: ['hvs.', 'hvb.'],
    expression: /hv[sb]\.[A-Za-z0-9_-]{90,300}/y,
  },
  {
    id: 'databricks-token',
    keywords: ['dapi'],
    expression: /dapi[a-f0-9]{32}(?:-[0-9])?(?![A-Za-z0-9])/y,
  },
  {
    id: 'grafana-token',
    keywords: ['glsa_'],
    expression: /glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}(?![A-Za-z0-9])/y,
  },
  {
    id: 'docker-token',
    keywords: ['dckr_pat_', 'dckr_oat_'],
    expression: /dckr_[po]at_[A-Za-z0-9_-]{27,32}(?![A-Za-z0-9_-])/y,
  },
  {
    id: 'postman-key',
    keywords: ['pmak-'],
    expression: /PMAK-[a-f0-9]{24}-[a-f0-9]{34}(?![a-z0-9])/y,
  },
  {
    id: 'linear-key',
    keywords: ['lin_api_'],
    expression: /lin_api_[A-Za-z0-9]{40}(?![A-Za-z0-9])/y,
  },
];

/** The shipped rules for credentials. */
export const secretRules: readonly Rule[] = [
  ...rows,
  ...moreSecretRows,
  ...namedSecretRows,
].map((row) => ({
  id: `secret/${row.id}`,
  code: 'SCAN_SECRET',
  outcome: 'NO-GO',
  keywords: row.keywords,
  expression: row.expression,
  before: row.before ?? 0,
  wordStart: row.wordStart ?? true,
  verify: row.verify ?? null,
  otherwise: row.otherwise ?? null,
  appliesToUser: true,
}));
