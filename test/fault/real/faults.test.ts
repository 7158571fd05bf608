/**
 * The short run of the fault plan on a broker and an engine of its own, which are killed, frozen and cut off. `npm run
 * fault` runs all of it, for long.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedStack, startEmbedded } from '../../../infra/embedded/index.ts';
import { faults } from './faults.ts';

const home = mkdtempSync(join(tmpdir(), 'tripline-fault-'));
let stack: EmbeddedStack;
beforeAll(async () => {
  stack = await startEmbedded({ home });
});
afterAll(async () => {
  await stack.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('totals = oracle, rows = a fold of the log, recount = aggregates, parked = injected, nothing left', () => {
  test.each(faults.filter(({ short }) => short).map((fault) => [fault.row, fault.name, fault] as const))(
    'fault %d: %s',
    async (_row, _name, fault) => {
      const { wrong, happened, skipped } = await fault.run({ stack, home, seed: 1 });
      console.log(`${fault.name}: ${skipped ?? JSON.stringify(happened)}`);
      expect(wrong).toEqual([]);
    },
    400_000,
  );
});
