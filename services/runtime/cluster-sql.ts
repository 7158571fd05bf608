/**
 * Statements and settings for ClickHouse as a cluster of replicas. One shard: rows that one flush writes are one
 * insert, there or not. Every insert waits for a majority of replicas, and every read for what the last of them wrote:
 * a look or a load never sees an older table than the one before it.
 */

/** With it every replica that answers has every insert of before. Inserts go one after the other. */
export const clusterSettings = {
  insert_quorum: 'auto',
  insert_quorum_parallel: 0,
  select_sequential_consistency: '1',
} as const;

const path = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'";

/** `cluster` is an identifier. What creates or changes tables does so on every replica; other statements stay. */
export function forCluster(statement: string, cluster: string): string {
  const on = ` ON CLUSTER ${cluster}`;
  return statement
    .replace(/^(CREATE (?:TABLE|DATABASE) (?:IF NOT EXISTS )?\w+)/, `$1${on}`)
    .replace(/^(ALTER TABLE \w+)/, `$1${on}`)
    .replace(/\bENGINE = ReplacingMergeTree\((\w+)\)/, `ENGINE = ReplicatedReplacingMergeTree(${path}, $1)`)
    .replace(/\bENGINE = ReplacingMergeTree(?=\s)/, `ENGINE = ReplicatedReplacingMergeTree(${path})`);
}
