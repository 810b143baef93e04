// SPDX-License-Identifier: Apache-2.0
import { isBasicAuth, isPassword, isRandomValue } from './entropy.ts';

export type SecretRow = {
  readonly id: string;
  readonly keywords: readonly string[];
  readonly expression: RegExp;
  readonly before?: number;
  readonly wordStart?: boolean;
  readonly verify?: (match: string) => boolean;
  readonly otherwise?: 'ESCALATE';
};

/**
 * Further published formats, each with a prefix of its own: names and lengths as the providers and
 * GitHub's list of scanned patterns state them.
 */
export const moreSecretRows: readonly SecretRow[] = [
  row('groq-key', ['gsk_'], /gsk_[A-Za-z0-9]{52}(?![A-Za-z0-9])/y),
  row('notion-token', ['ntn_'], /ntn_[0-9]{11}[A-Za-z0-9]{35}(?![A-Za-z0-9])/y),
  row('1password-token', ['ops_ey'], /ops_ey[A-Za-z0-9+/=_-]{100,1280}/y),
  row('tailscale-key', ['tskey-'], /tskey-[a-z]{2,20}-[0-9A-Za-z_]{8,40}-[0-9A-Za-z_]{16,60}/y),
  row(
    'vercel-token',
    ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'],
    /vc[piark]_[A-Za-z0-9]{20,60}(?![A-Za-z0-9])/y,
  ),
  row('figma-token', ['figd_'], /figd_[A-Za-z0-9_-]{40,200}/y),
  row(
    'cloudflare-token',
    ['cfk_', 'cfut_', 'cfat_'],
    /(?:cfk|cfut|cfat)_[A-Za-z0-9]{40}[0-9a-f]{8}(?![A-Za-z0-9])/y,
  ),
  row('grafana-cloud-token', ['glc_'], /glc_[A-Za-z0-9+/]{32,400}={0,2}/y),
  row(
    'github-app-token',
    ['ghs_'],
    /ghs_[0-9]{1,20}_[A-Za-z0-9_-]{1,1000}\.[A-Za-z0-9_-]{1,1000}\.[A-Za-z0-9_-]{1,700}/y,
  ),
  row(
    'npm-auth-token',
    ['_authtoken'],
    /_authToken["' ]{0,2}[=:][ "']{0,2}[A-Za-z0-9_-]{20,120}/iy,
    { wordStart: false },
  ),
  row('heroku-key', ['hrku-'], /HRKU-[A-Za-z0-9_-]{36,64}/y),
  row('sentry-token', ['sntrys_', 'sntryu_'], /sntry[su]_[A-Za-z0-9+/=_]{40,300}/y),
  row('pulumi-token', ['pul-'], /pul-[a-f0-9]{40}(?![A-Za-z0-9])/y),
  row(
    'terraform-token',
    ['.atlasv1.'],
    /[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}/,
    { before: 14 },
  ),
  row(
    'doppler-token',
    ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.'],
    /dp\.(?:pt|ct|sa|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44}(?![A-Za-z0-9])/y,
  ),
  row(
    'new-relic-key',
    ['nrak-', 'nraa-', 'nrjs-', 'nrii-'],
    /NR(?:AK|AA|JS|II)-[A-Za-z0-9_-]{19,32}(?![A-Za-z0-9])/y,
  ),
  row(
    'square-token',
    ['sq0atp-', 'sq0csp-', 'eaaa'],
    /(?:sq0atp-[0-9A-Za-z_-]{22}|sq0csp-[0-9A-Za-z_-]{43}|EAAA[a-zA-Z0-9_-]{60})/y,
  ),
  row(
    'mailchimp-key',
    ['-us1', '-us2', '-us3', '-us4', '-us5', '-us6', '-us7', '-us8', '-us9'],
    /[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])/,
    { before: 32 },
  ),
  row(
    'supabase-token',
    ['sbp_', 'sb_secret_'],
    /(?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{31,40})/y,
  ),
  row('airtable-token', ['pat'], /pat[A-Za-z0-9]{14}\.[a-f0-9]{64}(?![A-Za-z0-9])/y),
  row('atlassian-token', ['atatt3'], /ATATT3[A-Za-z0-9_=-]{180,250}/y),
  row('bitbucket-password', ['atbb'], /ATBB[A-Za-z0-9]{24,32}[A-F0-9]{8}/y),
  row('dropbox-token', ['sl.'], /sl\.(?:u\.)?[A-Za-z0-9_-]{130,1200}/y),
  row(
    'planetscale-token',
    ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'],
    /pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}/y,
  ),
  row('replicate-token', ['r8_'], /r8_[A-Za-z0-9]{37,40}(?![A-Za-z0-9])/y),
  row('rubygems-key', ['rubygems_'], /rubygems_[a-f0-9]{48}(?![A-Za-z0-9])/y),
  row('shippo-token', ['shippo_live_', 'shippo_test_'], /shippo_(?:live|test)_[a-f0-9]{40}/y),
  row('sourcegraph-token', ['sgp_'], /sgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}(?![A-Za-z0-9])/y),
  row('typeform-token', ['tfp_'], /tfp_[A-Za-z0-9_.=-]{40,62}/y),
  row('perplexity-key', ['pplx-'], /pplx-[A-Za-z0-9]{40,56}(?![A-Za-z0-9])/y),
  row('xai-key', ['xai-'], /xai-[A-Za-z0-9]{70,90}(?![A-Za-z0-9])/y),
  row('langsmith-key', ['lsv2_pt_', 'lsv2_sk_'], /lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}/y),
  row('pinecone-key', ['pcsk_'], /pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{60,70}/y),
  row('tavily-key', ['tvly-'], /tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}(?![A-Za-z0-9])/y),
  row('e2b-key', ['e2b_'], /e2b_[a-f0-9]{40}(?![A-Za-z0-9])/y),
  row('resend-key', ['re_'], /re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}(?![A-Za-z0-9])/y),
  row('brevo-key', ['xkeysib-'], /xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}/y),
  row('openrouter-key', ['sk-or-v1-'], /sk-or-v1-[a-f0-9]{64}(?![A-Za-z0-9])/y),
  row('crates-token', ['cio'], /cio[A-Za-z0-9]{32}(?![A-Za-z0-9])/y, { verify: isRandomValue }),
  row('azure-sas', ['sig='], /sig=[A-Za-z0-9%+/]{40,90}(?:=|%3d)/iy, { wordStart: false }),
  row('google-oauth-refresh', ['1//0'], /1\/\/0[A-Za-z0-9_-]{40,120}/y),
  row(
    'gitea-or-forgejo-token',
    ['gitea_token', 'forgejo_token'],
    /(?:gitea|forgejo)_token["' ]{0,2}[=:][ "']{0,3}[a-f0-9]{40}/iy,
    { wordStart: false },
  ),
];

/** A value that only its name tells from any other text: what it looks like decides. */
const names =
  '(?:pass(?:word|wd|phrase)?|pwd|secret|api[_-]?key|apikey|access[_-]?key|auth[_-]?key|token|' +
  'client[_-]?secret|private[_-]?key|encryption[_-]?key|signing[_-]?key|credentials?|secret[_-]?key)';
const assignment =
  '["\'`\\\\]{0,3}(?:[ \\t]{0,4}(?:[:=]|=>|:=)[ \\t]{0,4}|>|[ \\t]{1,4}is[ \\t]{1,2}(?::[ \\t])?)' +
  '["\'`\\\\]{0,3}';

/** Entropy in context: a name, a sign, and what follows it. */
export const namedSecretRows: readonly SecretRow[] = [
  {
    id: 'named-value',
    keywords: ['password', 'passwd', 'passphrase', 'pwd', 'secret', 'api_key', 'api-key', 'apikey']
      .concat(['access_key', 'access-key', 'accesskey', 'auth_key', 'auth-key', 'token'])
      .concat(['private_key', 'encryption_key', 'encryption-key', 'signing_key', 'signing-key'])
      .concat(['credential', 'pass=', 'pass:']),
    expression: new RegExp(`${names}${assignment}[A-Za-z0-9+/=_.~!@#$%^&*-]{8,200}`, 'iy'),
    wordStart: false,
    verify: isPassword,
  },
  {
    id: 'authorization-header',
    keywords: ['bearer ', 'basic '],
    expression: /(?:bearer[ ]{1,2}[A-Za-z0-9_.~+/=-]{20,700}|basic[ ]{1,2}[A-Za-z0-9+/]{12,400}={0,2})/iy,
    verify: isBasicAuth,
  },
];

type Options = Omit<SecretRow, 'id' | 'keywords' | 'expression'>;

function row(
  id: string,
  keywords: readonly string[],
  expression: RegExp,
  options: Options = {},
): SecretRow {
  return { id, keywords, expression, ...options };
}
