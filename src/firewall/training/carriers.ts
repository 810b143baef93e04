// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';
import type { Draw } from './seeded-random.ts';
import { pick } from './seeded-random.ts';

/**
 * Text around a place: `before` and `after` are what a dull record says, the place is where an
 * attacker could have written, or where a harmless line stands in the twin.
 */
export type Carrier = { readonly before: string; readonly after: string };

type Lines = () => string;

/** Draws a carrier that fits the channel; `line` gives harmless lines of it. */
export function drawCarrier(channel: Channel, line: Lines, draw: Draw): Carrier {
  const forms = formsOf[channel];
  return pick(forms, draw)(line, draw);
}

type Form = (line: Lines, draw: Draw) => Carrier;

function lines(line: Lines, draw: Draw, most: number, glue: string): string {
  const count = Math.floor(draw() * (most + 1));
  return Array.from({ length: count }, line).join(glue);
}

const bare: Form = () => ({ before: '', after: '' });

const paragraph: Form = (line, draw) => ({
  before: around(lines(line, draw, 5, ' '), ' ', false),
  after: around(lines(line, draw, 4, ' '), ' ', true),
});

const listing: Form = (line, draw) => {
  const bullet = pick(['- ', '* ', '1. ', '> ', ''], draw);
  const before = lines(line, draw, 4, `\n${bullet}`);
  const after = lines(line, draw, 4, `\n${bullet}`);
  return {
    before: `${before === '' ? '' : `${bullet}${before}\n`}${bullet}`,
    after: after === '' ? '' : `\n${bullet}${after}`,
  };
};

const record: Form = (line, draw) => {
  const field = pick(['review', 'content', 'notes', 'description', 'message', 'text', 'comment', 'body'], draw);
  const kind = pick(['order', 'review', 'event', 'note', 'ticket', 'product', 'post', 'file'], draw);
  const outer = JSON.stringify({ [kind]: { id: Math.floor(draw() * 9999), title: line().slice(0, 40), [field]: '@' } });
  const [before = '', after = ''] = outer.split('@');
  return { before, after };
};

const results: Form = (line, draw) => {
  const rows = Array.from({ length: 1 + Math.floor(draw() * 3) }, () => ({ name: line().slice(0, 30), text: line() }));
  const text = JSON.stringify([...rows, { name: line().slice(0, 30), text: '@' }], null, draw() < 0.5 ? 1 : 0);
  const at = text.lastIndexOf('@');
  return { before: text.slice(0, at), after: text.slice(at + 1) };
};

const logLines: Form = (line, draw) => {
  const stamp = () => `2026-0${1 + Math.floor(draw() * 9)}-1${Math.floor(draw() * 9)}T10:${10 + Math.floor(draw() * 49)}:00Z`;
  const level = () => pick(['INFO', 'WARN', 'DEBUG', 'ERROR'], draw);
  const row = () => `${stamp()} ${level()} ${line()}`;
  return { before: `${row()}\n${row()}\n${stamp()} ${level()} `, after: draw() < 0.5 ? `\n${row()}` : '' };
};

const mail: Form = (line, draw) => {
  const subject = line().slice(0, 50);
  const greeting = pick(['Hi,', 'Hello,', 'Dear all,', 'Good morning,', 'Hej,', 'Bonjour,'], draw);
  const end = pick(['Best regards', 'Thanks', 'Cheers', 'Kind regards', 'Viele Grüße', 'Saludos'], draw);
  return {
    before: `${draw() < 0.6 ? `Subject: ${subject}\n\n` : ''}${greeting}\n\n${around(lines(line, draw, 3, ' '), '\n\n', false)}`,
    after: `${around(lines(line, draw, 2, ' '), '\n\n', true)}\n\n${end}`,
  };
};

const page: Form = (line, draw) => {
  const tag = pick(['p', 'div', 'li', 'span', 'td', 'blockquote'], draw);
  const hiding = draw() < 0.25 ? ' style="display:none"' : '';
  return {
    before: `<html><body><h1>${line().slice(0, 40)}</h1><p>${line()}</p><${tag}${hiding}>`,
    after: `</${tag}><p>${line()}</p></body></html>`,
  };
};

const heading: Form = (line, draw) => ({
  before: `# ${line().slice(0, 40)}\n\n${around(lines(line, draw, 4, ' '), '\n\n', false)}`,
  after: around(lines(line, draw, 4, ' '), '\n\n', true),
});

const comment: Form = (line, draw) => {
  const mark = pick(['// ', '# ', '-- ', '/* ', '<!-- ', ' * '], draw);
  const body = pick(
    [
      'def total(rows):\n    return sum(row.price for row in rows)\n',
      'export function clamp(value, low, high) {\n  return Math.min(high, Math.max(low, value));\n}\n',
      'SELECT id, name FROM customers WHERE city = ?;\n',
      'server:\n  port: 8080\n  host: 127.0.0.1\n',
      'for (const item of items) queue.push(item.id);\n',
    ],
    draw,
  );
  return { before: `${body}${draw() < 0.5 ? `${mark}${line()}\n` : ''}${mark}`, after: `\n${body}` };
};

const handOver: Form = (line, draw) => ({
  before: pick(['', 'Result: ', `${line()} `, `${line()}\n`, 'From planner: ', '[step 3] '], draw),
  after: draw() < 0.4 ? ` ${line()}` : '',
});

const agentNames = ['planner', 'writer', 'buyer', 'tester', 'archivist', 'desk-2', 'ledger', 'orchestrator', 'translator'];

/** As frameworks write what one agent hands to another. */
const handedOn: Form = (line, draw) => {
  const [from, to] = [pick(agentNames, draw), pick(agentNames, draw)];
  const lead = draw() < 0.5 ? '' : `${line()} `;
  const tail = draw() < 0.3 ? ` ${line()}` : '';
  switch (Math.floor(draw() * 6)) {
    case 0:
      return { before: `${from} -> ${to}: ${lead}`, after: tail };
    case 1:
      return { before: `${from.toUpperCase()}: ${lead}`, after: tail };
    case 2:
      return { before: `<msg sender="${from}" receiver="${to}">\n${lead}`, after: `${tail}\n</msg>` };
    case 3:
      return { before: `Role: ${to}\nTask: ${lead}`, after: `${tail}\nAsked by: ${from}` };
    case 4:
      return { before: `## ${to}\n${lead}`, after: tail };
    default:
      return { before: `{"sender": "${from}", "receiver": "${to}", "kind": "task", "text": "${lead}`, after: `${tail}"}` };
  }
};

const formsOf: { readonly [channel in Channel]: readonly Form[] } = {
  user: [bare, bare, paragraph],
  tool_result: [record, results, logLines, listing, bare, paragraph],
  agent_message: [handOver, bare, handOver, handedOn],
  document: [paragraph, listing, heading, bare],
  email: [mail, mail, paragraph],
  web: [page, page, paragraph, listing],
  code: [comment],
};

function around(text: string, gap: string, isAfter: boolean): string {
  if (text === '') return '';
  return isAfter ? `${gap}${text}` : `${text}${gap}`;
}
