/**
 * Units and event ids that live in the store alone: whatever is evicted, flushed, lost or overtaken, rows are those of
 * a fold that kept everything.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evict } from '../../../services/joiner/prefetch.ts';
import type { UnitRecord } from '../../../schemas/generated.ts';
import { contentsOf, createOwner, finish, foldEagerly, type Owner } from '../../support/joiner-driver.ts';
import { createMemoryState } from '../../support/memory-state.ts';
import { aLog } from '../../support/unit-log.ts';

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('fold' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      what: fc.constantFrom('all' as const, 'facts' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);
const cacheLimits = fc.record({ units: fc.integer({ min: 0, max: 4 }), events: fc.integer({ min: 1, max: 6 }) });

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const perform = async (owner: Owner, next: Step): Promise<void> => {
  if (next.do === 'fold') await owner.fold(next.count);
  else if (next.do === 'flush') {
    owner.take();
    await owner.write('all');
  } else if (next.do === 'take') owner.take();
  else if (next.do === 'write') await owner.write(next.what);
  else owner.crash();
};
const sameAsEager = (store: ReturnType<typeof createMemoryState>, log: readonly UnitRecord[]): void => {
  const { rows, facts } = contentsOf(store, log.length);
  const eager = contentsOf(foldEagerly(log).store, log.length);
  expect(rows).toEqual(eager.rows);
  expect(facts).toEqual(eager.facts);
};

describe('laws', () => {
  test('any evictions, loads, flushes and crashes give the rows of a fold that keeps everything', async () => {
    let loaded = 0;
    let evicted = 0;
    await fc.assert(
      fc.asyncProperty(
        aLog,
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        cacheLimits,
        async (log, steps, room) => {
          const store = createMemoryState();
          const owner = createOwner(store, log, room);
          for (const next of steps) await perform(owner, next);
          await finish(owner, log);
          sameAsEager(store, log);
          loaded += store.lookups.units + store.lookups.events;
          evicted += owner.state.counts.evicted;
        },
      ),
      { numRuns: 150 },
    );
    // The law means something only when units were evicted and loaded again.
    expect(Math.min(loaded, evicted)).toBeGreaterThan(200);
  }, 120_000);
  test('two owners of a partition, one of them a zombie, give the rows of one', async () => {
    let overtaken = 0;
    await fc.assert(
      fc.asyncProperty(
        aLog,
        fc.array(fc.tuple(fc.boolean(), step), { minLength: 20, maxLength: 100, size: 'max' }),
        cacheLimits,
        async (log, steps, room) => {
          const store = createMemoryState();
          const owners = [createOwner(store, log, room), createOwner(store, log, { units: 2, events: 2 })] as const;
          for (const [second, next] of steps) await perform(owners[second ? 1 : 0], next);
          await finish(owners[0], log);
          await finish(owners[1], log);
          sameAsEager(store, log);
          overtaken += owners[0].fastForwards + owners[1].fastForwards;
        },
      ),
      { numRuns: 150 },
    );
    expect(overtaken).toBeGreaterThan(30);
  }, 120_000);
  test('memory is bounded: of durable units no more stay than asked for, whatever the state holds', async () => {
    await fc.assert(
      fc.asyncProperty(aLog, async (log) => {
        const store = createMemoryState();
        const owner = createOwner(store, log, { units: 1, events: 1 });
        while (owner.at < log.length) {
          await owner.fold(1);
          owner.take();
          await owner.write('all');
          evict(owner.state, { units: 1, events: 1 });
          evict(owner.state, { units: 1, events: 1 });
          expect(owner.state.units.size).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 30 },
    );
  });
});
