/**
 * The unit log's partitions doubled twice under a killed and restarted path, and everything folded again, on the real
 * broker and engine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { partitionIncrease } from '../fault/real/partition-increase.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-repartition-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each([1])(
  'seed %d: totals = oracle, test aggregates = a refold, recount = aggregates, a rebuild gives the same rows',
  async (seed) => {
    const { wrong, happened } = await partitionIncrease({ stack: inject('addresses'), home, seed });
    console.log(JSON.stringify(happened.counts));
    expect(wrong).toEqual([]);
  },
  400_000,
);
