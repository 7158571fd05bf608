/**
 * Generations of the unit log (kernel/generations.ts) as the store and the broker know them: the table says what is
 * read, the newest topic is what is written.
 */
import {
  ancestorsOf,
  type Generation,
  siblingsOf,
  firstGeneration,
  firstTopic,
  holdsPartition,
  openGeneration,
  type PartitionRange,
} from '../kernel/generations.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Store } from './clickhouse-client.ts';
import type { LogClient } from './log.ts';
import { sqlQuery } from './sql-files.ts';

type Row = {
  readonly generation: number;
  readonly topic: string;
  readonly first_partition_id: number;
  readonly partitions: number;
  readonly parent: number;
  readonly ends: readonly string[];
  readonly step: 0 | 1 | 2;
};

/** Every generation; the first, with the partitions that its topic has, where none was ever written. */
export async function readGenerations(store: Store, log: LogClient, prefix: string): Promise<readonly Generation[]> {
  const rows = await store.rows<Row>(await sqlQuery('generations'));
  if (rows.length === 0) return [firstGeneration(await log.partitions(`${prefix}.${firstTopic}`))];
  return rows.map(({ first_partition_id: firstPartitionId, ends, ...row }) => ({
    ...row,
    firstPartitionId,
    ends: ends.map(Number),
  }));
}

/** All in one insert. `all`: every generation there is, these included. */
export async function writeGenerations(
  store: Store,
  all: readonly Generation[],
  changed: readonly Generation[],
): Promise<void> {
  await store.insertRows(
    'generations',
    changed.map(({ firstPartitionId, ...generation }) => ({
      ...generation,
      first_partition_id: firstPartitionId,
      sibling_group: siblingsOf(all, { ...generation, firstPartitionId }),
    })),
  );
}

export function requireOpen(generations: readonly Generation[]): Generation {
  const open = openGeneration(generations);
  if (open === undefined)
    throw new PipelineError('STATE_CORRUPT', 'table generations has no open generation', {
      hint: 'restore it from a backup: no command leaves it like that',
    });
  return open;
}

export const ancestors =
  (generations: readonly Generation[]) =>
  (partitionId: number): readonly PartitionRange[] => {
    const generation = generations.find((other) => holdsPartition(other, partitionId));
    return generation === undefined
      ? []
      : ancestorsOf(generations, generation, partitionId - generation.firstPartitionId);
  };
