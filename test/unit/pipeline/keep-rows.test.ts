/** How long tables keep what no decision rests on: set when it is another, and for ever only when asked. */
import { expect, test } from 'vitest';
import { defaultSettings, readSettings } from '../../../services/pipeline/config.ts';
import { keepOf, planKeep } from '../../../services/pipeline/keep-rows.ts';

const withTables = (engines: Record<string, string>) => ({
  database: 'd',
  rows: async <Row>() => Object.entries(engines).map(([name, engine]) => ({ name, engine })) as Row[],
});
const engine = (ttl: string) => `ReplacingMergeTree(kafka_offset) ORDER BY x${ttl} SETTINGS index_granularity = 8192`;

test('readings, acks and parked records end by default; holes that were accepted do not', async () => {
  const tables = { readings: engine(''), missing: engine(''), acks: engine(''), parked: engine('') };
  expect(await planKeep(withTables(tables), keepOf(defaultSettings))).toEqual([
    'ALTER TABLE readings MODIFY TTL written_at + toIntervalDay(90)',
    'ALTER TABLE missing MODIFY TTL written_at + toIntervalDay(90)',
    'ALTER TABLE acks MODIFY TTL written_at + toIntervalDay(400)',
    "ALTER TABLE parked MODIFY TTL written_at + toIntervalDay(30) WHERE code NOT IN ('LOG_GAP', 'LOG_CUT')",
  ]);
});

test('a table that has it is left alone, and 0 takes it away', async () => {
  const tables = {
    acks: engine(' TTL written_at + toIntervalDay(400)'),
    parked: engine(" TTL written_at + toIntervalDay(7) WHERE code NOT IN ('LOG_GAP', 'LOG_CUT')"),
  };
  const settings = readSettings({ TRIPLINE_KEEP_PARKED_DAYS: '0' });
  expect(await planKeep(withTables(tables), keepOf(settings))).toEqual(['ALTER TABLE parked REMOVE TTL']);
});
