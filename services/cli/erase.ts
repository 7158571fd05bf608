/**
 * `erase`: everything that is kept of some units, from the tombstone to the analytics records; what of it cannot be
 * done here is said.
 */
import { readFileSync } from 'node:fs';
import { bucketOf, partitionOf } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { joinerGroup } from '../joiner/index.ts';
import { createPseudonymizer, namedBy } from '../redactor/index.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { topicName } from '../runtime/topics.ts';
import { keepsUnitKeys, knownUnitKeys } from './addresses.ts';
import { awaitGroup, endsOf } from './caught-up.ts';
import { type Connection, withConnection } from './read.ts';
import { print, printJson } from './terminal.ts';

export type EraseFlags = { readonly home: string; readonly units: string; readonly json?: boolean };

/**
 * A unit a line: an id, or a type, a tab and an id. As keys of tombstones, each once; what names nobody is told by its
 * line.
 */
export function readUnits(text: string, path: string): readonly string[] {
  const keys = new Set<string>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '') return;
    const key = line.replace('\t', '\u001f');
    if (namedBy(Buffer.from(key, 'utf8')) === undefined)
      throw new PipelineError('INPUT_UNREADABLE', `${path}, line ${index + 1} names no unit`, {
        hint: "write an id, or a type (user, org, session, or an entity's), a tab and an id",
      });
    keys.add(key);
  });
  if (keys.size === 0)
    throw new PipelineError('INPUT_UNREADABLE', `${path} names no unit`, {
      hint: 'write one unit a line: an id, or a type, a tab and an id',
    });
  return [...keys];
}

/**
 * Ids in one mutation, which writes every data part that it touches once more. They stand in the statement, as hex: as
 * parameters they would travel in the address, which is shorter.
 */
const together = 1_000;

/**
 * Analytics records of every unit that was ever erased, by the pseudonyms that the joiner's state keeps of them:
 * nobody's id is needed, and it may be repeated. The rows are looked up first and deleted by their ids: a mutation that
 * reads other tables can wait for itself (seen with the embedded engine).
 */
export async function deleteErasedRows(store: Store): Promise<Record<'outcomes' | 'inferences', number>> {
  const deleted = { outcomes: 0, inferences: 0 };
  // Outcomes first: those that name only an inference are found by it, in the rows that are still there.
  for (const [table, id] of [
    ['outcomes', 'outcome_id'],
    ['inferences', 'event_id'],
  ] as const) {
    const ids = (await store.rows<{ id: string }>(await sqlQuery(`erased-${table}`))).map((row) => row.id);
    deleted[table] = ids.length;
    for (let from = 0; from < ids.length; from += together)
      await store.command(
        `ALTER TABLE ${table} DELETE WHERE ${id} IN (${ids
          .slice(from, from + together)
          .map((one) => `unhex('${Buffer.from(one, 'utf8').toString('hex')}')`)
          .join(', ')}) SETTINGS mutations_sync = 2`,
      );
  }
  return deleted;
}

function readUnitsFile(path: string): readonly string[] {
  try {
    return readUnits(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause;
    throw new PipelineError('INPUT_UNREADABLE', `${path} cannot be read`, {
      cause,
      hint: 'correct the path after --units',
    });
  }
}

export async function erase({ home, units: path, json }: EraseFlags): Promise<number> {
  const keys = readUnitsFile(path);
  return withConnection(home, async (connection) => {
    await eraseInStages(connection, keys);
    const deleted = await deleteErasedRows(connection.store);
    // The redactor has written down what is left of its keys; whether it did so here is looked up, not believed.
    const pseudonym = keepsUnitKeys() ? createPseudonymizer(knownUnitKeys(home)) : undefined;
    const isKept = (key: string): boolean =>
      namedBy(Buffer.from(key, 'utf8'))?.some(({ kind, id }) => pseudonym?.knows(kind, id)) ?? false;
    const kept = pseudonym === undefined ? keys.length : keys.filter(isKept).length;
    if (json) printJson({ units: keys.length, keysDropped: keys.length - kept, rowsDeleted: deleted });
    else {
      print(`${keys.length} asked for; erased in the joiner's state, sums stay`);
      print(`rows deleted: ${deleted.inferences} of inferences, ${deleted.outcomes} of outcomes`);
      print(keysLine(keys.length, kept, pseudonym !== undefined));
    }
    return kept === 0 ? 0 : 1;
  });
}

/** Sends the tombstones and waits until redactor, joiner and sink have done with them. */
async function eraseInStages({ log, store, prefix }: Connection, keys: readonly string[]): Promise<void> {
  const producer = await log.producer();
  try {
    const raw = topicName(prefix, 'inference.raw.v1');
    const partitions = await log.partitions(raw);
    const ends = await producer.send(
      keys.map((key) => {
        const [{ kind, id } = { kind: '', id: '' }] = namedBy(Buffer.from(key, 'utf8')) ?? [];
        return { topic: raw, partition: partitionOf(bucketOf(kind, id), partitions), key, value: null };
      }),
    );
    const soFar = `${keys.length} tombstones are written`;
    await awaitGroup(log, `${prefix}-redactor`, ends, 'redactor', soFar);
    const { generation, topic } = requireOpen(await readGenerations(store, log, prefix));
    const unitEnds = await endsOf(log, [`${prefix}.${topic}`]);
    await awaitGroup(log, joinerGroup(prefix, generation), unitEnds, 'joiner', soFar);
    const cleanEnds = await endsOf(log, [topicName(prefix, 'inference.v1'), topicName(prefix, 'outcome.v1')]);
    await awaitGroup(log, `${prefix}-sink`, cleanEnds, 'sink', soFar);
  } finally {
    await producer.close();
  }
}

function keysLine(asked: number, kept: number, keepsKeysHere: boolean): string {
  if (kept === 0) return 'keys dropped: all; back-ups of the key file have to go, too';
  const why = keepsKeysHere
    ? 'the redactor that answered does not keep its keys in this home folder: name its folder with --home'
    : 'TRIPLINE_PSEUDONYM_KEY holds the key of all and brings them back: ' +
      'put it into pseudonym.key in the home folder of the stages instead';
  return `keys dropped: ${asked - kept} of ${asked}; ${why}, and repeat this`;
}
