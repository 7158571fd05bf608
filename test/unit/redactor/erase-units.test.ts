/**
 * Tombstones on the raw topics: whom a key names, the record that comes of it, and on a log with a crash between the
 * record and the commit.
 */
import { expect, test } from 'vitest';
import type { InferenceEvent, OutcomeEvent, UnitRecord } from '../../../schemas/generated.ts';
import { createPartitionState, foldRecord } from '../../../services/joiner/index.ts';
import { eraseKind } from '../../../services/kernel/erase.ts';
import { bucketOf, partitionOf } from '../../../services/kernel/ids.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import {
  createPseudonymizer,
  parseUnitKeys,
  formatUnitKeys,
  startRedactor,
  type UnitKeys,
} from '../../../services/redactor/index.ts';
import { eraseUnits, namedBy } from '../../../services/redactor/erase-units.ts';
import { redactInference, redactOutcome } from '../../../services/redactor/redact-event.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { topicName, topicSpecs } from '../../../services/runtime/topics.ts';
import { anInference, anOutcome } from '../../support/build.ts';
import { until } from '../../support/until.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

const key = Buffer.alloc(32, 9);
const context = () => ({ policy: defaultPolicy, pseudonym: createPseudonymizer(key) });
const ofUser = (user: string) => anInference({ user, prompt: 'mail ada@example.org' }).event as InferenceEvent;
const ofTicket = (ticket: string) => anOutcome({ ticket }).event as OutcomeEvent;

test.each<[string, string, string[]]>([
  ['an id alone is every unit of that id', 'u1', ['user u1', 'org u1', 'session u1', 'request u1']],
  ['a type and an id are one', 'user\u001fu1', ['user u1']],
  ['an entity as outcomes have it', 'ticket\u001fT-1', ['entity:ticket T-1']],
  ['an entity that is a unit', 'entity:account\u001fA\u001f1', ['entity:account A\u001f1']],
])('%s', (_what, text, names) =>
  expect(namedBy(Buffer.from(text))?.map(({ kind, id }) => `${kind} ${id}`)).toEqual(names),
);
test.each<[string, Buffer | null]>([
  ['no key', null],
  ['an empty one', Buffer.alloc(0)],
  ['a type without an id', Buffer.from('user\u001f')],
  ['a type that is none', Buffer.from('our user\u001fu1')],
  ['bytes that are no text', Buffer.from([0xff, 0xfe])],
  ["somebody's text", Buffer.alloc(3_000, 97)],
])('%s is parked', (_what, bytes) =>
  expect(eraseUnits(bytes, 5, context())).toMatchObject({ kind: 'park', code: 'INVALID' }),
);

test("the erase record goes where the unit's own records go, under its pseudonym", () => {
  const { pseudonym } = context();
  const verdict = eraseUnits(Buffer.from('user\u001fu1'), 5, { pseudonym });
  expect(verdict).toMatchObject({
    kind: 'forward',
    value: {
      entity: [],
      erased: [{ kind: 'user', id: 'u1' }],
      unit: [
        {
          bucket: bucketOf('user', 'u1'),
          record: {
            received_at: 5,
            body: {
              'tripline.v1.OutcomeSeen': {
                kind: eraseKind,
                unit_type: 'user',
                unit: pseudonym('user', 'u1'),
                entity: null,
                value: null,
              },
            },
          },
        },
      ],
    },
  });
});
test('whoever has no key is erased already: tombstones, inferences and outcomes of theirs go no further', () => {
  const after = context();
  after.pseudonym.drop([
    { kind: 'user', id: 'u1' },
    { kind: 'entity:ticket', id: 'T-1' },
  ]);
  const gone = { kind: 'drop', reason: 'erased' };
  expect(eraseUnits(Buffer.from('user\u001fu1'), 5, after)).toEqual(gone);
  expect(redactInference(ofUser('u1'), 5, after)).toEqual(gone);
  expect(redactOutcome(ofTicket('T-1'), 5, after)).toEqual(gone);
  const other = ofUser('u2');
  expect(redactInference(other, 5, after)).toEqual(redactInference(other, 5, context()));
  expect(redactOutcome(ofTicket('T-2'), 5, after).kind).toBe('forward');
});

/** A log with a raw topic, and what is told of it: `send` writes raw records, `erases` reads the unit log. */
async function createRawLog(prefix: string) {
  const broker = createMemoryBroker();
  const log = broker.client();
  await log.createTopics(topicSpecs(prefix, 2, true));
  const codec = createAvroCodec({ registry: createMemoryRegistry(), clock: { now: () => 0 } });
  await codec.register(
    (
      [
        'inference-event',
        'exposure',
        'outcome-event',
        'redacted-inference',
        'redacted-outcome',
        'unit-record',
        'entity-record',
      ] as const
    ).map((record) => ({ record, topic: 't' })),
  );
  const producer = await log.producer();
  const raw = topicName(prefix, 'inference.raw.v1');
  const partition = partitionOf(bucketOf('user', 'u1'), 2);
  const send = (user: string, value: Buffer | null, word = user) =>
    producer.send([{ topic: raw, partition, key: word, value }]);
  const erases = async (): Promise<UnitRecord[]> => {
    const frames = (await log.readToEnd(topicName(prefix, 'unit.v1'))).flatMap(({ value }) =>
      value === null ? [] : [value],
    );
    return frames.flatMap((value) => {
      const decoded = codec.decode(['unit-record'], value);
      return decoded.ok ? decoded.value.records : [];
    });
  };
  return { log, codec, producer, raw, partition, send, erases };
}

test('on a log: record, then key, then offset; a crash in between erases again and changes nothing', async () => {
  const prefix = 'p';
  const { log, codec, producer, raw, partition, send, erases } = await createRawLog(prefix);
  let kept = formatUnitKeys(createPseudonymizer(key).keys());
  const start = (keepKeys: (keys: UnitKeys) => void) =>
    startRedactor({
      prefix,
      log,
      producer,
      codec,
      clock: { now: () => 0 },
      lingerMs: 0,
      keepKeys,
      context: { policy: defaultPolicy, pseudonym: createPseudonymizer(parseUnitKeys(kept) as UnitKeys) },
    });
  await send('u1', codec.encode('inference-event', ofUser('u1')));
  await send('u1', null, 'user\u001fu1');

  // The place where the keys are kept is full: the record is written, the key is not dropped there, the offset does not
  // move.
  let tries = 0;
  const first = await start(() => {
    tries += 1;
    throw new PipelineError('STORE_UNAVAILABLE', 'no space for the keys', { retriable: true });
  });
  await until('a second try', () => tries > 1);
  await first.close();
  expect((await log.committedOffsets(`${prefix}-redactor`, raw))[partition] ?? 0).toBe(0);

  const second = await start((keys) => {
    kept = formatUnitKeys(keys);
  });
  await until('the tombstone to be done with', () => second.counts.forwarded === 2);
  await send('u1', codec.encode('inference-event', ofUser('u1')));
  await send('u2', codec.encode('inference-event', ofUser('u2')));
  await until('what came afterwards', () => second.counts.in === 4 && second.counts.waiting === 0);
  expect([second.counts.dropped.get('erased'), second.counts.forwarded]).toEqual([1, 3]);
  await second.close();
  expect(createPseudonymizer(parseUnitKeys(kept) as UnitKeys).knows('user', 'u1')).toBe(false);

  // After a restart the unit is still nobody; a tombstone again changes nothing.
  const third = await start(() => {
    throw new Error('nothing to keep');
  });
  await send('u1', codec.encode('inference-event', ofUser('u1')));
  await send('u1', null, 'user\u001fu1');
  await send('u1', null, '');
  await until('the third', () => third.counts.in === 3 && third.counts.waiting === 0);
  await third.close();
  expect([Object.fromEntries(third.counts.dropped), Object.fromEntries(third.counts.parked)]).toEqual([
    { erased: 2 },
    { INVALID: 1 },
  ]);

  const records = await erases();
  const marks = records.filter(({ body }) => 'tripline.v1.OutcomeSeen' in body);
  expect(marks.length).toBeGreaterThan(1);
  const fold = createPartitionState(partition);
  for (const [index, record] of records.entries()) foldRecord(fold, record, index);
  expect(fold.counts.dropped.get('duplicate')).toBe(marks.length - 1);
});
