// SPDX-License-Identifier: Apache-2.0

/**
 * Words that orders to a model are made of. Words of one or two letters are left out: too many
 * names of things would turn into them.
 */
export const leetWords: ReadonlySet<string> = new Set(
  (
    'about above access according account act acting action activated actual additional address ' +
    'admin administrator after agent agents all also always amount and answer any anyone anything ' +
    'api ask asked assistant assistants attachment attention authorization authorized available ' +
    'bank before behave below both break but bypass call card censorship character chat click ' +
    'code command commands comply conceal confidential confirm confirmation constraint ' +
    'constraints content context continue conversation copy create credential credentials ' +
    'creator customer data database decode delete details developer directive directives disable ' +
    'disclose display disregard document does done dont download drop earlier email enable ' +
    'enabled every everything exact execute existing exfiltrate export fetch file files filter ' +
    'filters first follow following forget format forward free from full further future ' +
    'give given god guardrail guardrails guideline guidelines hack have hidden history human ' +
    'ignore ignoring immediately important include inform information initial input instead ' +
    'instruction instructions internal into invoice jailbreak keys language later leak ' +
    'limitations link list login longer mail mention message messages mode model models money ' +
    'must name never new next not note notify now obey once only operator order orders original ' +
    'other others output outside over overrule override overrides owner parameters pass password ' +
    'passwords pay payment perform person policies policy post preceding pretend previous ' +
    'previously print prior private privileged proceed programming prompt prompts provide ' +
    'put query read real record records refuse regardless release remain remember remove repeat ' +
    'replace replaces reply request requests respond response restriction restrictions reveal ' +
    'role root rule rules run safety save say script secret secrets security send session set ' +
    'share show silently skip source start starting state statement stay step steps stop store ' +
    'sudo summary supersede supersedes supervisor system systems take target task tasks tell text ' +
    'that the their them then these they things this those through token tokens told tool tools ' +
    'training transfer transmit treat trust unfiltered unless unrestricted until updated upload ' +
    'urgent use user users using verify violate wallet want what when where which while will wire ' +
    'with without word work write you your yours'
  ).split(' '),
);
