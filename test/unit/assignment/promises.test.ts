import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { armAt, assign, createAssignmentTable, fractionOf } from '../../../services/assignment/index.ts';
import { bucketOf } from '../../../services/kernel/ids.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';

const revisionOf = (id: string, change: Parameters<typeof aRevision>[0] = {}, extra = '') =>
  aRevision(change, anExperimentFile({ extra }).replace('exp-test', id));
const units = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });

describe('200,000 ids of each shape', () => {
  const n = 200_000;
  const weights = [80, 15, 5];
  test.each([
    ['sequential', (i: number) => `${i}`],
    [
      'uuid',
      (i: number) =>
        createHash('md5')
          .update(String(i))
          .digest('hex')
          .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    ],
    ['mail-like', (i: number) => `customer.${i}@example.org`],
  ])('%s: arms by weight, and the arm says nothing about slot or bucket', (_name, shape) => {
    const arms = weights.map((weight, index) => ({ id: index, weight }));
    const counts = [0, 0, 0];
    const bySlot = new Array<number>(20).fill(0);
    const byBucket = new Array<number>(20).fill(0);
    let candidates = 0;
    for (let i = 0; i < n; i += 1) {
      const unit = shape(i);
      const arm = armAt(arms, fractionOf('exp\u001f1', '', 'arm', unit))?.id ?? -1;
      counts[arm] = (counts[arm] ?? 0) + 1;
      if (arm === 0) continue;
      candidates += 1;
      const slot = Math.floor(fractionOf('exp', '', 'slot', unit) * 20);
      const bucket = Math.floor((bucketOf('user', unit) * 20) / 4096);
      bySlot[slot] = (bySlot[slot] ?? 0) + 1;
      byBucket[bucket] = (byBucket[bucket] ?? 0) + 1;
    }
    const chi = (seen: readonly number[], expected: (index: number) => number): number =>
      seen.reduce((sum, count, index) => sum + (count - expected(index)) ** 2 / expected(index), 0);
    // 99.99th percentiles of chi-square with 2 and 19 degrees of freedom (R: qchisq(.9999, c(2, 19)) = 18.42, 50.80).
    expect(chi(counts, (index) => (n * (weights[index] ?? 0)) / 100)).toBeLessThan(18.42);
    expect(chi(bySlot, () => candidates / 20)).toBeLessThan(50.8);
    // 4,096 buckets do not divide by 20: the widest of these groups is 0.1 % wider, far below what is tested.
    expect(chi(byBucket, () => candidates / 20)).toBeLessThan(50.8);
  });
});

describe('a phase', () => {
  test('keeps every arm whatever the revision, coverage or pause; the next phase draws again', () => {
    const [before, paused, nextPhase] = [
      {},
      { revision: 9, status: 'paused', appliedAt: 5 } as const,
      { revision: 10, phase: 2 },
    ].map((change) => createAssignmentTable([revisionOf('e', change)]));
    if (!before || !paused || !nextPhase) throw new Error('three tables');
    fc.assert(
      fc.property(units, (userId) => {
        expect(assign(paused, 'e', { userId }).variant).toBe(assign(before, 'e', { userId }).variant);
      }),
    );
    let moved = 0;
    for (let i = 0; i < 4_000; i += 1)
      if (assign(nextPhase, 'e', { userId: `u${i}` }).variant !== assign(before, 'e', { userId: `u${i}` }).variant)
        moved += 1;
    // Half of a fair draw, 4 standard deviations (31.6 each) to both sides.
    expect(Math.abs(moved - 2_000)).toBeLessThan(127);
  });
  test.each([5, 25, 50])('coverage %i takes in that share', (coverage) => {
    const table = createAssignmentTable([revisionOf('e', { coverage })]);
    let inside = 0;
    for (let i = 0; i < 20_000; i += 1) if (assign(table, 'e', { userId: `u${i}` }).reason === 'SPLIT') inside += 1;
    const share = coverage / 100;
    expect(Math.abs(inside - 20_000 * share)).toBeLessThan(4.5 * Math.sqrt(20_000 * share * (1 - share)));
  });
});

describe('a layer', () => {
  test('excludes at every coverage, with any number of experiments, whatever their order and status', () => {
    const layered = (coverages: readonly number[]) =>
      coverages.map((coverage, index) => revisionOf(`e${index}`, { coverage }, '  layer: desk\n'));
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 6 }),
        fc.array(units, { minLength: 20, maxLength: 20 }),
        (coverages, subjects) => {
          const table = createAssignmentTable(layered(coverages));
          const backwards = createAssignmentTable(layered(coverages).reverse());
          for (const userId of subjects) {
            const ids = coverages.map((_, index) => `e${index}`);
            const inside = ids.filter((id) => assign(table, id, { userId }).reason === 'SPLIT');
            expect(inside.length).toBeLessThanOrEqual(1);
            expect(ids.filter((id) => assign(backwards, id, { userId }).reason === 'SPLIT')).toEqual(inside);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
  test('a neighbour that is stopped moves nobody', () => {
    const both = (status: 'running' | 'stopped') =>
      createAssignmentTable([
        revisionOf('one', {}, '  layer: desk\n'),
        revisionOf('two', { status }, '  layer: desk\n'),
      ]);
    const [running, stopped] = [both('running'), both('stopped')];
    for (let i = 0; i < 500; i += 1)
      expect(assign(stopped, 'one', { userId: `u${i}` })).toEqual(assign(running, 'one', { userId: `u${i}` }));
  });
});

describe('at rest', () => {
  test('a promoted candidate is what everybody gets, not counted', () =>
    expect(
      assign(createAssignmentTable([revisionOf('e', { status: 'promoted' })]), 'e', { userId: 'u' }),
    ).toMatchObject({ variant: 'B', reason: 'DISABLED' }));
  test('of two candidates nobody knows which was promoted: control', () => {
    const revision = revisionOf('e', { status: 'promoted' });
    const spec = {
      ...revision.spec,
      arms: [...revision.spec.arms, { id: 'C', role: 'candidate' as const, weight: 1, config: {} }],
    };
    expect(assign(createAssignmentTable([{ ...revision, spec }]), 'e', { userId: 'u' })).toMatchObject({
      variant: 'A',
      reason: 'DISABLED',
    });
  });
  test.each(['rolled_back', 'stopped', 'completed'] as const)('%s: control', (status) =>
    expect(assign(createAssignmentTable([revisionOf('e', { status })]), 'e', { userId: 'u' })).toMatchObject({
      variant: 'A',
      reason: 'DISABLED',
    }),
  );
  test('coverage 0 lets nobody in', () => {
    const table = createAssignmentTable([revisionOf('e', { coverage: 0 })]);
    fc.assert(
      fc.property(units, (userId) => {
        expect(assign(table, 'e', { userId })).toMatchObject({ variant: 'A', reason: 'DISABLED' });
      }),
    );
  });
  test('an arm inherits what control says and it does not', () => {
    const revision = revisionOf('e');
    const [control, candidate] = revision.spec.arms;
    if (!control || !candidate) throw new Error('two arms');
    const spec = {
      ...revision.spec,
      arms: [
        { ...control, config: { model: 'm', prompt: 'v1' } },
        { ...candidate, config: { prompt: 'v2' } },
      ],
    };
    expect(
      assign(createAssignmentTable([{ ...revision, spec }]), 'e', { userId: 'u' }, { forced: { e: 'B' } }).config,
    ).toEqual({ model: 'm', prompt: 'v2' });
  });
});
