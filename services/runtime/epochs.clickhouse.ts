/**
 * Epochs of the unit log (kernel/epochs.ts) as the store and the broker know them: the table says what is read, the
 * newest topic is what is written.
 */
import {
  ancestorsOf,
  type Epoch,
  familyOf,
  firstEpoch,
  firstTopic,
  holdsPart,
  openEpoch,
  type PartRange,
} from '../kernel/epochs.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Store } from './clickhouse-client.ts';
import type { LogClient } from './log.ts';
import { sqlQuery } from './sql-files.ts';

type Row = {
  readonly epoch: number;
  readonly topic: string;
  readonly first_part: number;
  readonly partitions: number;
  readonly parent: number;
  readonly ends: readonly string[];
  readonly step: 0 | 1 | 2;
};

/** Every epoch; the first, with the partitions that its topic has, where none was ever written. */
export async function readEpochs(store: Store, log: LogClient, prefix: string): Promise<readonly Epoch[]> {
  const rows = await store.rows<Row>(await sqlQuery('epochs'));
  if (rows.length === 0) return [firstEpoch(await log.partitions(`${prefix}.${firstTopic}`))];
  return rows.map(({ first_part: firstPart, ends, ...row }) => ({ ...row, firstPart, ends: ends.map(Number) }));
}

/** All in one insert. `all`: every epoch there is, these included. */
export async function writeEpochs(store: Store, all: readonly Epoch[], changed: readonly Epoch[]): Promise<void> {
  await store.insertRows(
    'epochs',
    changed.map(({ firstPart, ...epoch }) => ({
      ...epoch,
      first_part: firstPart,
      family: familyOf(all, { ...epoch, firstPart }),
    })),
  );
}

export function requireOpen(epochs: readonly Epoch[]): Epoch {
  const open = openEpoch(epochs);
  if (open === undefined)
    throw new PipelineError('STATE_CORRUPT', 'table epochs has no open epoch', {
      cure: 'restore it from a backup: no command leaves it like that',
    });
  return open;
}

export const ancestors =
  (epochs: readonly Epoch[]) =>
  (part: number): readonly PartRange[] => {
    const epoch = epochs.find((other) => holdsPart(other, part));
    return epoch === undefined ? [] : ancestorsOf(epochs, epoch, part - epoch.firstPart);
  };
