/** The word of the linker that a unit counts under another name, in a partition that knows only the one. */
import { describe, expect, test } from 'vitest';
import { foldRecord } from '../../../services/joiner/fold.ts';
import { createPartitionState } from '../../../services/joiner/partition-state.ts';
import { hour, monday } from '../../support/build.ts';
import { revision } from '../../support/fallback-scene.ts';
import { adopted, elsewhere, happened, observed, tick } from '../../support/unit-records.ts';

describe('the word that a unit counts elsewhere', () => {
  const fold = (...records: Parameters<typeof foldRecord>[1][]) => {
    const partition = createPartitionState(0);
    for (const [index, record] of [adopted(revision), ...records, tick(monday + 99 * hour)].entries())
      foldRecord(partition, record, index * 4096);
    const state = partition.experiments.get('exp-test');
    return { partition, crossed: [state?.crossovers, state?.aliasCrossovers] };
  };
  const seen = observed({ id: 'e', unit: 's', at: monday });
  test.each([
    ['after its exposure', [seen, elsewhere('s', 'exp-test/1', monday)], [1, 1]],
    ['before its exposure', [elsewhere('s', 'exp-test/1', monday), seen], [1, 1]],
    ['twice', [seen, elsewhere('s', 'exp-test/1', monday), elsewhere('s', 'exp-test/1', monday)], [1, 1]],
    ['about another phase', [seen, elsewhere('s', 'exp-test/2', monday)], [0, 0]],
    ['about another unit', [seen, elsewhere('t', 'exp-test/1', monday)], [0, 0]],
    [
      'that an app has made up',
      [seen, happened({ id: 'x', unit: 's', at: monday, kind: 'tripline.alias/exp-test/1' })],
      [0, 0],
    ],
  ])('%s', (_name, records, expected) => expect(fold(...records).crossed).toEqual(expected));
});
