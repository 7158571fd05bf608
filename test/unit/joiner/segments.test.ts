import { expect, test } from 'vitest';
import { createPartitionState, foldRecord } from '../../../services/joiner/index.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { adopted, observed } from '../../support/unit-records.ts';

test('an arm with hundreds of prompts does not hide a changed prompt of the other', () => {
  const partition = createPartitionState(0);
  let offset = 0;
  const fold = (record: Parameters<typeof foldRecord>[1]): void => foldRecord(partition, record, 4096 * offset++);
  fold(adopted(aRevision()));
  const call = (arm: string, prompt: string, n: number): void =>
    fold(observed({ id: `${arm}${n}`, unit: `${arm}${n}`, at: monday + hour + n, arm, prompt }));
  call('B', 'v1', 0);
  for (let n = 1; n <= 300; n += 1) call('A', `p${n}`, n);
  fold({ ...observed({ id: 'z', unit: 'z', at: monday + 30 * hour, arm: 'B', prompt: 'v1' }) });
  call('B', 'v2', 30 * hour);
  const { segments, configurationChanges } = partition.experiments.get('exp-test') ?? {};
  expect(segments?.at(-1)?.reason).toBe('configuration change');
  expect([...(configurationChanges?.values() ?? [])].at(-1)).toMatchObject({ arm: 'B', value: 'v2', baseline: false });
  expect(partition.counts.dropped.get('configuration-change-limit')).toBeGreaterThan(0);
});
