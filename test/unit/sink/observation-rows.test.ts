/**
 * Rows against tables: what the sink writes has a column, and every field of a clean record goes somewhere or is left
 * out by name. Columns are read from the migrations, as the store would get them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type RecordName, type RedactedInference, type RedactedOutcome, schemas } from '../../../schemas/generated.ts';
import { inferenceRow, outcomeRow, type SinkRow } from '../../../services/sink/observation-rows.ts';

const at = { partition: 3, offset: 7 };
const example = (record: RecordName): unknown =>
  JSON.parse(
    readFileSync(fileURLToPath(new URL(`../../../schemas/${record}/examples/full.json`, import.meta.url)), 'utf8'),
  );
const fieldsOf = (record: RecordName): string[] =>
  (JSON.parse(schemas[record].avsc) as { fields: { name: string }[] }).fields.map(({ name }) => name);

/** Names of a table's columns. A type may hold brackets and commas, a comment anything but an unescaped quote. */
function columnsOf(table: string): Set<string> {
  const folder = fileURLToPath(new URL('../../../sql/migrations/', import.meta.url));
  const text = readdirSync(folder)
    .sort()
    .map((file) => readFileSync(folder + file, 'utf8'))
    .join('\n')
    .replaceAll(/^--.*$/gm, '')
    .replaceAll(/'(?:[^']|'')*'/g, "''");
  const body = new RegExp(`CREATE TABLE IF NOT EXISTS ${table} \\(([\\s\\S]*?)\\n\\) ENGINE`).exec(text)?.[1] ?? '';
  const outside: string[] = [''];
  let depth = 0;
  for (const letter of body) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === ',' && depth === 0) outside.push('');
    else outside[outside.length - 1] += letter;
  }
  const added = [...text.matchAll(/ALTER TABLE (\w+)\s+([^;]*);/g)]
    .filter(([, name]) => name === table)
    .flatMap(([, , changes = '']) => [...changes.matchAll(/ADD COLUMN IF NOT EXISTS (\w+)/g)].map(([, name]) => name));
  return new Set([...outside.map((column) => column.trim().split(/\s/)[0] ?? ''), ...added.map((name) => name ?? '')]);
}

/** Fields that are unfolded into columns of other names, or left out. */
const unfolded: Readonly<Record<string, readonly string[]>> = {
  inferences: ['units', 'entity', 'exposures', 'retrieval'],
  outcomes: ['units', 'entity'],
};

describe.each<[string, RecordName, SinkRow]>([
  ['inferences', 'redacted-inference', inferenceRow(example('redacted-inference') as RedactedInference, at)],
  ['outcomes', 'redacted-outcome', outcomeRow(example('redacted-outcome') as RedactedOutcome, at)],
])('%s', (table, record, { row }) => {
  test('every key of the row is a column', () => {
    const columns = columnsOf(table);
    expect(Object.keys(row).filter((key) => !columns.has(key))).toEqual([]);
  });
  test('every field of the record has a column of its name, or is unfolded by name', () => {
    expect(fieldsOf(record).filter((field) => !(field in row) && !unfolded[table]?.includes(field))).toEqual([]);
  });
  test('says where the record stands', () => expect(row).toMatchObject({ kafka_partition: 3, kafka_offset: 7 }));
});

test('exposures, guardrails and tools are lists of their own, unknown ids are empty', () => {
  const event = example('redacted-inference') as RedactedInference;
  const { row } = inferenceRow(
    {
      ...event,
      span_id: null,
      units: { user_id: 'u', org_id: null, session_id: null },
      entity: { type: 'ticket', id: 't' },
      exposures: [{ experiment_id: 'exp', phase: 2, variant: 'B', unit_type: 'user', reason: 'SPLIT' }],
      guardrails: [{ name: 'pii', kind: 'input', action: 'block', score: null }],
      tool_calls: [{ name: 'search', allowed: false, ok: false, latency_ms: null }],
    },
    at,
  );
  expect(row).toMatchObject({
    span_id: '',
    user_id: 'u',
    org_id: '',
    entity_type: 'ticket',
    entity_id: 't',
    experiments: ['exp'],
    phases: [2],
    variants: ['B'],
    reasons: ['SPLIT'],
    guardrails: ['pii=block'],
    tool_calls: ['search'],
    tools_denied: 1,
  });
});
