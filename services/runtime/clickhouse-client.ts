/**
 * The only module that holds a ClickHouse client. Every value travels as a typed parameter; binary rows go in through
 * `exec`, one insert in one block, so that what it writes appears all at once or not at all.
 */
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { clusterSettings, forCluster } from './cluster-sql.ts';
import { storeCodes } from './store-codes.ts';

export type QueryParams = Readonly<Record<string, string | number | boolean | readonly string[] | readonly number[]>>;

export type Store = {
  readonly database: string;
  /** 64-bit integers come as text. */
  rows<Row>(query: string, params?: QueryParams): Promise<Row[]>;
  /** Row by row, as they come: for what does not fit in memory. */
  each<Row>(query: string, onRow: (row: Row) => void, params?: QueryParams): Promise<void>;
  /** Rows that are so many bytes each, as they come: a hundred million of them in the memory of a chunk. */
  eachOfSize(size: number, query: string, onRow: (row: Buffer) => void, params?: QueryParams): Promise<void>;
  command(query: string, params?: QueryParams): Promise<void>;
  insertRows(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** One insert, whatever the rows come in: several buffers are sent one behind the other, not copied together. */
  insertBinary(table: string, columns: readonly string[], rows: Buffer | readonly Buffer[]): Promise<void>;
  /** Resolves with the engine's own text, formatted as asked (`PrettyCompact`, `JSON`, `CSV` ...). */
  text(query: string, format: string, params?: QueryParams): Promise<string>;
  ping(): Promise<void>;
  close(): Promise<void>;
};

async function explain(what: string, error: unknown): Promise<PipelineError> {
  if (error instanceof ClickHouseError) {
    const [, fate] = storeCodes[error.code] ?? [];
    const retriable = fate === 'passes';
    const isInsert = what.startsWith('insert');
    return new PipelineError(
      retriable ? 'STORE_UNAVAILABLE' : fate === 'rows' && isInsert ? 'ROWS_REFUSED' : 'STORE_REFUSED',
      `${what}: code ${error.code} ${error.type ?? ''} ${await firstLine(error.message)}`,
      { retriable, cause: error },
    );
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new PipelineError('STORE_UNAVAILABLE', `${what}: ${detail}`, {
    retriable: true,
    cause: error,
    hint: 'check that ClickHouse is running and CLICKHOUSE_URL is right',
  });
}
/**
 * The engine quotes what it could not read. Redacted before it is cut: half a value is found less surely. Redaction
 * loads with the first error.
 */
async function firstLine(text: string): Promise<string> {
  const { cleanMessage } = await import('../redaction/messages.ts');
  return cleanMessage((text.split('\n')[0] ?? '').slice(0, 4_096)).slice(0, 300);
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `cluster`: replicas of that name; absent: one server. */
type StoreOptions = { url: string; database: string; user?: string; password?: string; cluster?: string };

function connect({ url, database, user, password, cluster }: StoreOptions): ClickHouseClient {
  return createClient({
    url,
    database,
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(cluster !== undefined && { clickhouse_settings: clusterSettings }),
    request_timeout: 60_000,
    max_open_connections: 8,
    keep_alive: { idle_socket_ttl: 1_500 },
    // The client logs failures on its own; they reach the caller as errors, and its text could quote data.
    log: { LoggerClass: SilentLogger },
  });
}

const bound = (params: QueryParams | undefined) => params && { query_params: { ...params } };

const selectRows = (client: ClickHouseClient, query: string, params: QueryParams | undefined) =>
  client.query({
    query,
    format: 'JSONEachRow',
    ...bound(params),
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  });

async function selectText(client: ClickHouseClient, query: string, format: string, params: QueryParams | undefined) {
  const { stream } = await client.exec({ query: `${query} FORMAT ${format}`, ...bound(params) });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Every row is so many bytes; one may begin in one chunk and end in the next. */
async function eachOfSize(
  stream: AsyncIterable<Buffer | string>,
  size: number,
  onRow: (row: Buffer) => void,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes: Buffer = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, Buffer.from(chunk)]);
    const whole = bytes.length - (bytes.length % size);
    for (let at = 0; at < whole; at += size) onRow(bytes.subarray(at, at + size));
    rest = bytes.subarray(whole);
  }
  if (rest.length > 0) throw new Error(`the answer ended within a row of ${size} bytes`);
}

/** One block, however many rows: what it writes appears all at once or not at all. */
async function insertBinary(
  client: ClickHouseClient,
  table: string,
  columns: readonly string[],
  rows: Buffer | readonly Buffer[],
): Promise<void> {
  const buffers = Buffer.isBuffer(rows) ? [rows] : rows.filter(({ length }) => length > 0);
  const { stream } = await client.exec({
    query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT RowBinary`,
    values: Readable.from(buffers, { objectMode: false }),
    clickhouse_settings: {
      async_insert: 0,
      max_insert_block_size: '1048576',
      min_insert_block_size_rows: '1048576',
      min_insert_block_size_bytes: '1073741824',
    },
  });
  for await (const _chunk of stream) void _chunk;
}

/** What the engine or the way to it throws, as an error of ours. */
async function guard<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw await explain(what, error);
  }
}

export async function createStore(options: StoreOptions): Promise<Store> {
  const { database, cluster } = options;
  if (cluster !== undefined && !identifier.test(cluster))
    throw new PipelineError('CONFIG_INVALID', `cluster name "${cluster}" is no identifier`, {
      hint: 'CLICKHOUSE_CLUSTER is the name of a cluster in system.clusters: letters, digits and _',
    });
  if (!identifier.test(database))
    throw new PipelineError('CONFIG_INVALID', `database name "${database}" is no identifier`, {
      hint: 'use letters, digits and _',
    });
  const client = connect(options);
  return {
    database,
    rows: (query, params) => guard('query', async () => (await selectRows(client, query, params)).json()),
    each: (query, onRow, params) =>
      guard('query', async () => {
        const result = await selectRows(client, query, params);
        for await (const rows of result.stream()) for (const row of rows) onRow(row.json());
      }),
    eachOfSize: (size, query, onRow, params) =>
      guard('query', async () => {
        const { stream } = await client.exec({ query: `${query} FORMAT RowBinary`, ...bound(params) });
        await eachOfSize(stream, size, onRow);
      }),
    text: (query, format, params) => guard('query', () => selectText(client, query, format, params)),
    command: (query, params) =>
      guard('command', async () => {
        await client.command({ query: cluster === undefined ? query : forCluster(query, cluster), ...bound(params) });
      }),
    insertRows: (table, rows) =>
      guard(`insert into ${table}`, async () => {
        const [first, ...others] = new Set(rows.flatMap((row) => Object.keys(row)));
        if (first === undefined) return;
        await client.insert({
          table,
          values: rows,
          // Named: a column that no row has is left to its default, whoever reads the format.
          columns: [first, ...others],
          format: 'JSONEachRow',
          clickhouse_settings: { async_insert: 0, date_time_input_format: 'best_effort' },
        });
      }),
    insertBinary: (table, columns, rows) =>
      guard(`insert into ${table}`, () => insertBinary(client, table, columns, rows)),
    ping: () =>
      guard('ping', async () => {
        const result = await client.query({ query: 'SELECT count() AS n FROM system.one', format: 'JSONEachRow' });
        await result.json();
      }),
    close: () => client.close(),
  };
}

/** Creates the database when it is missing. */
export async function createDatabase(options: StoreOptions): Promise<void> {
  const system = await createStore({ ...options, database: 'default' });
  try {
    if (!identifier.test(options.database))
      throw new PipelineError('CONFIG_INVALID', `database name "${options.database}" is no identifier`);
    await system.command(`CREATE DATABASE IF NOT EXISTS ${options.database}`);
  } finally {
    await system.close();
  }
}

class SilentLogger {
  trace(): void {}
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}
