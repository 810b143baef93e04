// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { Chance } from './planted-fixture.ts';
import { digitsOf, pick } from './planted-fixture.ts';

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = upper.toLowerCase();
const digits = '0123456789';
const alnum = upper + lower + digits;
const hexSigns = '0123456789abcdef';

function draw(chance: Chance, signs: string, length: number): string {
  let text = '';
  for (let index = 0; index < length; index += 1) text += signs[Math.floor(chance() * signs.length)] ?? '';
  return text;
}

/** Ends in the checksum that GitHub and npm give their tokens. */
function checked(prefix: string, random: string): string {
  const base62 = digits + upper + lower;
  let rest = crc32(random);
  let sum = '';
  while (rest > 0) {
    sum = (base62[rest % 62] ?? '') + sum;
    rest = Math.floor(rest / 62);
  }
  return prefix + random + sum.padStart(6, '0');
}

type Maker = (chance: Chance) => string;

/**
 * One made-up credential of each rule, in the published format. Put together from parts, so that no
 * scanner of repositories takes this file for a leak.
 */
export const credentialMakers: { readonly [rule: string]: Maker } = {
  'aws-access-key': (c) => `AK${'IA'}${draw(c, `${upper}234567`, 16)}`,
  'aws-secret-key': (c) => `aws_secret_access_key = ${draw(c, `${alnum}/+`, 40)}`,
  'github-token': (c) => checked(`gh${'p_'}`, draw(c, alnum, 30)),
  'github-fine-grained-token': (c) => `github_${'pat_'}${draw(c, alnum, 22)}_${draw(c, alnum, 59)}`,
  'github-app-token': (c) =>
    `gh${'s_'}${digitsOf(c, 8)}_${draw(c, alnum, 30)}.${draw(c, alnum, 60)}.${draw(c, alnum, 40)}`,
  'gitlab-token': (c) => `gl${'pat-'}${draw(c, `${alnum}_`, 20)}`,
  'slack-token': (c) => `xo${'xb-'}${digitsOf(c, 12)}-${digitsOf(c, 12)}-${draw(c, alnum, 24)}`,
  'slack-app-token': (c) =>
    `xa${'pp-1-'}A${draw(c, upper + digits, 10)}-${digitsOf(c, 13)}-${draw(c, hexSigns, 64)}`,
  'slack-webhook': (c) =>
    `https://hooks.slack.${'com/services/'}T${draw(c, upper, 8)}/B${draw(c, upper, 8)}/${draw(c, alnum, 24)}`,
  'discord-webhook': (c) => `https://discord.com/api/${'webhooks/'}${digitsOf(c, 18)}/${draw(c, alnum, 68)}`,
  'stripe-key': (c) => `sk_${'live_'}${draw(c, alnum, 24)}`,
  'stripe-webhook-secret': (c) => `wh${'sec_'}${draw(c, alnum, 32)}`,
  'google-api-key': (c) => `AI${'za'}${draw(c, `${alnum}_-`, 34)}x`,
  'google-oauth-secret': (c) => `GOC${'SPX-'}${draw(c, `${alnum}_-`, 27)}x`,
  'google-oauth-token': (c) => `ya${'29.'}${draw(c, alnum, 60)}`,
  'google-oauth-refresh': (c) => `1/${'/0'}${draw(c, alnum, 60)}`,
  'openai-key': (c) => `sk-${'proj-'}${draw(c, alnum, 74)}T3Blbk${'FJ'}${draw(c, alnum, 74)}`,
  'openai-legacy-key': (c) => `sk-${draw(c, alnum, 20)}T3Blbk${'FJ'}${draw(c, alnum, 20)}`,
  'anthropic-key': (c) => `sk-${'ant-api03-'}${draw(c, alnum, 93)}AA`,
  'openrouter-key': (c) => `sk-${'or-v1-'}${draw(c, hexSigns, 64)}`,
  'hugging-face-token': (c) => `hf${'_'}${draw(c, upper + lower, 34)}`,
  'npm-token': (c) => checked(`np${'m_'}`, draw(c, alnum, 30)),
  'npm-auth-token': (c) => `//registry.example.org/:_auth${'Token='}${draw(c, hexSigns, 36)}`,
  'pypi-token': (c) => `py${'pi-'}AgEIcHlwaS5vcmc${draw(c, alnum, 80)}`,
  'twilio-key': (c) => `S${'K'}${draw(c, hexSigns, 32)}`,
  'sendgrid-key': (c) => `S${'G.'}${draw(c, alnum, 22)}.${draw(c, alnum, 43)}`,
  'mailgun-key': (c) => `ke${'y-'}${draw(c, hexSigns, 32)}`,
  'telegram-bot-token': (c) => `${pick(c, ['1', '5', '7'])}${digitsOf(c, 8)}:${'AA'}${draw(c, alnum, 33)}`,
  'json-web-token': (c) => `${'eyJ'}${draw(c, alnum, 33)}.${'eyJ'}${draw(c, alnum, 60)}.${draw(c, alnum, 43)}`,
  'private-key': (c) =>
    `-----BEGIN ${'RSA PRIV'}ATE KEY-----\nMII${draw(c, alnum, 61)}\n${draw(c, alnum, 64)}\n-----END ${'RSA PRIV'}ATE KEY-----`,
  'age-secret-key': (c) => `AGE-${'SECRET-KEY-1'}${draw(c, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`,
  'connection-string': (c) =>
    `${pick(c, ['postgres', 'mysql', 'mongodb', 'redis'])}://app:${draw(c, alnum, 14)}7@db${digitsOf(c, 2)}.internal.net:5432/main`,
  'azure-storage-key': (c) => `Account${'Key='}${draw(c, `${alnum}+/`, 86)}==`,
  'azure-client-secret': (c) => `${draw(c, alnum, 3)}8${'Q~'}${draw(c, alnum, 34)}`,
  'azure-sas': (c) => `https://files.blob.example.net/c?sv=2024&si${'g='}${draw(c, alnum, 43)}%3D`,
  'digitalocean-token': (c) => `dop_${'v1_'}${draw(c, hexSigns, 64)}`,
  'shopify-token': (c) => `shp${'at_'}${draw(c, hexSigns, 32)}`,
  'vault-token': (c) => `hv${'s.'}${draw(c, alnum, 95)}`,
  'databricks-token': (c) => `da${'pi'}${draw(c, hexSigns, 32)}`,
  'grafana-token': (c) => `gl${'sa_'}${draw(c, alnum, 32)}_${draw(c, hexSigns, 8)}`,
  'grafana-cloud-token': (c) => `gl${'c_'}${draw(c, alnum, 80)}`,
  'docker-token': (c) => `dckr_${'pat_'}${draw(c, alnum, 27)}`,
  'postman-key': (c) => `PM${'AK-'}${draw(c, hexSigns, 24)}-${draw(c, hexSigns, 34)}`,
  'linear-key': (c) => `lin_${'api_'}${draw(c, alnum, 40)}`,
  'groq-key': (c) => `gs${'k_'}${draw(c, alnum, 52)}`,
  'notion-token': (c) => `nt${'n_'}${digitsOf(c, 11)}${draw(c, alnum, 35)}`,
  '1password-token': (c) =>
    `op${'s_'}${Buffer.from(`{"signInAddress":"a.example.org","key":"${draw(c, alnum, 120)}"}`).toString('base64')}`,
  'tailscale-key': (c) => `ts${'key-auth-'}${draw(c, alnum, 16)}-${draw(c, alnum, 32)}`,
  'vercel-token': (c) => `vc${'p_'}${draw(c, alnum, 40)}`,
  'figma-token': (c) => `fi${'gd_'}${draw(c, alnum, 43)}`,
  'cloudflare-token': (c) => `cf${'ut_'}${draw(c, alnum, 40)}${draw(c, hexSigns, 8)}`,
  'heroku-key': (c) => `HR${'KU-'}${draw(c, alnum, 60)}`,
  'sentry-token': (c) => `sn${'tryu_'}${draw(c, hexSigns, 64)}`,
  'pulumi-token': (c) => `pu${'l-'}${draw(c, hexSigns, 40)}`,
  'terraform-token': (c) => `${draw(c, alnum, 14)}.atlas${'v1.'}${draw(c, alnum, 67)}`,
  'doppler-token': (c) => `dp.${'pt.'}${draw(c, alnum, 43)}`,
  'new-relic-key': (c) => `NR${'AK-'}${draw(c, upper + digits, 27)}`,
  'square-token': (c) => `sq0${'atp-'}${draw(c, alnum, 22)}`,
  'mailchimp-key': (c) => `${draw(c, hexSigns, 32)}-${'us'}${pick(c, ['1', '6', '14'])}`,
  'supabase-token': (c) => `sb${'p_'}${draw(c, hexSigns, 40)}`,
  'airtable-token': (c) => `pa${'t'}${draw(c, alnum, 14)}.${draw(c, hexSigns, 64)}`,
  'atlassian-token': (c) => `ATA${'TT3'}${draw(c, alnum, 186)}`,
  'bitbucket-password': (c) => `AT${'BB'}${draw(c, alnum, 24)}${draw(c, '0123456789ABCDEF', 8)}`,
  'dropbox-token': (c) => `s${'l.'}${draw(c, alnum, 140)}`,
  'planetscale-token': (c) => `pscale_${'tkn_'}${draw(c, alnum, 43)}`,
  'replicate-token': (c) => `r${'8_'}${draw(c, alnum, 37)}`,
  'rubygems-key': (c) => `ruby${'gems_'}${draw(c, hexSigns, 48)}`,
  'shippo-token': (c) => `shippo_${'live_'}${draw(c, hexSigns, 40)}`,
  'sourcegraph-token': (c) => `sg${'p_'}${draw(c, hexSigns, 16)}_${draw(c, hexSigns, 40)}`,
  'typeform-token': (c) => `tf${'p_'}${draw(c, alnum, 44)}`,
  'perplexity-key': (c) => `pp${'lx-'}${draw(c, alnum, 48)}`,
  'xai-key': (c) => `xa${'i-'}${draw(c, alnum, 80)}`,
  'langsmith-key': (c) => `lsv2_${'pt_'}${draw(c, hexSigns, 32)}_${draw(c, hexSigns, 10)}`,
  'pinecone-key': (c) => `pc${'sk_'}${draw(c, alnum, 6)}_${draw(c, alnum, 63)}`,
  'tavily-key': (c) => `tv${'ly-'}${draw(c, alnum, 32)}`,
  'e2b-key': (c) => `e2${'b_'}${draw(c, hexSigns, 40)}`,
  'resend-key': (c) => `r${'e_'}${draw(c, alnum, 8)}_${draw(c, alnum, 24)}`,
  'brevo-key': (c) => `xkey${'sib-'}${draw(c, hexSigns, 64)}-${draw(c, alnum, 16)}`,
  'crates-token': (c) => `ci${'o'}${draw(c, alnum, 31)}7`,
  'gitea-or-forgejo-token': (c) => `GITEA_${'TOKEN='}${draw(c, hexSigns, 40)}`,
  'named-value': (c) =>
    `${pick(c, ['password', 'api_key', 'client_secret', 'DB_PASSWORD', 'encryption_key'])} = "${draw(c, alnum, 23)}9"`,
  'authorization-header': (c) => `Authorization: ${'Bearer'} ${draw(c, alnum, 39)}4`,
};

/** A document of each format, with a place for a credential, and one for what only looks like one. */
export const documentFormats: readonly (readonly [format: string, write: (value: string) => string])[] = [
  ['JSON', (v) => JSON.stringify({ service: { name: 'billing', note: v, retries: 3 } }, null, 2)],
  ['YAML', (v) => `service:\n  name: billing\n  note: |\n    ${v.replaceAll('\n', '\n    ')}\n  retries: 3\n`],
  ['TOML', (v) => `[service]\nname = "billing"\nnote = """\n${v}\n"""\n`],
  ['INI', (v) => `; settings\n[service]\nname=billing\nnote=${v}\n`],
  ['dotenv', (v) => `NODE_ENV=production\nNOTE='${v}'\nPORT=8080\n`],
  ['XML', (v) => `<?xml version="1.0"?>\n<service><note>${v}</note><retries>3</retries></service>\n`],
  ['HTML', (v) => `<!doctype html><p>Deployed.</p><pre>${v}</pre><p>See the run book.</p>`],
  ['Markdown', (v) => `# Hand-over\n\n- deploy on Friday\n\n\`\`\`\n${v}\n\`\`\`\n`],
  ['shell', (v) => `#!/bin/sh\nset -eu\ncat <<'END'\n${v}\nEND\nexec node server.js\n`],
  ['TypeScript', (v) => `import { start } from './start.ts';\n\nconst note = \`${v}\`;\nawait start(note);\n`],
  ['log', (v) => `2026-11-21T10:00:01Z INFO start\n2026-11-21T10:00:02Z DEBUG note ${v}\n`],
  ['e-mail', (v) => `From: ops@example.org\nSubject: access\n\nHello,\nhere it is:\n\n${v}\n\nRegards\n`],
];

/** What is no credential: hashes, ids, placeholders, names of variables, certificates, prose. */
export const harmlessMakers: readonly Maker[] = [
  (c) => `commit ${draw(c, hexSigns, 40)}`,
  (c) => `sha256:${draw(c, hexSigns, 64)}`,
  (c) => `sha512-${draw(c, `${alnum}+/`, 86)}==`,
  (c) => `${draw(c, hexSigns, 8)}-${draw(c, hexSigns, 4)}-4${draw(c, hexSigns, 3)}-8${draw(c, hexSigns, 3)}-${draw(c, hexSigns, 12)}`,
  () => 'password = "<your password>"',
  () => 'api_key: ${API_KEY}',
  () => 'const token = await getToken(session.user);',
  () => 'secret = process.env.CLIENT_SECRET',
  () => 'AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE',
  () => 'postgres://user:password@localhost:5432/db',
  (c) => `-----BEGIN CERTIFICATE-----\nMII${draw(c, alnum, 61)}\n-----END CERTIFICATE-----`,
  (c) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${draw(c, alnum, 43)} ops@example.org`,
  () => 'Rotate the api key every 90 days and never write the password down.',
  (c) => `<img src="data:image/png;base64,iVBORw0KGgo${draw(c, `${alnum}+/`, 80)}">`,
  (c) => `trace ${draw(c, hexSigns, 32)} span ${draw(c, hexSigns, 16)}`,
  () => 'passwordPolicy: { minimumLength: 12, requireDigits: true }',
  (c) => `token_count=${digitsOf(c, 5)} secret_santa=true key-value task-list sk-learn`,
  () => 'password: ********',
  (c) => `etag: W/"${draw(c, alnum, 27)}"`,
  (c) => `https://example.org/files/${draw(c, alnum, 22)}?page=2`,
];
