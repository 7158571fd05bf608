import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, createAssignmentTable, fractionOf, type Purpose } from '../../../services/assignment/index.ts';
import { bucketOf, inferenceId, partitionOf, readInferenceId } from '../../../services/kernel/ids.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';

const { vectors } = JSON.parse(
  readFileSync(new URL('../../golden/assignment-vectors.json', import.meta.url), 'utf8'),
) as { vectors: { salt: string; layer: string; purpose: Purpose; unit: string; fraction: number; bucket: number }[] };
test('1,000 published vectors', () => {
  expect(vectors.length).toBe(1000);
  for (const { salt, layer, purpose, unit, fraction, bucket } of vectors)
    expect([fractionOf(salt, layer, purpose, unit), bucketOf('user', unit)]).toEqual([fraction, bucket]);
});

const table = (coverage = 100, change: Parameters<typeof aRevision>[0] = {}) =>
  createAssignmentTable([aRevision({ coverage, ...change })]);
const armOf = (unit: string, coverage = 100) => assign(table(coverage), 'exp-test', { userId: unit });

describe('distribution and independence, 60,000 ids of each shape', () => {
  const n = 60_000;
  const chiSquare = (counts: readonly number[]): number =>
    counts.reduce((sum, count) => sum + (count - n / counts.length) ** 2 / (n / counts.length), 0);
  test.each([
    ['sequential', (i: number) => `${i}`],
    ['padded', (i: number) => `user-${String(i).padStart(8, '0')}`],
    ['mail-like', (i: number) => `a${i}@example.org`],
  ])('%s', (_name, shape) => {
    const slots = new Array<number>(20).fill(0);
    const joint = new Array<number>(100).fill(0);
    const apart = new Array<number>(100).fill(0);
    for (let i = 0; i < n; i += 1) {
      const [slot, arm, other] = [
        fractionOf('e1', '', 'slot', shape(i)),
        fractionOf('e1', '', 'arm', shape(i)),
        fractionOf('e2', '', 'arm', shape(i)),
      ];
      slots[Math.floor(slot * 20)] = (slots[Math.floor(slot * 20)] ?? 0) + 1;
      joint[Math.floor(slot * 10) * 10 + Math.floor(arm * 10)] =
        (joint[Math.floor(slot * 10) * 10 + Math.floor(arm * 10)] ?? 0) + 1;
      apart[Math.floor(arm * 10) * 10 + Math.floor(other * 10)] =
        (apart[Math.floor(arm * 10) * 10 + Math.floor(other * 10)] ?? 0) + 1;
    }
    // 99.99th percentiles of chi-square with 19 and 99 degrees of freedom (R: qchisq(.9999, c(19, 99))).
    expect(chiSquare(slots)).toBeLessThan(50.8);
    expect(chiSquare(joint)).toBeLessThan(161.4);
    expect(chiSquare(apart)).toBeLessThan(161.4);
  });
});

describe('promises', () => {
  const units = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
  test('a ramp takes more units in and moves nobody', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (unit, a, b) => {
        const [low, high] = [armOf(unit, Math.min(a, b)), armOf(unit, Math.max(a, b))];
        if (low.reason === 'SPLIT') expect([high.reason, high.variant]).toEqual(['SPLIT', low.variant]);
      }),
    );
  });
  test('an ended experiment gives its place in the layer back; what was promoted stays with everybody', () => {
    const layered = (id: string, change: Parameters<typeof aRevision>[0] = {}) =>
      aRevision(change, anExperimentFile({ extra: '  layer: desk\n' }).replace('exp-test', id));
    const ended = { status: 'completed', coverage: 0 } as const;
    const ids = Array.from({ length: 1_000 }, (_, index) => `user-${index}`);
    const shareOf = (other: Parameters<typeof aRevision>[0]) => {
      const both = createAssignmentTable([layered('one'), layered('two', other)]);
      return ids.filter((userId) => assign(both, 'one', { userId }).reason === 'SPLIT').length;
    };
    expect([shareOf({ status: 'stopped' }) < 600, shareOf(ended)]).toEqual([true, 1_000]);
    const arm = (change: Parameters<typeof aRevision>[0]) =>
      assign(createAssignmentTable([aRevision(change)]), 'exp-test', { userId: 'u' }).variant;
    expect([arm(ended), arm({ ...ended, promoted: 'B' })]).toEqual(['A', 'B']);
  });
  test('experiments of a layer never share a unit', () => {
    const layered = (id: string) =>
      aRevision({}, anExperimentFile({ extra: '  layer: desk\n' }).replace('exp-test', id));
    const both = createAssignmentTable([layered('one'), layered('two')]);
    let taken = 0;
    for (let i = 0; i < 3_000; i += 1) {
      const inside = ['one', 'two'].filter((id) => assign(both, id, { userId: `u${i}` }).reason === 'SPLIT');
      expect(inside.length).toBeLessThanOrEqual(1);
      taken += inside.length;
    }
    expect(taken).toBe(3_000);
  });
  test.each([
    ['rolled back: control, DISABLED', { status: 'rolled_back', coverage: 0 } as const, 'DISABLED', 'A'],
    ['killed in mid-ramp', { status: 'stopped', coverage: 0 } as const, 'DISABLED', 'A'],
  ])('%s', (_name, change, reason, variant) =>
    expect(assign(table(0, change), 'exp-test', { userId: 'u' })).toMatchObject({ reason, variant }),
  );
  test('paused keeps everybody where they are', () =>
    expect(assign(table(100, { status: 'paused' }), 'exp-test', { userId: 'u' }).variant).toBe(armOf('u').variant));
  test('forced, stale, unknown experiment, no unit', () => {
    expect(assign(table(), 'exp-test', { userId: 'u' }, { forced: { 'exp-test': 'B' } })).toMatchObject({
      reason: 'FORCED',
      variant: 'B',
    });
    expect(assign(table(), 'exp-test', { userId: 'u' }, { stale: true }).reason).toBe('STALE');
    expect(assign(table(), 'nope', { userId: 'u' })).toMatchObject({ reason: 'UNKNOWN', variant: 'control' });
    expect(assign(table(), 'exp-test', { orgId: 'o' })).toMatchObject({ reason: 'UNKNOWN', variant: 'A' });
  });
  test('an inference id carries its bucket and time; doubling partitions splits ranges', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4095 }),
        fc.integer({ min: 0, max: 2 ** 47 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.integer({ min: 1, max: 64 }),
        (bucket, at, random, partitions) => {
          expect(readInferenceId(inferenceId(at, bucket, random))).toEqual({ bucket, at });
          expect(Math.floor(partitionOf(bucket, partitions * 2) / 2)).toBe(partitionOf(bucket, partitions));
        },
      ),
    );
  });
});
