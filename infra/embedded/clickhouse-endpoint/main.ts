/**
 * ClickHouse's engine (chdb) behind ClickHouse's HTTP interface, in its own process, on 127.0.0.1 only. Arguments: data
 * folder, spool folder, port (0: any). Prints `listening PORT` when the engine has answered a query. An insert is one
 * block and one part: it appears all at once or not at all. chdb runs one query at a time per session, so there is a
 * pool of them per database.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Session } from 'chdb';
import { type EngineRequest, quote, readRequest, returnsRows, statusOf, withSettings } from './request.ts';

const [dataFolder = '', spoolFolder = '', port = '0'] = process.argv.slice(2);
const user = process.env['TRIPLINE_STORE_USER'];
const password = process.env['TRIPLINE_STORE_PASSWORD'];
const maxBodyBytes = 256 * 1024 * 1024;
const sessionsPerDatabase = 4;

mkdirSync(dataFolder, { recursive: true });
mkdirSync(spoolFolder, { recursive: true });

type Pool = { readonly idle: Session[]; readonly queue: ((session: Session) => void)[] };
const pools = new Map<string, Pool>();
const system = new Session(dataFolder);

function poolOf(database: string): Pool {
  let pool = pools.get(database);
  if (pool === undefined) {
    const idle = Array.from({ length: sessionsPerDatabase }, () => {
      const session = new Session(dataFolder);
      session.query(`USE \`${database.replaceAll('`', '')}\``);
      return session;
    });
    pool = { idle, queue: [] };
    pools.set(database, pool);
  }
  return pool;
}

async function withSession<T>(database: string, run: (session: Session) => Promise<T>): Promise<T> {
  const pool = poolOf(database);
  const session = pool.idle.pop() ?? (await new Promise<Session>((resolve) => pool.queue.push(resolve)));
  try {
    return await run(session);
  } finally {
    const next = pool.queue.shift();
    if (next) next(session);
    else pool.idle.push(session);
  }
}

/**
 * `name Type, ...` of the columns that an insert names, for the format's reader. Kept until some statement changes a
 * table.
 */
const structures = new Map<string, string>();
async function structureOf(
  session: Session,
  database: string,
  table: string,
  columns: readonly string[],
): Promise<string> {
  const key = `${database}\u001f${table}\u001f${columns.join(',')}`;
  const known = structures.get(key);
  if (known !== undefined) return known;
  const described = await session.queryAsync(`DESCRIBE TABLE ${table}`, { format: 'JSONEachRow' });
  const all = described
    .text()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { name: string; type: string; default_type: string });
  const types = new Map(all.map(({ name, type }) => [name, type]));
  const wanted =
    columns.length > 0
      ? columns.map((column) => column.replaceAll('`', ''))
      : all.filter(({ default_type: kind }) => kind !== 'ALIAS' && kind !== 'MATERIALIZED').map(({ name }) => name);
  const structure = wanted.map((name) => `\`${name}\` ${types.get(name) ?? 'String'}`).join(', ');
  structures.set(key, structure);
  return structure;
}

/** One thread, one block: the insert becomes one part, and a part appears by one rename. */
const oneBlock = Object.entries({
  async_insert: 0,
  max_threads: 1,
  max_insert_threads: 1,
  max_block_size: 1_048_576,
  preferred_block_size_bytes: 0,
  min_insert_block_size_rows: 1_048_576,
  min_insert_block_size_bytes: 1_073_741_824,
  input_format_parallel_parsing: 0,
  max_insert_block_size: 1_048_576,
  max_read_buffer_size: 1_048_576,
}).map(([name, value]) => `${name} = ${value}`);

let spooled = 0;
async function insert(request: EngineRequest, rows: Buffer): Promise<void> {
  const { table, columns } = request.insert ?? { table: '', columns: [] };
  if (rows.length === 0) return;
  spooled += 1;
  const file = join(spoolFolder, `insert-${process.pid}-${spooled}`);
  writeFileSync(file, rows, { mode: 0o600 });
  try {
    await withSession(request.database, async (session) => {
      const structure = await structureOf(session, request.database, table, columns);
      const names =
        structure === ''
          ? ''
          : ` (${[...structure.matchAll(/`([^`]+)`/g)].map(([, name]) => `\`${name}\``).join(', ')})`;
      const passed = Object.entries(request.settings)
        .filter(([name]) => /^(input_format|date_time_input_format)/.test(name))
        .map(([name, value]) => `${name} = ${quote(value)}`);
      const rowsOf = `file(${quote(file)}, ${request.format}, ${quote(structure)})`;
      const settings = [...oneBlock, ...passed].join(', ');
      await session.queryAsync(`INSERT INTO ${table}${names} SELECT * FROM ${rowsOf} SETTINGS ${settings}`);
    });
  } finally {
    rmSync(file, { force: true });
  }
}

async function answer(request: EngineRequest, rows: Buffer): Promise<Buffer> {
  if (request.kind === 'ping') return Buffer.from('Ok.\n');
  if (request.kind === 'insert') {
    await insert(request, rows);
    return Buffer.alloc(0);
  }
  if (!returnsRows(request.sql)) structures.clear();
  const sql = withSettings(request.sql, request.settings);
  const database = /^\s*(CREATE|DROP)\s+DATABASE\b/i.test(sql) ? 'default' : request.database;
  return withSession(database, async (session) => {
    // Parameters become the session's own, in the text that HTTP carries: the engine reads them by the type that the
    // query names. (chdb's binding would escape once more, which strings undo and arrays do not.)
    for (const [name, value] of Object.entries(request.params))
      if (/^[A-Za-z_]\w*$/.test(name)) await session.queryAsync(`SET param_${name} = ${quote(value)}`);
    const result = await session.queryAsync(sql, { format: request.format });
    return Buffer.from(result.bytes());
  });
}

function allowed(incoming: IncomingMessage, url: URL): boolean {
  if (user === undefined) return true;
  const basic = /^Basic (.+)$/.exec(incoming.headers.authorization ?? '')?.[1];
  const [name, ...rest] = basic ? Buffer.from(basic, 'base64').toString('utf8').split(':') : [];
  const given = {
    name: name ?? incoming.headers['x-clickhouse-user'] ?? url.searchParams.get('user'),
    key: basic ? rest.join(':') : (incoming.headers['x-clickhouse-key'] ?? url.searchParams.get('password')),
  };
  return given.name === user && given.key === password;
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBodyBytes)
      throw new Error(`Code: 241. DB::Exception: request body over ${maxBodyBytes} bytes. (MEMORY_LIMIT_EXCEEDED)`);
    chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks);
  return incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

function fail(response: ServerResponse, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const code = Number(/Code:\s*(\d+)/.exec(text)?.[1] ?? 1001);
  response.statusCode = code === 516 ? 401 : statusOf(code);
  response.setHeader('X-ClickHouse-Exception-Code', String(code));
  response.end(`${text.startsWith('Code:') ? text : `Code: ${code}. DB::Exception: ${text} (STD_EXCEPTION)`}\n`);
}

const server = createServer(async (incoming, response) => {
  try {
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    if (!allowed(incoming, url))
      throw new Error(
        'Code: 516. DB::Exception: Authentication failed: password is incorrect, ' +
          'or there is no user with such name. (AUTHENTICATION_FAILED)',
      );
    if (url.pathname === '/' && incoming.method === 'GET' && !url.searchParams.has('query')) {
      response.end('Ok.\n');
      return;
    }
    const { request, rows } = readRequest(url, incoming.headers, await readBody(incoming));
    response.setHeader('X-ClickHouse-Server-Display-Name', 'tripline-embedded');
    response.setHeader('X-ClickHouse-Format', request.format);
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    if (request.queryId) response.setHeader('X-ClickHouse-Query-Id', request.queryId);
    const result = await answer(request, rows);
    response.setHeader(
      'X-ClickHouse-Summary',
      JSON.stringify({
        read_rows: '0',
        read_bytes: '0',
        written_rows: '0',
        written_bytes: String(rows.length),
        total_rows_to_read: '0',
        result_rows: '0',
        result_bytes: String(result.length),
        elapsed_ns: '0',
      }),
    );
    const zip =
      url.searchParams.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(String(incoming.headers['accept-encoding'] ?? ''));
    if (zip) response.setHeader('Content-Encoding', 'gzip');
    response.end(zip ? gzipSync(result) : result);
  } catch (error) {
    fail(response, error);
  }
});
server.keepAliveTimeout = 10_000;
system.query('SELECT sum(number) FROM numbers(10)');
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`listening ${typeof address === 'object' && address ? address.port : port}\n`);
});
const stop = (): void => {
  server.close();
  for (const { idle } of pools.values()) for (const session of idle) session.close();
  system.close();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
