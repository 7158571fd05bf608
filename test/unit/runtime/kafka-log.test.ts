import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { roundsOf } from '../../../services/runtime/kafka-log.ts';
import type { OutgoingRecord } from '../../../services/runtime/log.ts';

const record = fc.record({ topic: fc.constantFrom('a', 'b'), partition: fc.integer({ min: 0, max: 2 }), bytes: fc.integer({ min: 0, max: 400 }) });

test.prop([fc.array(record, { maxLength: 60 })])('rounds of a send: each within the bound or one record of its partition, every record once, each partition in its order', (drafts) => {
  const records: OutgoingRecord[] = drafts.map(({ topic, partition, bytes }) => ({ topic, partition, value: Buffer.alloc(bytes) }));
  const rounds = roundsOf(records, 600);
  const of = (all: readonly OutgoingRecord[], at: string): OutgoingRecord[] => all.filter(({ topic, partition }) => `${topic}/${partition}` === at);
  for (const at of ['a/0', 'a/1', 'a/2', 'b/0', 'b/1', 'b/2']) {
    expect(of(rounds.flat(), at)).toEqual(of(records, at));
    for (const round of rounds) {
      const mine = of(round, at);
      expect(mine.length === 1 || mine.reduce((sum, { value }) => sum + value.length + 64, 0) <= 600).toBe(true);
    }
  }
  expect(rounds.flat().length).toBe(records.length);
});
