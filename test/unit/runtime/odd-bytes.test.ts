/** Bytes that nobody can use: they cost a bounded number of questions, and any broker takes what is parked of them. */
import { expect, test } from 'vitest';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogRecord, OutgoingRecord, Tombstone } from '../../../services/runtime/log.ts';
import { parkedBytes, parkedRecord, sendParked } from '../../../services/runtime/park.ts';
import { createRegistryClient } from '../../../services/runtime/registry-client.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

const frameOf = (id: number): Buffer => {
  const frame = Buffer.alloc(6);
  frame.writeUInt32BE(id, 1);
  return frame;
};

test('1,500 schema ids that nobody knows: 64 are asked for, then none until they are forgotten', async () => {
  let now = 0;
  const asked: number[] = [];
  const registry = createMemoryRegistry();
  const codec = createAvroCodec({
    registry: {
      ...registry,
      schemaById: async (id) => {
        asked.push(id);
        return registry.schemaById(id);
      },
    },
    clock: { now: () => now },
  });
  const odd = Array.from({ length: 1_500 }, (_, index) => frameOf(1_000 + index));
  await codec.prepare(odd);
  await codec.prepare(odd);
  expect(asked).toHaveLength(64);
  expect(codec.decode(['ack'], odd[1_499] as Buffer)).toMatchObject({ ok: false, code: 'SCHEMA_UNKNOWN' });
  now = 31_000;
  // A schema that was registered meanwhile is named by more frames than each of the odd ids, and is asked for first.
  const [first] = await Promise.all([registry.register('s', '"string"')]);
  await codec.prepare([...odd, frameOf(first), frameOf(first)]);
  expect([asked[64], asked.length]).toEqual([first, 64 + 64 + 8]);
});

test('an id that no registry can have is not asked for', () => {
  const codec = createAvroCodec({ registry: createMemoryRegistry(), clock: { now: () => 0 } });
  expect(codec.prepare([frameOf(0xffff_ffff)])).toBeUndefined();
});

test('a registry that answers an odd id with a page and 422 does not stop the stage', async () => {
  const { createServer } = await import('node:http');
  const server = createServer((_request, response) => response.writeHead(422).end('<html>no</html>')).listen(0);
  const { port } = server.address() as { port: number };
  const client = createRegistryClient({ url: `http://127.0.0.1:${port}` });
  expect(await client.schemaById(7)).toBeUndefined();
  server.close();
});

const sourceOf = (bytes: number, key: Buffer | null = null): LogRecord => ({
  topic: 'raw',
  partition: 3,
  offset: 17,
  timestamp: 5,
  key,
  value: Buffer.alloc(bytes, 65),
  headers: {},
});
const sizeOf = ({ value, key, headers }: OutgoingRecord): number =>
  value.length +
  (key?.length ?? 0) +
  Object.entries(headers ?? {}).reduce((sum, [name, text]) => sum + name.length + text.length, 0);

test.each<[string, LogRecord, boolean]>([
  ['a record of a kilobyte', sourceOf(1_000), true],
  ['a record of a megabyte', sourceOf(1 << 20), false],
  ['a key of a megabyte', sourceOf(10, Buffer.alloc(1 << 20)), false],
])('%s is parked within what a broker takes', (_name, source, whole) => {
  const parked = parkedRecord('parked', 'redactor', source, 'TOO_LARGE', 'why', 1);
  expect(sizeOf(parked)).toBeLessThan(1_048_588);
  expect(parked.value.length).toBe(whole ? source.value?.length : 0);
  expect(parked.headers).toMatchObject({ 'x-topic': 'raw', 'x-partition': '3', 'x-offset': '17' });
  if (!whole) expect(parked.headers?.['x-digest']).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(parkedBytes({ headers: parked.headers ?? {}, value: parked.value })).toBe(source.value?.length);
});

test('a broker that takes less: what it refuses is parked by its digest, the others whole', async () => {
  const taken: number[] = [];
  const producer = {
    send: async (records: readonly (OutgoingRecord | Tombstone)[]) => {
      const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      if (bytes > 1_000) throw Object.assign(new Error('refused'), { cause: { type: 'MESSAGE_TOO_LARGE' } });
      taken.push(...records.map(({ value }) => value?.length ?? 0));
      return new Map<string, number>();
    },
  };
  const records = [10, 5_000, 900].map((bytes) => parkedRecord('p', 's', sourceOf(bytes), 'INVALID', 'why', 1));
  await sendParked(producer, records);
  expect(taken).toEqual([10, 0, 900]);
});
