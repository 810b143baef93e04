// SPDX-License-Identifier: Apache-2.0

export type InjectionRow = {
  readonly id: string;
  readonly outcome: 'NO-GO' | 'ESCALATE';
  /** What the match begins with; see `Rule`. */
  readonly keywords: readonly string[];
  /** Source of a sticky, case-insensitive expression; `_` stands for what separates two words. */
  readonly source: string;
  readonly wordStart?: boolean;
};

const earlier =
  '(?:previous|prior|above|preceding|earlier|foregoing|existing|initial|original|system|past)' +
  '(?:ly)?';
const orders =
  '(?:instruction|prompt|direction|rule|guideline|command|context|directive|constraint|' +
  'polic(?:y|ie)|programming|training)s?';
const filler = '(?:_(?:all|any|the|of|your|every|these|those|my|and|other|completely|both)){0,5}';
const models = '(?:ai|llm|language_model|assistant|chatbot|agent|bot|gpt|claude|model)';
/** What separates words that may hold letters with marks. */
const betweenMarked = '[^a-z0-9\\u00e0-\\u00ff]{1,6}';
/** A word and what separates words have no sign in common: else the ways to part a row of it are without number. */
const anyWords = (count: number): string => `(?:_[a-z0-9]{1,14}){0,${count}}`;

/**
 * Wording of prompt injection, first version. NO-GO where ordinary text hardly ever says it,
 * ESCALATE where it might. A fooled or absent rule changes nothing about G1 to G5.
 */
export const injectionRows: readonly InjectionRow[] = [
  {
    id: 'ignore-instructions',
    outcome: 'NO-GO',
    keywords: ['ignor', 'disregard', 'forget', 'override', 'bypass', 'discard'],
    source:
      `(?:ignor(?:e|ing)|disregard(?:ing)?|forget|override|bypass|discard)${filler}` +
      `_${earlier}${anyWords(2)}_${orders}\\b`,
  },
  {
    id: 'ignore-everything',
    outcome: 'NO-GO',
    keywords: ['ignore', 'disregard', 'forget'],
    source:
      '(?:ignore|disregard|forget)_(?:everything|anything|what)' +
      '(?:_(?:of|that|the|text)){0,2}_' +
      '(?:above|before|previous(?:ly)?|prior|you_(?:know|were|have_been|was)|' +
      '(?:i|we)_(?:said|told))\\b',
  },
  {
    id: 'ignore-your-rules',
    outcome: 'NO-GO',
    keywords: ['ignore', 'disregard', 'forget', 'override', 'bypass', 'violate'],
    source:
      '(?:ignore|disregard|forget|override|bypass|violate)(?:_(?:all|any|of)){0,2}_your' +
      `${anyWords(1)}_(?:${orders}|safety|guardrails?|filters?|restrictions?|limitations?)\\b`,
  },
  {
    id: 'ignore-instructions-other-languages',
    outcome: 'NO-GO',
    keywords: ['ignor', 'vergiss', 'oublie', 'olvida', 'dimentica', 'esque'],
    source:
      '(?:ignor[a-z]{1,6}|vergiss|oubli[a-z]{1,3}|olvid[a-z]{1,4}|dimentic[a-z]{1,4}|' +
      `esque[a-z\\u00e7]{1,4})(?:${betweenMarked}[a-z\\u00e0-\\u00ff]{1,12}){0,4}${betweenMarked}` +
      '(?:anweisung(?:en)?|instrucciones|instru\\u00e7\\u00f5es|instrucoes|istruzioni|consignes|' +
      'vorgaben|(?:les|ces|vos|tes)_instructions)',
  },
  {
    id: 'supersedes-instructions',
    outcome: 'NO-GO',
    keywords: ['supersede', 'override', 'overrule', 'replace'],
    source:
      '(?:supersedes?|overrides?|overrules?|replaces?)(?:_(?:all|any|the|your|every)){1,3}_' +
      `${earlier}${anyWords(1)}_${orders}\\b`,
  },
  {
    id: 'chat-template',
    outcome: 'NO-GO',
    keywords: ['<|', '<start_of', '<end_of'],
    source:
      '(?:<\\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|start_header_id|' +
      'end_header_id|begin_of_text|end_of_text|end_of_turn|endofprompt|channel|message)\\|>|' +
      '<(?:start|end)_of_turn>)',
    wordStart: false,
  },
  {
    id: 'chat-template-quoted-often',
    outcome: 'ESCALATE',
    keywords: ['[inst]', '[/inst]', '<<sys>>', '<</sys>>'],
    source: '(?:\\[/?inst\\]|<</?sys>>)',
    wordStart: false,
  },
  {
    id: 'do-anything-now',
    outcome: 'NO-GO',
    keywords: ['do anything', 'you are dan', 'dan mode', 'jailbr'],
    source: '(?:do_anything_now|you_are_dan|dan_mode|jailbroken|jailbreak_mode)\\b',
  },
  {
    id: 'privileged-mode',
    outcome: 'NO-GO',
    keywords: ['developer', 'god', 'sudo', 'admin', 'unrestricted'],
    source:
      '(?:developer|god|sudo|admin|unrestricted)_mode_' +
      '(?:enabled|activated|output|is_(?:now_)?(?:on|enabled|active))\\b',
  },
  {
    id: 'system-override',
    outcome: 'NO-GO',
    keywords: ['system', 'admin', 'security'],
    source: '(?:system|admin|administrator|security)_override\\b',
  },
  {
    id: 'reveal-system-prompt',
    outcome: 'NO-GO',
    keywords: ['reveal', 'show', 'print', 'repeat', 'output', 'display', 'disclose', 'leak', 'give']
      .concat(['tell', 'what', 'share']),
    source:
      '(?:reveal|show|print|repeat|output|display|disclose|leak|give|tell|share|what_(?:is|are))' +
      '(?:_(?:me|us|the|all|of|exact|full|entire|complete|verbatim)){0,4}_(?:your|its)_' +
      '(?:(?:full|entire|exact|initial|original|hidden|secret|internal|own)_){0,2}' +
      '(?:system_(?:prompt|message|instructions?)|' +
      '(?:hidden|initial|secret|original)_(?:prompt|instructions?|rules))\\b',
  },
  {
    id: 'conceal-from-user',
    outcome: 'NO-GO',
    keywords: ['do not', "don't", 'dont', 'never', 'without'],
    source:
      "(?:do_not|don'?t|never|without)_(?:tell|telling|inform|informing|mention|mentioning|alert|" +
      'alerting|notify|notifying|reveal|revealing|show|disclose)' +
      '(?:_(?:this|that|it|anything|any|of|to|about)){0,3}_the_(?:user|human|operator|victim)\\b',
  },
  {
    id: 'message-to-model',
    outcome: 'NO-GO',
    keywords: ['attention', 'note', 'message', 'instruction', 'dear'],
    source:
      '(?:(?:attention|note|message|instructions?)(?:_(?:to|for|all|any|the)){1,3}|dear)_' +
      '(?:ai|llm|llms|language_models?)(?:_(?:agents?|assistants?|models?|systems?))?\\b',
  },
  {
    id: 'message-from-user-to-model',
    outcome: 'NO-GO',
    keywords: ['important'],
    source: `important_message_from${anyWords(4)}_to_you`,
  },
  {
    id: 'decode-and-obey',
    outcome: 'NO-GO',
    keywords: ['decode'],
    source:
      `decode${anyWords(5)}_(?:and|then)(?:_(?:then|also))?` +
      '_(?:execute|follow|run|obey|perform)\\b',
  },
  {
    id: 'new-instructions',
    outcome: 'ESCALATE',
    keywords: ['new', 'updated', 'additional', 'important', 'real', 'actual', 'true'],
    source:
      '(?:new|updated|additional|important|real|actual|true)_' +
      '(?:instructions?|system_prompt|task|purpose|objective|directives?)' +
      '(?:_?:|_(?:is|are|follow|from|for_you))',
  },
  {
    id: 'role-takeover',
    outcome: 'ESCALATE',
    keywords: ['you are', 'from now', 'from this', 'you will', 'you must'],
    source:
      '(?:you_are_now_(?:an?|in|no_longer|the|my|called|going|operating|acting)|' +
      'from_(?:now|this_(?:point|moment))_(?:on|forward|onward)(?:s|wards)?_you|' +
      'you_(?:will|must)_now_(?:act|be|behave|respond|answer|follow|obey|ignore))\\b',
  },
  {
    id: 'role-play',
    outcome: 'ESCALATE',
    keywords: ['pretend', 'act as', 'stay in', 'remain in', 'break char', 'role'],
    source:
      '(?:pretend_(?:to_be|you|that_you)|act_as_if_you|(?:stay|remain)_in_character|' +
      'break_character|role_?play_as)\\b',
  },
  {
    id: 'no-restrictions',
    outcome: 'ESCALATE',
    keywords: ['without any', 'no ', 'free from', 'not bound', 'unfiltered'],
    source:
      '(?:(?:without_any|no|free_from(?:_(?:all|any|the))?)' +
      '(?:_(?:ethical|moral|content|safety|legal))?_' +
      '(?:restrictions?|limitations?|filters?|filtering|guidelines|guardrails|censorship)|' +
      '(?:no_longer|not)_bound_by|unfiltered_(?:response|answer|output|mode))\\b',
  },
  {
    id: 'precondition',
    outcome: 'ESCALATE',
    keywords: ['before'],
    source:
      `before_(?:you_(?:can|proceed)|continuing|doing_anything)${anyWords(8)}` +
      '_(?:please|first|must)\\b',
  },
  {
    id: 'instruction-tag',
    outcome: 'ESCALATE',
    keywords: ['<important', '<system', '<instruction', '<information>', '<admin', '</system']
      .concat(['<hidden', '<override', '[admin', '[system', '</user', '</data', '</document']),
    source:
      '(?:</?(?:important|system|instructions?|information|admin|hidden|override)' +
      '(?:_(?:prompt|message|instructions?|override|note))?>|' +
      '</(?:user(?:_query)?|data|document)>|' +
      '\\[(?:system|admin)(?:_(?:message|note|prompt|override))?\\])',
    wordStart: false,
  },
  {
    id: 'role-header',
    outcome: 'ESCALATE',
    keywords: ['\nsystem', '\nassistant', '\nhuman', '# system', '# instruction', '#system'],
    source:
      '(?:\\n(?:system|assistant|human):|' +
      '#_?(?:system|instructions?)(?:_(?:prompt|message))?:)',
    wordStart: false,
  },
  {
    id: 'fake-boundary',
    outcome: 'ESCALATE',
    keywords: ['end of', 'begin of', 'start of'],
    source:
      '(?:end|begin|start)_of_(?:the_)?(?:system_|user_|original_)?' +
      '(?:prompt|instructions?|input|context|query|tool_output|data)' +
      '(?:\\]|>|-{2,4}|={2,4}|\\*{2,4})',
  },
  {
    id: 'exfiltrate-image',
    outcome: 'ESCALATE',
    keywords: ['!['],
    source:
      '!\\[[^\\]\\n]{0,80}\\]\\(https?://[^\\s)?]{1,240}\\?[^\\s)=]{0,40}=' +
      '(?:\\{|<|\\[|\\$|%7b)',
    wordStart: false,
  },
  {
    id: 'exfiltrate-credentials',
    outcome: 'ESCALATE',
    keywords: ['send', 'forward', 'post', 'upload', 'email', 'e-mail', 'transmit', 'exfiltrate']
      .concat(['leak']),
    source:
      `(?:send|forward|post|upload|e-?mail|transmit|exfiltrate|leak)${anyWords(6)}_` +
      '(?:passwords?|credentials|api_?keys?|secret_keys?|access_tokens?|private_keys?|ssh_keys?|' +
      `session_cookies?|environment_variables|conversation_history)${anyWords(6)}_to\\b`,
  },
  {
    id: 'claims-authority',
    outcome: 'ESCALATE',
    keywords: ['i am your', "i'm your", 'this is your'],
    source:
      "(?:i_am|i'm|this_is)_your_" +
      '(?:creator|developer|administrator|admin|owner|supervisor|operator)\\b',
  },
  {
    id: 'if-you-are-a-model',
    outcome: 'ESCALATE',
    keywords: ['if you', 'any ai', 'any llm', 'any language', 'any assistant', 'any agent']
      .concat(['ai reading', 'assistant reading', 'model reading', 'agent reading', 'llm reading']),
    source:
      `(?:if_you(?:_are|'re)_an?_${models}|any_${models}|${models}_reading_this)` +
      `${anyWords(6)}_(?:must|should|please|reading|ignore|follow|do)\\b`,
  },
  {
    id: 'urgent-instruction',
    outcome: 'ESCALATE',
    keywords: ['you must', 'make sure', 'it is imperative'],
    source:
      '(?:you_must|make_sure_you|it_is_imperative_that_you)' +
      '(?:_(?:always|now|immediately|first|also)){0,2}_(?:follow|obey|execute|comply_with|' +
      'adhere_to)(?:_(?:these|this|the|my|all|every|following)){1,3}_' +
      '(?:instructions?|commands?|orders?|steps?|directives?)\\b',
  },
];
