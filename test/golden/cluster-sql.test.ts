/** What creates and changes tables of a cluster, and its settings. Delete `cluster.sql` to write it anew. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { clusterSettings, forCluster } from '../../services/runtime/cluster-sql.ts';
import { sqlMigrations } from '../../services/runtime/sql-files.ts';

const golden = fileURLToPath(new URL('cluster.sql', import.meta.url));

test('every table is replicated, every statement reaches every replica', async () => {
  const statements = (await sqlMigrations()).flatMap((migration) => migration.statements);
  const there = statements.map((statement) => forCluster(statement, 'main'));
  expect(there.filter((statement) => !statement.includes(' ON CLUSTER main'))).toEqual([]);
  expect(there.filter((statement) => /ENGINE = (?!Replicated)/.test(statement))).toEqual([]);
  // Without what columns are for: that is said in the migrations.
  const bare = there.map((statement) => statement.replaceAll(/ COMMENT '(?:[^']|'')*'/g, ''));
  const changes = bare.filter((statement) => !statement.includes('COMMENT COLUMN'));
  const text = `-- ${JSON.stringify(clusterSettings)}\n${changes.join(';\n')};\n`;
  if (!existsSync(golden)) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});

test('a database too; what reads or inserts stays as it is', () => {
  expect(forCluster('CREATE DATABASE IF NOT EXISTS tripline', 'main')).toBe(
    'CREATE DATABASE IF NOT EXISTS tripline ON CLUSTER main',
  );
  for (const statement of ['INSERT INTO state SELECT * FROM state', 'SELECT 1'])
    expect(forCluster(statement, 'main')).toBe(statement);
});
