/**
 * Are values of a list anywhere past the redactor? Every text column of every table (rows that a newer version has
 * replaced, too), the engine's own logs, and every topic past raw. The values stay in this process: a query that named
 * one would leave it in the engine's log.
 */
import { topics } from '../../schemas/generated.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogRecord } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import type { Form, Needles } from './audit-redaction-needles.ts';

/**
 * `where`: `database.table.column`, or `topic/partition part` with the range of offsets. `values`: indexes in the list.
 * `hits`: cells or records.
 */
export type Finding = {
  readonly where: string;
  readonly form: Form;
  readonly hits: number;
  readonly values: readonly number[];
  readonly offsets?: readonly [first: number, last: number];
};
export type Searched = {
  readonly columns: number;
  readonly rows: number;
  readonly topics: number;
  readonly records: number;
  readonly texts: number;
  readonly systemLogs: readonly string[];
};
export type Audit = { readonly findings: readonly Finding[]; readonly searched: Searched };

type HitCounts = { hits: number; readonly values: Set<number>; first?: number; last?: number };

/** Logs of the engine that hold texts of queries or of errors. Which of them exist is the engine's configuration. */
const systemLogs = [
  'query_log',
  'query_thread_log',
  'query_views_log',
  'text_log',
  'part_log',
  'asynchronous_insert_log',
  'errors',
  'crash_log',
  'opentelemetry_span_log',
];

/**
 * Every string in a value, keys too; numbers and bytes are counts, times and hashes of ours. Strings that hold JSON are
 * read as such besides, three levels deep.
 */
export function eachText(value: unknown, onText: (text: string) => void, nested = 3): void {
  if (typeof value === 'string') {
    onText(value);
    if (nested > 0 && /^\s*[[{"]/.test(value)) {
      try {
        eachText(JSON.parse(value), onText, nested - 1);
      } catch {
        // It only looked like JSON.
      }
    }
  } else if (Array.isArray(value)) for (const item of value) eachText(item, onText, nested);
  else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) {
    for (const [key, item] of Object.entries(value)) {
      onText(key);
      eachText(item, onText, nested);
    }
  }
}

const quoted = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

/** What was found so far, by place and form, and how much was searched. */
type Search = {
  readonly needles: Needles;
  readonly found: Map<string, Map<Form, HitCounts>>;
  readonly searched: Record<'columns' | 'rows' | 'topics' | 'records' | 'texts', number> & {
    readonly systemLogs: string[];
  };
};

function searchIn({ found, searched, needles }: Search, value: unknown, where: string, offset?: number): void {
  const hits = new Map<Form, Set<number>>();
  eachText(value, (text) => {
    searched.texts += 1;
    needles.search(text, (index, form) => hits.set(form, (hits.get(form) ?? new Set()).add(index)));
  });
  for (const [form, values] of hits) {
    const forms = found.get(where) ?? new Map<Form, HitCounts>();
    const counts: HitCounts = forms.get(form) ?? { hits: 0, values: new Set() };
    counts.hits += 1;
    for (const index of values) counts.values.add(index);
    if (offset !== undefined) {
      counts.first = Math.min(counts.first ?? offset, offset);
      counts.last = Math.max(counts.last ?? offset, offset);
    }
    found.set(where, forms.set(form, counts));
  }
}

const textColumns = `
  SELECT database, table, name FROM system.columns
  WHERE (type LIKE '%String%' OR type LIKE '%JSON%' OR type LIKE '%Object%')
    AND type NOT LIKE 'AggregateFunction%' AND default_kind != 'ALIAS'
    AND (
      database = {database:String} AND table IN (
        SELECT name FROM system.tables WHERE database = {database:String} AND engine NOT LIKE '%View'
      )
      OR database = 'system' AND table IN {logs:Array(String)}
    )`;

async function searchTables(search: Search, store: Store): Promise<void> {
  const { searched } = search;
  const columns = await store.rows<{ database: string; table: string; name: string }>(textColumns, {
    database: store.database,
    logs: systemLogs,
  });
  const byTable = new Map<string, typeof columns>();
  for (const column of columns) {
    const table = `${quoted(column.database)}.${quoted(column.table)}`;
    byTable.set(table, [...(byTable.get(table) ?? []), column]);
  }
  for (const [table, named] of byTable) {
    searched.columns += named.length;
    const [first] = named;
    if (first?.database === 'system') searched.systemLogs.push(first.table);
    await store.each<Record<string, unknown>>(
      `SELECT ${named.map(({ name }) => quoted(name)).join(', ')} FROM ${table}`,
      (row) => {
        searched.rows += 1;
        for (const { database, table: of, name } of named) searchIn(search, row[name], `${database}.${of}.${name}`);
      },
    );
  }
}

async function searchTopics(search: Search, log: LogClient, codec: AvroCodec, prefix: string): Promise<void> {
  const { searched } = search;
  for (const { suffix, records, mayHoldPii } of topics) {
    // The raw topics are what is searched for. Of what was parked the bytes are raw, too; the headers must be clean.
    const headersOnly = suffix === 'parked.v1';
    if (mayHoldPii && !headersOnly) continue;
    searched.topics += 1;
    const take = (record: LogRecord): void => {
      searched.records += 1;
      const at = `${record.topic}/${record.partition}`;
      searchIn(search, record.headers, `${at} headers`, record.offset);
      if (headersOnly) return;
      searchIn(search, record.key?.toString('utf8'), `${at} key`, record.offset);
      if (record.value === null) return;
      const decoded = records.length === 0 ? undefined : codec.decode(records, record.value);
      searchIn(search, decoded?.ok ? decoded.value : record.value.toString('utf8'), `${at} value`, record.offset);
    };
    const sources = await log.readToEnd(topicName(prefix, suffix));
    if (!headersOnly && records.length > 0)
      await codec.prepare(sources.flatMap(({ value }) => (value === null ? [] : [value])));
    for (const source of sources) take(source);
  }
}

export async function auditRedaction({
  store,
  log,
  codec,
  prefix,
  needles,
}: {
  readonly store: Store;
  readonly log: LogClient;
  readonly codec: AvroCodec;
  readonly prefix: string;
  readonly needles: Needles;
}): Promise<Audit> {
  const search: Search = {
    needles,
    found: new Map(),
    searched: { columns: 0, rows: 0, topics: 0, records: 0, texts: 0, systemLogs: [] },
  };
  await searchTables(search, store);
  await searchTopics(search, log, codec, prefix);
  const findings = [...search.found].flatMap(([where, forms]) =>
    [...forms].map(
      ([form, { hits, values, first, last }]): Finding => ({
        where,
        form,
        hits,
        values: [...values].sort((a, b) => a - b),
        ...(first !== undefined && last !== undefined && { offsets: [first, last] }),
      }),
    ),
  );
  return { findings, searched: search.searched };
}
