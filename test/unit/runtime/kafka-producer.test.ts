import { fc, test } from '@fast-check/vitest';
import { KafkaJSNonRetriableError, KafkaJSProtocolError } from 'kafkajs';
import { expect } from 'vitest';
import { afterFailedSend } from '../../../services/runtime/kafka-errors.ts';
import { roundsOf } from '../../../services/runtime/kafka-producer.ts';
import type { OutgoingRecord } from '../../../services/runtime/log.ts';

const record = fc.record({
  topic: fc.constantFrom('a', 'b'),
  partition: fc.integer({ min: 0, max: 2 }),
  bytes: fc.integer({ min: 0, max: 400 }),
});

test.prop([fc.array(record, { maxLength: 60 })])(
  'rounds of a send: each within the bound or one record a partition, all of them once and in order',
  (drafts) => {
    const records: OutgoingRecord[] = drafts.map(({ topic, partition, bytes }) => ({
      topic,
      partition,
      value: Buffer.alloc(bytes),
    }));
    const rounds = roundsOf(records, 600);
    const of = (all: readonly OutgoingRecord[], at: string): OutgoingRecord[] =>
      all.filter(({ topic, partition }) => `${topic}/${partition}` === at);
    for (const at of ['a/0', 'a/1', 'a/2', 'b/0', 'b/1', 'b/2']) {
      expect(of(rounds.flat(), at)).toEqual(of(records, at));
      for (const round of rounds) {
        const mine = of(round, at);
        expect(mine.length === 1 || mine.reduce((sum, { value }) => sum + value.length + 64, 0) <= 600).toBe(true);
      }
    }
    expect(rounds.flat().length).toBe(records.length);
  },
);

test.each([
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'begin anew'],
  ['UNKNOWN_PRODUCER_ID', 'begin anew'],
  ['UNKNOWN', 'wait'],
  ['KAFKA_STORAGE_ERROR', 'wait'],
  ['MESSAGE_TOO_LARGE', 'give up'],
  ['TOPIC_AUTHORIZATION_FAILED', 'give up'],
])('%s: %s, as kafkajs throws it and as it wraps it', (type, what) => {
  const error = new KafkaJSProtocolError({ type, code: 0, retriable: false, message: type } as never);
  expect([
    afterFailedSend(error),
    afterFailedSend(Object.assign(new KafkaJSNonRetriableError(error), { cause: error })),
  ]).toEqual([what, what]);
});
