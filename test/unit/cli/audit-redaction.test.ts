/** The audit over a store and a log of arrays: where it looks, what it says, what it never says. */
import { expect, test } from 'vitest';
import { auditRedaction, eachText } from '../../../services/cli/audit-redaction.ts';
import { createNeedles } from '../../../services/cli/audit-redaction-needles.ts';
import { reportAudit } from '../../../services/cli/redact-stored.ts';
import type { AvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import type { LogClient } from '../../../services/runtime/log.ts';

const asked: string[] = [];
const rows: Record<string, Record<string, unknown>[]> = {
  '`db`.`inferences`': [
    { prompt: 'fine', attributes: { note: 'so: planted person' } },
    { prompt: null, attributes: {} },
    { prompt: '{"a":["Planted\\u0020Person"]}', attributes: {} },
  ],
  '`system`.`query_log`': [{ query: `INSERT ${Buffer.from('Planted Person').toString('hex')}` }],
};
const store = {
  database: 'db',
  rows: async (query: string) => {
    asked.push(query);
    return [
      { database: 'db', table: 'inferences', name: 'prompt' },
      { database: 'db', table: 'inferences', name: 'attributes' },
      { database: 'system', table: 'query_log', name: 'query' },
    ];
  },
  each: async (query: string, onRow: (row: Record<string, unknown>) => void) => {
    asked.push(query);
    for (const row of rows[query.split(' FROM ')[1] ?? ''] ?? []) onRow(row);
  },
} as unknown as Store;
const topics: Record<string, { value: string; headers?: Record<string, string> }[]> = {
  'p.inference.raw.v1': [{ value: 'Planted Person' }],
  'p.parked.v1': [{ value: 'Planted Person' }, { value: '', headers: { 'x-error-message': 'of Planted Person' } }],
  'p.control.json.v1': [{ value: 'Planted%20Person' }, { value: 'x' }, { value: 'PLANTED PERSON' }],
};
const log = {
  readToEnd: async (topic: string) =>
    (topics[topic] ?? []).map(({ value, headers = {} }, offset) => ({
      topic,
      partition: 0,
      offset,
      timestamp: 0,
      key: null,
      value: Buffer.from(value),
      headers,
    })),
} as unknown as LogClient;
const codec = {
  prepare: async () => {},
  decode: () => ({ ok: false, code: 'BAD_FRAME', message: '' }),
} as unknown as AvroCodec;

test('places, forms and counts, and never a value: not in the report, not in a query', async () => {
  const audit = await auditRedaction({
    store,
    log,
    codec,
    prefix: 'p',
    needles: createNeedles(['not there at all', 'Planted Person']),
  });
  expect(audit.findings.map(({ where, form, hits, offsets }) => [where, form, hits, offsets?.join('..')])).toEqual([
    ['db.inferences.attributes', 'folded', 1, undefined],
    ['db.inferences.prompt', 'plain', 1, undefined],
    ['system.query_log.query', 'hex', 1, undefined],
    ['p.control.json.v1/0 value', 'percent', 1, '0..0'],
    ['p.control.json.v1/0 value', 'folded', 1, '2..2'],
    ['p.parked.v1/0 headers', 'plain', 1, '1..1'],
  ]);
  const said = reportAudit(audit, [3, 8]);
  expect(said).toContain('1 of 2 values are still there');
  expect(said).toMatch(/system\.query_log\.query +hex +1 +- +1 +8/);
  for (const text of [said, ...asked]) expect(text).not.toMatch(/planted/i);
});
test('texts of a value: leaves, keys, JSON in strings three levels deep; no bytes, no numbers', () => {
  const seen: string[] = [];
  eachText(
    { a: ['x', { b: JSON.stringify({ c: JSON.stringify(['deep']) }) }], n: 5, raw: Buffer.from('bytes') },
    (text) => seen.push(text),
  );
  expect(seen).toEqual(['a', 'x', 'b', '{"c":"[\\"deep\\"]"}', 'c', '["deep"]', 'deep', 'n', 'raw']);
});
test('nothing found says where it looked', async () => {
  const audit = await auditRedaction({ store, log, codec, prefix: 'p', needles: createNeedles(['not there at all']) });
  const searched = 'searched 4 rows in 3 columns, 5 records in 10 topics; logs of the engine: query_log';
  expect(reportAudit(audit, [1])).toContain(`${searched}\nnone of the 1 values is there`);
});
