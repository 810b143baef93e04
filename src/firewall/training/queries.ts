// SPDX-License-Identifier: Apache-2.0
import type { Draw } from './seeded-random.ts';
import { pick } from './seeded-random.ts';

/** Tables of shops, schools, clinics, fleets and services, each with columns of its own. */
const tables: readonly (readonly [string, readonly string[]])[] = [
  ['orders', ['id', 'customer_id', 'placed_at', 'total', 'status', 'currency', 'shipped']],
  ['customers', ['id', 'full_name', 'email', 'city', 'country', 'since', 'is_active']],
  ['invoice_lines', ['invoice_id', 'item', 'quantity', 'unit_price', 'vat_rate']],
  ['payments', ['id', 'invoice_id', 'amount', 'paid_on', 'method', 'reference']],
  ['employees', ['emp_no', 'last_name', 'first_name', 'hired', 'department_id', 'salary', 'manager_id']],
  ['departments', ['dept_id', 'name', 'floor', 'budget']],
  ['pupils', ['pupil_id', 'class_id', 'birth_year', 'grade', 'has_passed']],
  ['lessons', ['lesson_id', 'subject', 'teacher', 'room', 'starts_at', 'seats']],
  ['visits', ['visit_id', 'patient_no', 'ward', 'admitted', 'discharged', 'diagnosis_code']],
  ['prescriptions', ['visit_id', 'drug', 'dose_mg', 'days']],
  ['flights', ['flight_no', 'origin', 'destination', 'departs', 'delay_min', 'carrier']],
  ['carriers', ['carrier_code', 'carrier_name', 'alliance']],
  ['sessions', ['session_id', 'user_id', 'started', 'ended', 'device', 'bytes_sent']],
  ['audit_log', ['entry_id', 'actor', 'action', 'object', 'at', 'result']],
  ['system_settings', ['key', 'value', 'overridden_by', 'updated']],
  ['messages', ['msg_id', 'sender', 'recipient', 'body', 'sent_at', 'is_read']],
  ['prompts', ['prompt_id', 'model', 'role', 'content', 'tokens', 'version']],
  ['rivers', ['name', 'length_km', 'source_lake', 'country_code']],
  ['books', ['isbn', 'title', 'author_id', 'published', 'pages', 'language']],
  ['reviews', ['review_id', 'product_id', 'stars', 'comment', 'posted']],
  ['sensors', ['sensor_id', 'site', 'kind', 'reading', 'read_at']],
  ['tickets', ['ticket_no', 'assignee', 'priority', 'opened', 'closed', 'queue']],
];

const aggregates = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'];
const literals = ["'open'", "'2025-03-01'", "'DE'", "'Leeds'", "'%west%'", '0', '12', '99.5', 'NULL', 'TRUE', '1000'];
/** What people are told: a query may hold a sentence, and a sentence in it is still a value. */
const sentences = [
  'No rows for this month', 'The order has not been shipped yet, please wait', 'Not available to this role',
  'I am afraid that this question has no answer here', 'You have to choose a date first', 'Unknown, ask the office',
  'Access was refused by the owner', 'Please sign in again', 'Your request is being worked on', 'see the manual',
  'This account was closed by its holder', 'nothing to report', 'We regret that the list is empty',
];
const notes = [
  'monthly figures', 'run as the reporting user', 'ignore rows without a date', 'override of the default currency',
  'see the ticket', 'slow, use the index', 'delete test data first', 'temporary', 'do not run in production',
];

type Named = { readonly table: string; readonly columns: readonly string[]; readonly alias: string };

/**
 * A query, a change of data or of a schema as people and programs write them: harmless code that reads
 * like orders. What it does would be the database's business; no model is meant.
 */
export function drawQuery(draw: Draw): string {
  const kind = draw();
  if (kind < 0.62) return finished(selection(draw, 2), draw);
  if (kind < 0.7) return finished(`WITH ${pick(['recent', 'totals', 'ranked'], draw)} AS (${selection(draw, 0)}) ${selection(draw, 0)}`, draw);
  if (kind < 0.78) return finished(change(draw), draw);
  if (kind < 0.86) return finished(definition(draw), draw);
  if (kind < 0.89) return finished(`SELECT ${written(draw)} AS ${pick(['answer', 'note', 'status'], draw)}`, draw);
  if (kind < 0.94) return `${finished(selection(draw, 1), draw)}${pick([' ', '\n'], draw)}${finished(selection(draw, 1), draw)}`;
  return `-- ${pick(notes, draw)}\n${finished(selection(draw, 1), draw)}`;
}

function finished(query: string, draw: Draw): string {
  const written = draw() < 0.3 ? query.replaceAll(/ (FROM|WHERE|GROUP BY|ORDER BY|LEFT JOIN|JOIN|HAVING|LIMIT) /g, '\n$1 ') : query;
  return `${draw() < 0.15 ? written.toLowerCase() : written}${draw() < 0.8 ? ';' : ''}`;
}

function drawTable(draw: Draw): Named {
  const [table, columns] = pick(tables, draw);
  return { table, columns, alias: draw() < 0.6 ? table.charAt(0) : table };
}

function column({ columns, alias }: Named, draw: Draw): string {
  return draw() < 0.65 ? `${alias}.${pick(columns, draw)}` : pick(columns, draw);
}

function expression(from: Named, draw: Draw): string {
  const plain = column(from, draw);
  const kind = draw();
  if (kind < 0.5) return plain;
  if (kind < 0.72) return `${pick(aggregates, draw)}(${draw() < 0.2 ? 'DISTINCT ' : ''}${plain}) AS ${pick(['total', 'n', 'mean_value', 'amount'], draw)}`;
  if (kind < 0.8) return `CASE WHEN ${condition(from, draw)} THEN ${pick(literals, draw)} ELSE ${pick(literals, draw)} END AS ${pick(['label', 'flag', 'band'], draw)}`;
  if (kind < 0.87) return `CAST(${plain} AS ${pick(['FLOAT', 'TEXT', 'DATE', 'NUMERIC(10,2)'], draw)})`;
  if (kind < 0.91) return `${written(draw)} AS ${pick(['note', 'message', 'answer', 'hint'], draw)}`;
  if (kind < 0.95) return `ROW_NUMBER() OVER (PARTITION BY ${plain} ORDER BY ${column(from, draw)} DESC) AS place`;
  return `COALESCE(${plain}, ${pick(literals, draw)})`;
}

function written(draw: Draw): string {
  return `'${pick(sentences, draw)}'`;
}

function condition(from: Named, draw: Draw): string {
  const plain = column(from, draw);
  const kind = draw();
  if (kind < 0.5) return `${plain} ${pick(['=', '<>', '>', '<=', '>=', 'LIKE', 'ILIKE'], draw)} ${pick(literals, draw)}`;
  if (kind < 0.62) return `${plain} IS ${draw() < 0.5 ? 'NOT ' : ''}NULL`;
  if (kind < 0.74) return `${plain} BETWEEN ${pick(literals, draw)} AND ${pick(literals, draw)}`;
  if (kind < 0.86) return `${plain} IN (${pick(literals, draw)}, ${pick(literals, draw)})`;
  return `${plain} >= CURRENT_DATE - INTERVAL '${1 + Math.floor(draw() * 90)} days'`;
}

/** `depth` is how many selections may stand inside it. */
function selection(draw: Draw, depth: number): string {
  const from = drawTable(draw);
  const shown = Array.from({ length: 1 + Math.floor(draw() * 4) }, () => expression(from, draw)).join(', ');
  let written = `SELECT ${draw() < 0.1 ? 'DISTINCT ' : ''}${draw() < 0.08 ? '*' : shown} FROM ${from.table}${from.alias === from.table ? '' : ` ${draw() < 0.5 ? 'AS ' : ''}${from.alias}`}`;
  for (let joins = Math.floor(draw() ** 2 * 3); joins > 0; joins -= 1) {
    const other = drawTable(draw);
    written += ` ${pick(['JOIN', 'LEFT JOIN', 'INNER JOIN'], draw)} ${other.table} ON ${other.table}.${pick(other.columns, draw)} = ${column(from, draw)}`;
  }
  if (draw() < 0.65) {
    written += ` WHERE ${condition(from, draw)}`;
    for (; draw() < 0.35; ) written += ` ${pick(['AND', 'OR', 'AND'], draw)} ${condition(from, draw)}`;
    if (depth > 0 && draw() < 0.25) written += ` AND ${column(from, draw)} IN (${selection(draw, depth - 1)})`;
  }
  if (draw() < 0.35) written += ` GROUP BY ${column(from, draw)}${draw() < 0.3 ? ` HAVING COUNT(*) > ${1 + Math.floor(draw() * 9)}` : ''}`;
  if (draw() < 0.4) written += ` ORDER BY ${column(from, draw)}${pick(['', ' DESC', ' ASC', ' NULLS LAST'], draw)}`;
  return draw() < 0.3 ? `${written} LIMIT ${pick(['1', '5', '10', '100'], draw)}` : written;
}

function change(draw: Draw): string {
  const from = drawTable(draw);
  const own = { ...from, alias: from.table };
  const kind = draw();
  if (kind < 0.4) return `UPDATE ${from.table} SET ${pick(from.columns, draw)} = ${pick(literals, draw)} WHERE ${condition(own, draw)}`;
  if (kind < 0.6) return `DELETE FROM ${from.table} WHERE ${condition(own, draw)}`;
  const columns = from.columns.slice(0, 2 + Math.floor(draw() * 3));
  const row = () => `(${columns.map(() => pick(literals, draw)).join(', ')})`;
  const rows = Array.from({ length: 1 + Math.floor(draw() * 3) }, row).join(', ');
  return `INSERT INTO ${from.table} (${columns.join(', ')}) VALUES ${rows}`;
}

function definition(draw: Draw): string {
  const from = drawTable(draw);
  const type = () => pick(['INTEGER', 'TEXT NOT NULL', 'VARCHAR(80)', 'TIMESTAMP DEFAULT now()', 'BOOLEAN', 'NUMERIC(12,2)'], draw);
  const kind = draw();
  if (kind < 0.5) return `CREATE TABLE ${from.table} (${from.columns.map((name) => `${name} ${type()}`).join(', ')})`;
  if (kind < 0.7) return `CREATE INDEX idx_${from.table} ON ${from.table} (${pick(from.columns, draw)})`;
  if (kind < 0.85) return `ALTER TABLE ${from.table} ADD COLUMN ${pick(from.columns, draw)}_old ${type()}`;
  return `CREATE VIEW ${from.table}_view AS ${selection(draw, 0)}`;
}
