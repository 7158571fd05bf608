import { sha256Hex } from '../kernel/canonical-json.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { createDatabase, createStore, type Store } from './clickhouse-client.ts';
import { sqlMigrations } from './sql-files.ts';

type Credentials = {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  readonly cluster?: string;
};

/** Names of the migrations that `migrate` would apply; it changes nothing, not even a database that is missing. */
export async function pendingMigrations(store: Store, connection: Credentials): Promise<readonly string[]> {
  const all = (await sqlMigrations()).map(({ name }) => name);
  const system = await createStore({ ...connection, database: 'default' });
  try {
    const there = await system.rows(
      "SELECT name FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'",
      { database: store.database },
    );
    if (there.length === 0) return all;
  } finally {
    await system.close();
  }
  const rows = await store.rows<{ name: string }>('SELECT name FROM schema_migrations FINAL');
  const applied = new Set(rows.map(({ name }) => name));
  return all.filter((name) => !applied.has(name));
}

/**
 * Brings the database up to date. Every statement may be repeated, so an interrupted run is finished by the next one; a
 * migration whose text changed after it was applied is an error, never a guess.
 */
export async function migrate(store: Store, connection: Credentials): Promise<readonly string[]> {
  await createDatabase({ ...connection, database: store.database });
  await store.command(
    'CREATE TABLE IF NOT EXISTS schema_migrations ' +
      '(name String, sha256 String, applied_at DateTime64(3) DEFAULT now64(3)) ' +
      'ENGINE = ReplacingMergeTree(applied_at) ORDER BY name',
  );
  const applied = new Map(
    (await store.rows<{ name: string; sha256: string }>('SELECT name, sha256 FROM schema_migrations FINAL')).map(
      ({ name, sha256 }) => [name, sha256],
    ),
  );
  const done: string[] = [];
  for (const { name, text, statements } of await sqlMigrations()) {
    const sha256 = sha256Hex(text);
    const known = applied.get(name);
    if (known === sha256) continue;
    if (known !== undefined)
      throw new PipelineError(
        'STORE_REFUSED',
        `migration ${name} was changed after it had been applied to ${store.database}`,
        { hint: 'restore the file and put the change into a new migration' },
      );
    for (const statement of statements) await store.command(statement);
    await store.insertRows('schema_migrations', [{ name, sha256 }]);
    done.push(name);
  }
  return done;
}
