import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLogger } from '../../../services/runtime/logger.ts';
import { parkedRecord } from '../../../services/runtime/park.ts';
import { until } from '../../support/until.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-logger-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('messages, arguments, fields, errors and their stacks reach the file redacted', async () => {
  const file = join(home, 'a.log');
  const logger = createLogger({ name: 'test', file, level: 'debug' });
  logger.info('mail of ada@example.org');
  logger.warn(
    { note: 'ada@example.org', deep: { list: [{ of: 'key sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH' }] } },
    'line %s',
    'ada@example.org',
  );
  logger.error(new Error('no ada@example.org'));
  logger.error({ err: new Error('nor ada@example.org') });
  logger.error({ err: new Error('inner ada@example.org') }, 'with words');
  logger.info({ topic: 'tripline.unit.v1', offset: 12, prompt: 'anything' }, 'stays');
  await until('six lines', () => existsSync(file) && readFileSync(file, 'utf8').trim().split('\n').length === 6);
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(JSON.stringify(lines)).not.toMatch(/ada@|sk-proj/);
  expect(lines[2]).toMatchObject({ msg: 'no [EMAIL]', err: { message: 'no [EMAIL]', type: 'Error' } });
  expect(lines[5]).toMatchObject({ msg: 'stays', topic: 'tripline.unit.v1', offset: 12, prompt: '[withheld]' });
});
test('of a parked record the readable fields are clean, the bytes are its own', () => {
  const source = {
    topic: 'raw',
    partition: 1,
    offset: 2,
    timestamp: 3,
    key: null,
    value: Buffer.from('ada@example.org'),
    headers: { traceparent: 'ada@example.org' },
  };
  const { headers, value } = parkedRecord('parked', 'redactor', source, 'INVALID', 'kind ada@example.org is none', 4);
  expect([JSON.stringify(headers).includes('ada@'), headers?.['x-error-message'], value.toString()]).toEqual([
    false,
    'kind [EMAIL] is none',
    'ada@example.org',
  ]);
});
