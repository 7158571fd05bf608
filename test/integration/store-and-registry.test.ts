import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createStore, type Store } from '../../services/runtime/clickhouse-client.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';

let store: Store;
const url = (): string => process.env['CLICKHOUSE_URL'] ?? inject('addresses').clickhouseUrl;
beforeAll(async () => {
  store = await createStore({ url: url(), database: 'default' });
});
afterAll(() => store.close());

describe("ClickHouse's HTTP interface", () => {
  test('typed parameters are bound, never pasted', async () => {
    expect(
      await store.rows('SELECT {n:UInt64} AS n, {text:String} AS text, {list:Array(String)} AS list', {
        n: 7,
        text: `a'b\\n"; DROP TABLE x --`,
        list: ['p', `q'r`],
      }),
    ).toEqual([{ n: '7', text: `a'b\\n"; DROP TABLE x --`, list: ['p', `q'r`] }]);
  });
  test("errors carry the engine's code, and whether waiting may help", async () => {
    await expect(store.rows('SELECT * FROM nowhere')).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      retriable: false,
      message: expect.stringContaining('code 60'),
    });
    await expect(store.rows('SELEC 1')).rejects.toMatchObject({ message: expect.stringContaining('code 62') });
    const nobody = await createStore({ url: 'http://127.0.0.1:9', database: 'default' });
    await expect(nobody.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retriable: true });
    await nobody.close();
  });
  test('plain requests: ping, status, gzip', async () => {
    expect(await (await fetch(`${url()}/ping`)).text()).toBe('Ok.\n');
    const missing = await fetch(`${url()}/?query=${encodeURIComponent('SELECT * FROM nowhere')}`);
    expect([missing.status, missing.headers.get('x-clickhouse-exception-code')]).toEqual([404, '60']);
    const zipped = await fetch(
      `${url()}/?enable_http_compression=1&query=${encodeURIComponent('SELECT 42 FORMAT CSV')}`,
      { headers: { 'accept-encoding': 'gzip' } },
    );
    expect([zipped.headers.get('content-encoding'), await zipped.text()]).toEqual(['gzip', '42\n']);
  });
  test('rows in every format that we use', async () => {
    await store.command(
      `CREATE TABLE IF NOT EXISTS kinds (
        a LowCardinality(String),
        b Array(Int128),
        c FixedString(4),
        d DateTime64(3, 'UTC'),
        e Enum8('x' = 1, 'y' = 2)
      ) ENGINE = Memory`,
    );
    await store.command('TRUNCATE TABLE kinds');
    await store.insertRows('kinds', [{ a: 'é', b: ['1', '-2'], c: 'abcd', d: 1_458_000_000_123, e: 'y' }]);
    const row = Buffer.concat([
      Buffer.from([2, 0xc3, 0xa9, 1]),
      Buffer.alloc(16, 255),
      Buffer.from('wxyz'),
      Buffer.alloc(8),
      Buffer.from([1]),
    ]);
    row.writeBigInt64LE(1_458_000_000_124n, row.length - 9);
    await store.insertBinary('kinds', ['a', 'b', 'c', 'd', 'e'], row);
    expect(
      await store.rows('SELECT a, arrayMap(v -> toString(v), b) AS b, c, toString(d) AS d, e FROM kinds ORDER BY d'),
    ).toEqual([
      { a: 'é', b: ['1', '-2'], c: 'abcd', d: '2016-03-15 00:00:00.123', e: 'y' },
      { a: 'é', b: ['-1'], c: 'wxyz', d: '2016-03-15 00:00:00.124', e: 'x' },
    ]);
    await store.insertBinary(
      'kinds',
      ['a', 'b', 'c', 'd', 'e'],
      [row.subarray(0, 7), Buffer.alloc(0), row.subarray(7)],
    );
    expect(await store.rows("SELECT count() AS n FROM kinds WHERE c = 'wxyz'")).toEqual([{ n: '2' }]);
  });
  test('migrations run once, and a changed one is refused', async () => {
    const own = await createStore({ url: url(), database: 'migrating' });
    expect((await migrate(own, { url: url() })).length).toBeGreaterThan(0);
    expect(await migrate(own, { url: url() })).toEqual([]);
    await own.insertRows('schema_migrations', [{ name: '0001_state.sql', sha256: 'other' }]);
    await expect(migrate(own, { url: url() })).rejects.toThrow('0001_state.sql was changed');
    await own.command('DROP DATABASE migrating');
    await own.close();
  });
});

describe('the registry', () => {
  const record = (fields: string): string => `{"type":"record","name":"R","namespace":"t","fields":[${fields}]}`;
  const base = record('{"name":"a","type":"string"}');
  test.each([
    [
      'a field with a default is added',
      record('{"name":"a","type":"string"},{"name":"b","type":"int","default":0}'),
      true,
    ],
    ['a field without a default is not', record('{"name":"a","type":"string"},{"name":"b","type":"int"}'), false],
    ['a required field cannot go', record('{"name":"c","type":"int","default":0}'), false],
    ['a type cannot change', record('{"name":"a","type":"int"}'), false],
    ['a rename is a removal', record('{"name":"z","type":"string"}'), false],
  ])('FULL_TRANSITIVE: %s', async (_name, next, accepted) => {
    const client = createRegistryClient({ url: inject('addresses').registryUrl });
    const subject = `evolution-${accepted}-${next.length}-${next.charCodeAt(60)}`;
    const id = await client.register(subject, base);
    expect(await client.register(subject, base)).toBe(id);
    const attempt = client.register(subject, next);
    if (accepted) expect(await attempt).not.toBe(id);
    else await expect(attempt).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
  });
  test("Confluent's answers: 40401, 40403, 42201, the same id under another subject, levels", async () => {
    const { registryUrl } = inject('addresses');
    const get = async (path: string, init?: RequestInit) =>
      (await fetch(`${registryUrl}${path}`, init)).json() as Promise<Record<string, unknown>>;
    const json = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
    expect(await get('/subjects/none/versions')).toMatchObject({ error_code: 40401 });
    expect(await get('/schemas/ids/99999')).toMatchObject({ error_code: 40403 });
    expect(
      await get('/subjects/bad/versions', { method: 'POST', headers: json, body: '{"schema":"{}"}' }),
    ).toMatchObject({ error_code: 42201 });
    const client = createRegistryClient({ url: registryUrl });
    expect(await client.register('first', base)).toBe(await client.register('second', base));
    expect(
      await get('/compatibility/subjects/first/versions/latest', {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ schema: record('{"name":"q","type":"int"}') }),
      }),
    ).toMatchObject({ is_compatible: false });
    expect(await get('/config')).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
    expect(await get('/config/loose', { method: 'PUT', headers: json, body: '{"compatibility":"NONE"}' })).toEqual({
      compatibility: 'NONE',
    });
    await client.register('loose', base);
    expect(await client.register('loose', record('{"name":"q","type":"int"}'))).toBeGreaterThan(0);
  });
});
