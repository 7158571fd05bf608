/** The soak's running totals against the oracle of all other trials, over the same arrivals. */
import { expect, test } from 'vitest';
import { aRevision, monday } from '../../support/build.ts';
import { totalsOf } from '../oracle.ts';
import { createSoakLoad } from './load.ts';

test.each([1, 2, 3])('seed %i: added up as it is made = recounted from what was sent', (seed) => {
  const load = createSoakLoad(seed);
  const arrivals = Array.from({ length: 300 }, (_, index) => load.next(40, monday + index * 40_000)).flat();
  expect(Object.fromEntries(load.totals())).toEqual(Object.fromEntries(totalsOf(aRevision().spec, arrivals)));
  expect(arrivals.filter(({ kind }) => kind === 'outcome').length).toBeGreaterThan(500);
});
