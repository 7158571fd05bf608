/**
 * The laws can fail: builds that are wrong in one place each, and in how many of the seeds the rows differ from an
 * eager fold's. The build as it is differs in none.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  contentsOf,
  createOwner,
  type DrivenStore,
  finish,
  foldEagerly,
  type Owner,
} from '../../support/joiner-driver.ts';
import { createMemoryState, type MemoryState, type StateRowRead } from '../../support/memory-state.ts';
import { aLog } from '../../support/unit-log.ts';

const seeds = 30;
const logs = fc.sample(aLog, { numRuns: seeds, seed: 7 });
const schedules = fc.sample(
  fc.array(
    fc.tuple(fc.nat(1), fc.constantFrom('fold', 'fold', 'fold', 'flush', 'flush', 'take', 'facts', 'write', 'crash')),
    { minLength: 60, maxLength: 140, size: 'max' },
  ),
  { numRuns: seeds, seed: 8 },
);

type Build = { readonly store?: (store: MemoryState) => DrivenStore; readonly after?: (owner: Owner) => void };
/** An insert in two pieces: a third of the times the process dies between them. */
const inTwo =
  (first: (row: StateRowRead) => boolean) =>
  (store: MemoryState): DrivenStore => {
    let inserts = 0;
    return {
      ...store,
      writeState: (flush) => {
        inserts += 1;
        store.writeState(flush, inserts % 3 === 0 ? first : undefined);
      },
    };
  };

async function differs(seed: number, { store: broken, after }: Build): Promise<boolean> {
  const log = logs[seed] ?? [];
  const store = createMemoryState();
  const built = broken?.(store) ?? store;
  const owners = [createOwner(built, log, { units: 1, events: 1 }), createOwner(built, log, { units: 2, events: 2 })];
  try {
    for (const [which, what] of schedules[seed] ?? []) {
      const owner = owners[which] as Owner;
      if (what === 'fold') await owner.fold(3);
      if (what === 'take' || what === 'flush') owner.take();
      after?.(owner);
      if (what === 'facts') await owner.write('facts');
      if (what === 'write' || what === 'flush') await owner.write('all');
      if (what === 'crash') owner.crash();
    }
    for (const owner of owners) {
      owner.crash();
      await finish(owner, log);
    }
  } catch {
    return true; // a fold that stops is caught as well
  }
  return (
    JSON.stringify(contentsOf(store, log.length)) !== JSON.stringify(contentsOf(foldEagerly(log).store, log.length))
  );
}

const caught: string[] = [];
test.each<[string, Build, 'never' | 'sometimes']>([
  ['as it is', {}, 'never'],
  ['units and cells in two inserts', { store: inTwo(({ kind }) => kind === 'unit' || kind === 'entity') }, 'sometimes'],
  ['checkpoint before the rest', { store: inTwo(({ kind }) => kind === 'checkpoint') }, 'sometimes'],
  [
    'facts past the checkpoint visible',
    {
      store: (store) => ({
        ...store,
        events: (partitionId, ids) => store.events(partitionId, ids, Number.MAX_SAFE_INTEGER),
      }),
    },
    'sometimes',
  ],
  ['duplicates told by memory alone', { store: (store) => ({ ...store, events: async () => [] }) }, 'sometimes'],
  [
    'fast-forward off, units still cold',
    {
      store: (store) => ({
        ...store,
        units: async (partitionId, ids) =>
          (await store.units(partitionId, ids)).map((row) => ({ ...row, position: '0' })),
      }),
    },
    'sometimes',
  ],
  [
    'evicts what is not durable',
    {
      after: ({ state }) => {
        state.durable = Number.MAX_SAFE_INTEGER;
      },
    },
    'sometimes',
  ],
  [
    'open entries forgotten at the start',
    {
      store: (store) => ({
        ...store,
        openUnits: async (...args) => (await store.openUnits(...args)).map((row) => ({ ...row, closes: [] })),
      }),
    },
    'sometimes',
  ],
  [
    'entities not looked up',
    {
      store: (store) => ({
        ...store,
        units: async (partitionId, ids) => (await store.units(partitionId, ids)).filter(({ kind }) => kind === 'unit'),
      }),
    },
    'sometimes',
  ],
])('%s', async (name, build, expected) => {
  let wrong = 0;
  for (let seed = 0; seed < seeds; seed += 1) if (await differs(seed, build)) wrong += 1;
  caught.push(`${name}: wrong in ${wrong} of ${seeds}`);
  if (expected === 'never') expect(wrong).toBe(0);
  else expect(wrong).toBeGreaterThan(0);
});
test('the table', () => {
  console.log(caught.join('\n'));
  expect(caught).toHaveLength(9);
});
