/** ClickHouse's HTTP interface as values: what a request asks of the engine. Pure. */
export type EngineRequest = {
  readonly kind: 'ping' | 'query' | 'insert';
  /** Without its FORMAT clause. */
  readonly sql: string;
  readonly format: string;
  readonly database: string;
  readonly params: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly queryId: string | undefined;
  /** For inserts that carry rows: where they go. */
  readonly insert?: { readonly table: string; readonly columns: readonly string[] };
};

/** URL parameters that are no settings of the engine. */
const reserved = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'user',
  'password',
  'compress',
  'decompress',
  'enable_http_compression',
  'wait_end_of_query',
  'role',
  'buffer_size',
  'close_session',
  'session_timeout',
  'session_check',
]);
const settingName = /^[a-z][a-z0-9_]*$/;
const identifier = /^(?:[A-Za-z_][A-Za-z0-9_]*|`[^`\\]+`)(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|`[^`\\]+`))?$/;
const insertWithRows = /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([^\s(]+)\s*(?:\(([^)]*)\)\s*)?FORMAT\s+(\w+)\s*;?\s*/i;
const trailingFormat = /\bFORMAT\s+(\w+)\s*;?\s*$/i;

/** `body` is the request's text when it is not rows of an insert whose statement stands in the URL. */
export function readRequest(
  url: URL,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Buffer,
): { request: EngineRequest; rows: Buffer } {
  const params: Record<string, string> = {};
  const settings: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) params[name.slice(6)] = value;
    else if (!reserved.has(name) && settingName.test(name)) settings[name] = value;
  }
  const inUrl = url.searchParams.get('query') ?? '';
  const database = url.searchParams.get('database') ?? String(headers['x-clickhouse-database'] ?? 'default');
  const defaultFormat =
    url.searchParams.get('default_format') ?? String(headers['x-clickhouse-format'] ?? 'TabSeparated');
  const common = { database, params, settings, queryId: url.searchParams.get('query_id') ?? undefined };
  const none = Buffer.alloc(0);
  if (url.pathname === '/ping')
    return { request: { ...common, kind: 'ping', sql: '', format: 'TabSeparated' }, rows: none };
  const head = inUrl === '' ? body.subarray(0, 16_384).toString('latin1') : inUrl;
  const insert = insertWithRows.exec(head);
  const table = insert?.[1];
  if (insert && table !== undefined && identifier.test(table)) {
    const columns = (insert[2] ?? '')
      .split(',')
      .map((column) => column.trim())
      .filter(Boolean);
    const rows =
      inUrl === ''
        ? body.subarray(Buffer.byteLength(insert[0], 'latin1'))
        : Buffer.concat([Buffer.from(inUrl.slice(insert[0].length)), body]);
    return {
      request: {
        ...common,
        kind: 'insert',
        sql: insert[0],
        format: insert[3] ?? 'JSONEachRow',
        insert: { table, columns },
      },
      rows,
    };
  }
  const text = inUrl === '' ? body.toString('utf8') : body.length === 0 ? inUrl : `${inUrl}\n${body.toString('utf8')}`;
  const format = trailingFormat.exec(text);
  return {
    request: {
      ...common,
      kind: 'query',
      sql: format ? text.slice(0, format.index) : text,
      format: format?.[1] ?? defaultFormat,
    },
    rows: none,
  };
}

const selects = /^\s*(?:\(|SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)\b/i;

/** Settings of the URL as a clause; only where the engine takes one, and not where the text brings its own. */
export function withSettings(sql: string, settings: Readonly<Record<string, string>>): string {
  const entries = Object.entries(settings);
  if (entries.length === 0 || !/^\s*(?:SELECT|WITH)\b/i.test(sql) || /\bSETTINGS\b/i.test(sql)) return sql;
  const clause = entries.map(([name, value]) => `${name} = ${literal(value)}`).join(', ');
  return `${sql.replace(/;\s*$/, '')} SETTINGS ${clause}`;
}
export const returnsRows = (sql: string): boolean => selects.test(sql);

const literal = (value: string): string =>
  /^-?\d+(?:\.\d+)?$/.test(value) ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
export const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** HTTP status for the engine's own codes, as ClickHouse answers them. */
export function statusOf(code: number): number {
  if ([36, 43, 46, 47, 53, 62, 26, 27, 41, 69, 386, 456, 457, 6, 33, 117].includes(code)) return 400;
  if ([60, 81, 390, 161].includes(code)) return 404;
  if ([193, 194, 516].includes(code)) return 403;
  if (code === 48) return 501;
  if (code === 159 || code === 209) return 408;
  return 500;
}
