import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { UnitRecord } from '../../../schemas/generated.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { batchUnits } from '../../../services/runtime/batches.ts';
import { observed } from '../../support/unit-log.ts';
import { monday } from '../../support/build.ts';

const registry = {
  register: async () => 1,
  schemaById: async () => undefined,
  subjects: async () => [],
  ping: async () => {},
};
const codec = createAvroCodec({ registry, clock: { now: () => 0 } });
await codec.register([{ record: 'unit-record', topic: 't' }]);

const long = (id: string, bytes: number): UnitRecord => {
  const record = observed({ id, unit: 'u', at: monday });
  const body = record.body as { 'tripline.v1.Observation': { model_served: string } };
  return {
    ...record,
    body: { 'tripline.v1.Observation': { ...body['tripline.v1.Observation'], model_served: 'm'.repeat(bytes) } },
  } as UnitRecord;
};

test.prop([fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 24 })], { numRuns: 40 })(
  'a message is at most 512 KiB or one record, every record is in one, in order',
  (sizes) => {
    const target = { topic: 't', partitions: 1, codec, timestamp: monday };
    const messages = batchUnits(
      target,
      sizes.map((bytes, index) => ({ bucket: 0, record: long(`e${index}`, bytes) })),
    );
    const lists = messages.map(({ value }) => {
      const decoded = codec.decode(['unit-record'], value);
      return decoded.ok ? decoded.value.records : [];
    });
    for (const [index, { value }] of messages.entries())
      expect(value.length <= 512 * 1024 || lists[index]?.length === 1).toBe(true);
    expect(
      lists
        .flat()
        .map(({ body }) =>
          'tripline.v1.Observation' in body
            ? body['tripline.v1.Observation'].event_id.toString('latin1').replaceAll('.', '')
            : '',
        ),
    ).toEqual(sizes.map((_, index) => `e${index}`));
  },
);
