// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.ts';

type OutputRow = {
  readonly id: string;
  readonly code: 'SCAN_UNSAFE_OUTPUT' | 'SCAN_MANIPULATION';
  readonly outcome: 'NO-GO' | 'ESCALATE';
  readonly keywords: readonly string[];
  /** `_` stands for what separates two words. */
  readonly source: string;
};

/**
 * What may not reach a person unlooked-at: content that runs where it is shown, links that carry
 * data out when they are merely shown, and pressure (PG-1.5). These rules speak only about messages
 * whose recipient passes them on to a person.
 */
const rows: readonly OutputRow[] = [
  {
    id: 'active-content',
    code: 'SCAN_UNSAFE_OUTPUT',
    outcome: 'NO-GO',
    keywords: ['<script', '<iframe', '<object', '<embed', '<applet', 'javascript:', 'vbscript:']
      .concat(['data:text/html', '<svg', '<meta', '<base', '<form']),
    source:
      '(?:<(?:script|iframe|object|embed|applet)\\b|(?:java|vb)script:|data:text/html\\b|' +
      '<svg[^<>]{0,200}\\bon[a-z]{3,20}=|<meta[^<>]{0,80}http-equiv|<base[^<>]{0,40}href|' +
      '<form[^<>]{0,200}action=)',
  },
  {
    id: 'event-handler',
    code: 'SCAN_UNSAFE_OUTPUT',
    outcome: 'NO-GO',
    keywords: ['onerror', 'onload', 'onclick', 'onmouseover', 'onfocus', 'ontoggle', 'onanimation'],
    source: 'on(?:error|load|click|mouseover|focus|toggle|animation[a-z]{3,9})[\\s]{0,4}=[\\s]{0,4}["\'a-z]',
  },
  {
    id: 'image-carries-data',
    code: 'SCAN_UNSAFE_OUTPUT',
    outcome: 'NO-GO',
    keywords: ['!['],
    source:
      '!\\[[^\\]\\n]{0,120}\\]\\(<?https?://[^\\s)>?]{1,200}' +
      '(?:\\?[^\\s)>]{0,200}=[^\\s)>&]{12}|/[^\\s)>/?]{48})',
  },
  {
    id: 'image-tag-carries-data',
    code: 'SCAN_UNSAFE_OUTPUT',
    outcome: 'NO-GO',
    keywords: ['<img'],
    source:
      '<img\\b[^<>]{0,200}src[\\s]{0,3}=[\\s]{0,3}["\']?https?://[^\\s"\'<>?]{1,200}' +
      '\\?[^\\s"\'<>]{0,200}=[^\\s"\'<>&]{12}',
  },
  {
    id: 'link-carries-data',
    code: 'SCAN_UNSAFE_OUTPUT',
    outcome: 'ESCALATE',
    keywords: ['http://', 'https://'],
    source:
      'https?://[^\\s)>"\'?]{1,200}\\?[^\\s)>"\']{0,100}' +
      '(?:data|d|q|payload|content|leak|exfil|secret|token|key|msg|info|body|text|c|p)=' +
      '[A-Za-z0-9+/\\x5f%=-]{48}',
  },
  {
    id: 'false-urgency',
    code: 'SCAN_MANIPULATION',
    outcome: 'ESCALATE',
    keywords: ['act now', 'act immediately', 'approve', 'before it is too late', 'last chance']
      .concat(['final warning', 'there is no time', "there's no time", 'no time to', 'within the next']),
    source:
      '(?:act_(?:now|immediately)_(?:or|before|to_avoid)|' +
      'approve_(?:this_|it_)?(?:now|immediately|right_away|at_once|without)|' +
      'before_it_is_too_late|this_is_your_(?:last|final)|last_chance_to|final_warning|' +
      "there(?:_is|'s)_no_time_to_|no_time_to_(?:think|check|verify|review|ask|explain)|" +
      'within_the_next_[0-9a-z]{1,8}_(?:minutes|seconds|hours?)_or)',
  },
  {
    id: 'discourages-checking',
    code: 'SCAN_MANIPULATION',
    outcome: 'ESCALATE',
    keywords: ["don't", 'do not', 'no need', 'you need not', 'skip', 'trust me', 'just approve']
      .concat(['simply approve', 'do this without']),
    source:
      "(?:(?:don't|do_not)_(?:bother_(?:to_)?|waste_(?:your_|any_)?time_)?" +
      '(?:check|checking|verify|verifying|double_check|review|reviewing|consult|tell_(?:your|anyone|anybody))\\b|' +
      '(?:there_is_)?no_need_to_(?:check|verify|double_check|review|consult|involve)|' +
      'you_need_not_(?:check|verify|review)|skip_the_(?:review|check|verification|approval)|' +
      'trust_me_(?:on|i|this|just)|(?:just|simply)_approve|do_this_without_(?:telling|asking))',
  },
  {
    id: 'emotional-pressure',
    code: 'SCAN_MANIPULATION',
    outcome: 'ESCALATE',
    keywords: ['you will be', "you'll be", 'it will be your', "if you don't", 'if you do not', 'only you']
      .concat(['i am begging', "i'm begging", 'you owe', 'how could you', 'everyone else', 'disappointed']),
    source:
      "(?:you(?:_will|'ll)_be_(?:responsible|blamed|fired|held|to_blame|liable)|" +
      'it_will_be_your_fault|' +
      "if_you_(?:don't|do_not)(?:_[a-z0-9]{1,14}){0,6}_(?:fired|lose_(?:your|my|their|everything)|" +
      'suffer|die|be_hurt|regret|be_punished|shut_down)|' +
      "only_you_can_(?:save|help|stop|prevent)|i(?:_am|'m)_begging_you|you_owe_(?:me|us|it_to)|" +
      'how_could_you_(?:refuse|say_no|not)|everyone_else_has_(?:already_)?(?:approved|agreed)|' +
      'disappointed_in_you_if)',
  },
  {
    id: 'escalating-demand',
    code: 'SCAN_MANIPULATION',
    outcome: 'ESCALATE',
    keywords: ['as i said', 'i have asked', "i've asked", 'for the last time', 'i insist', 'i must insist'],
    source:
      "(?:i(?:_have|'ve)_asked_you_(?:[a-z0-9]{1,8}_)?times|for_the_last_time|i_(?:must_)?insist_that_you|" +
      'as_i_said_you_must)',
  },
];

const separator = '(?:[^a-z0-9]{1,6})';

export const outputRules: readonly Rule[] = rows.map((row) => ({
  id: `${row.code === 'SCAN_MANIPULATION' ? 'manipulation' : 'output'}/${row.id}`,
  code: row.code,
  outcome: row.outcome,
  keywords: row.keywords,
  expression: new RegExp(row.source.replaceAll('_', separator), 'iy'),
  before: 0,
  wordStart: false,
  verify: null,
  otherwise: null,
  appliesToUser: true,
}));
