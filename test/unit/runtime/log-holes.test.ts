/** A reader's position against what the log has: a hole has a name, a cause and a hint. */
import { expect, test } from 'vitest';
import { type Hole, holeAt, holeError, nameOfHole } from '../../../services/runtime/log-holes.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { parkedEntries } from '../../../services/cli/replay-parked.ts';
import { writeDownHole } from '../../../services/runtime/write-down-hole.ts';

test.each<[string, number, Hole['kind'] | undefined]>([
  ['at the start', 60, undefined],
  ['at the end', 100, undefined],
  ['before the start: retention was faster', 20, 'gap'],
  ['behind the end: the log was made anew', 1_000, 'cut'],
])('a reader %s', (_name, position, kind) => {
  expect(holeAt('t', 0, position, { first: 60, end: 100 })?.kind).toBe(kind);
});

test('a gap says how to go on, a cut under a state only how to begin anew', () => {
  const gap: Hole = { kind: 'gap', topic: 't', partition: 0, from: 20, to: 60 };
  expect(holeError(gap, true)).toMatchObject({ code: 'LOG_GAP', hint: expect.stringContaining(nameOfHole(gap)) });
  const cut: Hole = { ...gap, kind: 'cut' };
  expect(holeError(cut, true).hint).not.toContain('ACCEPT');
  expect(holeError(cut, false).hint).toContain('TRIPLINE_ACCEPT_GAP=t/0@20-60');
});

test('what was accepted is written down where people look for what was not used', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([{ topic: 'parked', partitions: 1, config: {} }]);
  const producer = await log.producer();
  const write = writeDownHole({ name: 'joiner', parkedTopic: 'parked', producer, clock: { now: () => 5 } });
  await write({ kind: 'gap', topic: 't', partition: 0, from: 20, to: 60 });
  expect(parkedEntries(await log.readToEnd('parked'))).toMatchObject([
    {
      stage: 'joiner',
      code: 'LOG_GAP',
      topic: 't',
      offset: 20,
      message: 't/0: records 20 to 59 were deleted before they were read',
    },
  ]);
});
