import { describe, expect, test } from 'vitest';
import { readSettings, readStageNames } from '../../../services/pipeline/config.ts';
import { listSettings } from '../../../services/pipeline/list-settings.ts';
import { requireRedaction } from '../../../services/pipeline/run-stages.ts';
import { shellQuoted } from '../../../services/cli/env.ts';

const row = (name: string, env: Record<string, string>, stackFile: Record<string, string> = {}) =>
  listSettings(env, stackFile).find((one) => one.name === name);

describe('settings, listed', () => {
  test('a value comes from the environment, else from the stack file, else from the default', () => {
    expect(row('TRIPLINE_DATABASE', {})).toMatchObject({ value: 'tripline', source: 'default', default: 'tripline' });
    expect(row('TRIPLINE_DATABASE', {}, { TRIPLINE_DATABASE: 'mine' })).toMatchObject({
      value: 'mine',
      source: 'stack file',
    });
    expect(row('TRIPLINE_DATABASE', { TRIPLINE_DATABASE: 'ours' }, { TRIPLINE_DATABASE: 'mine' })).toMatchObject({
      value: 'ours',
      source: 'environment',
    });
    expect(row('KAFKA_BROKERS', {})).toMatchObject({ value: undefined, source: 'not set' });
    expect(row('KAFKA_BROKERS', { KAFKA_BROKERS: '' })).toMatchObject({ source: 'not set' });
  });

  test('every stage that has settings shows them, with unit and default', () => {
    expect(row('JOINER_FLUSH_MS', {})).toMatchObject({ of: 'joiner', value: '250', default: '250' });
    expect(new Set(listSettings({}).map(({ of }) => of))).toEqual(
      new Set(['addresses', 'names', 'topics', 'process', 'redactor', 'linker', 'joiner', 'sink', 'statistics']),
    );
  });

  test.each(['CLICKHOUSE_PASSWORD', 'TRIPLINE_PSEUDONYM_KEY', 'TRIPLINE_TOKEN_KEYS'])(
    '%s shows that it is set, and not what it is',
    (name) => {
      const secret = 'ab'.repeat(16);
      expect(JSON.stringify(listSettings({ [name]: secret }))).not.toContain(secret);
      expect(row(name, { [name]: secret })).toMatchObject({ value: '********', source: 'environment' });
      expect(row(name, {})?.source).toBe('not set');
    },
  );

  test('credentials in an address are masked, the host is not', () => {
    const shown = row('CLICKHOUSE_URL', { CLICKHOUSE_URL: 'https://ada:hunter2@store:8443' })?.value;
    expect(shown).toBe('https://********@store:8443');
  });

  test('a value that cannot be used is named, and the others are still listed', () => {
    expect(row('JOINER_FLUSH_MS', { JOINER_FLUSH_MS: 'soon' })?.problem).toContain('number');
    expect(row('LINKER_FLUSH_MS', { JOINER_FLUSH_MS: 'soon' })?.problem).toBeUndefined();
  });
});

describe('settings, read by a process', () => {
  test('are those of its stages: what only others read is not looked at', () => {
    expect(readSettings({ JOINER_FLUSH_MS: 'soon' }, ['sink']).SINK_LINGER_MS).toBe(500);
    expect(() => readSettings({ JOINER_FLUSH_MS: 'soon' }, ['joiner'])).toThrow(/E0101 JOINER_FLUSH_MS/);
  });

  test('are refused all at once, without their values', () => {
    const read = () => readSettings({ TRIPLINE_PSEUDONYM_KEY: 'not-hex', REDACTOR_LINGER_MS: '-3' }, ['redactor']);
    expect(read).toThrow(/TRIPLINE_PSEUDONYM_KEY.*REDACTOR_LINGER_MS/);
    expect(read).not.toThrow(/not-hex/);
  });

  test('a redactor without a key says how to make one', () => {
    expect(() => requireRedaction(readSettings({}, ['redactor']))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.stringContaining('openssl rand -hex 32') }),
    );
  });
});

test('stages: those named, in the order of records; all when none is; an error for what is none', () => {
  expect(readStageNames(['sink', 'redactor'])).toEqual(['redactor', 'sink']);
  expect(readStageNames([])).toHaveLength(6);
  expect(() => readStageNames(['emitter'])).toThrow(/no such stage: emitter/);
});

test.each([
  ['127.0.0.1:9092,b:9092', '127.0.0.1:9092,b:9092'],
  ['two words', "'two words'"],
  ["it's $HOME", `'it'\\''s $HOME'`],
  ['', "''"],
])('a shell reads %j back from %s', (value, quoted) => {
  expect(shellQuoted(value)).toBe(quoted);
});
