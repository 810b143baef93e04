// SPDX-License-Identifier: Apache-2.0

/**
 * Words that orders to a model are made of. Words of one or two letters are not among them: too many
 * names of things would turn into them.
 */
export const leetWords: ReadonlySet<string> = new Set(
  (
    'about above access according account act acting action activated actual add added adding ' +
    'additional address admin administrator after agent agents all also always amount and ' +
    'answer any anybody anyone anything api approval approve approved ask asked asking ' +
    'assistant assistants attachment attention authorization authorized available bank before ' +
    'behave below both break but buy bypass call cancel card censorship character chat click ' +
    'close code command commands commit comply conceal confidential confirm confirmation ' +
    'constraint constraints content context continue conversation copy create creator ' +
    'credential credentials customer data database decode delete deploy details developer ' +
    'directive directives disable disclose display disregard document does dollar dollars done ' +
    'dont download drop earlier email enable enabled euros every everything exact execute ' +
    'exfiltrate existing export fetch file files filter filters first follow following forget ' +
    'format forward free from full further future give given god grant guardrail guardrails ' +
    'guideline guidelines hack have hidden history human ignore ignoring immediately important ' +
    'include inform information initial input install instead instruction instructions internal ' +
    'into invoice invoke jailbreak keys language later leak ledger limitations link list login ' +
    'longer mail mention merge message messages mode model models money must name never new ' +
    'next nobody not note notify now obey once only open operator order orders original other ' +
    'others output outside over override overrides overrule owner parameters pass password ' +
    'passwords pay payee payment perform person please policies policy post preceding pretend ' +
    'previous previously print prior private privileged proceed programming prompt prompts ' +
    'provide publish purchase push put query read real record records refund refuse regardless ' +
    'release remain remember remove repeat replace replaces reply request requests reset ' +
    'respond response restart restriction restrictions reveal role root rule rules run safety ' +
    'save say schedule script secret secrets security send sender session set share shell show ' +
    'sign silently skip source start starting state statement stay step steps stop store submit ' +
    'subscribe sudo summary supersede supersedes supervisor system systems take target task ' +
    'tasks tell text that the their them then these they things this those through token tokens ' +
    'told tool tools training transfer transmit treat trust unfiltered unless unlock ' +
    'unrestricted until updated upgrade upload urgent use user users using verify violate visit ' +
    'wallet want what when where which while will wipe wire with without word work write you ' +
    'your yours'
  ).split(' '),
);

/** Words that join those: only beside one of them. */
export const shortLeetWords: readonly string[] = 'as at be by do go he if in is it me my no of on or so to us we'.split(' ');
