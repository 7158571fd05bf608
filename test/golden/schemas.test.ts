/**
 * Golden bytes of every record's examples, and what becomes of broken ones: decoded or a code, never a throw, a hang or
 * a flood of memory.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type RecordName, schemas } from '../../schemas/generated.ts';
import { canRead, createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { readExamples } from '../support/examples.ts';

const names = Object.keys(schemas) as RecordName[];
const ids = new Map(names.map((name, index) => [name, index + 1]));
const registry = {
  register: async (subject: string) =>
    ids.get(names.find((name) => subject.endsWith(schemas[name].fullName)) ?? 'ack') ?? 0,
  schemaById: async () => undefined,
  subjects: async () => [],
  ping: async () => {},
};
const codec = createAvroCodec({ registry, clock: { now: () => 0 } });
await codec.register(names.map((record) => ({ record, topic: 't' })));

const examples = names.flatMap((name) => readExamples(name).map(({ file, value }) => ({ name, file, value })));
const goldenFile = fileURLToPath(new URL('./schemas.json', import.meta.url));
const encoded = Object.fromEntries(
  examples.map(({ name, file, value }) => [
    `${name}/${file}`,
    codec
      .encode(name, value as never)
      .subarray(5)
      .toString('hex'),
  ]),
);
if (!existsSync(goldenFile)) writeFileSync(goldenFile, `${JSON.stringify(encoded, null, 1)}\n`);
const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Record<string, string>;
const framed = (name: RecordName, hex: string): Buffer => {
  const body = Buffer.from(hex, 'hex');
  const head = Buffer.alloc(5);
  head.writeUInt32BE(ids.get(name) ?? 0, 1);
  return Buffer.concat([head, body]);
};

test('every record has an example, and the bytes are those checked in', () => {
  expect(new Set(examples.map(({ name }) => name)).size).toBe(names.length);
  expect(encoded).toEqual(golden);
});
test.each(examples.map(({ name, file, value }) => [`${name}/${file}`, name, value] as const))(
  '%s decodes to what it was',
  (at, name, value) => {
    const decoded = codec.decode([name], framed(name, golden[at] ?? ''));
    expect(decoded.ok && JSON.parse(JSON.stringify(decoded.value))).toEqual(JSON.parse(JSON.stringify(value)));
  },
);
describe('broken frames', () => {
  test.each(examples.map(({ name, file }) => [`${name}/${file}`, name] as const))(
    '%s: every byte flip and every cut',
    (at, name) => {
      const frame = framed(name, golden[at] ?? '');
      const codes = new Set<string>();
      for (let index = 0; index < frame.length; index += 1) {
        for (const mask of [0x01, 0x40, 0x80, 0xff]) {
          const flipped = Buffer.from(frame);
          flipped[index] = (flipped[index] ?? 0) ^ mask;
          const result = codec.decode([name], flipped);
          codes.add(result.ok ? 'ok' : result.code);
        }
        const cut = codec.decode([name], frame.subarray(0, index));
        expect(cut.ok).toBe(false);
      }
      expect(codes.has('UNDECODABLE') || codes.has('BAD_FRAME')).toBe(true);
    },
  );
});
test.each([
  [
    'a field with a default',
    (fields: { name: string }[]) => [...fields, { name: 'added', type: 'int', default: 0 }],
    true,
    true,
  ],
  ['a field without one', (fields: { name: string }[]) => [...fields, { name: 'added', type: 'int' }], false, true],
  ['a field less', (fields: { name: string }[]) => fields.slice(1), true, false],
])('evolution of the inference event: %s', (_name, change, newReadsOld, oldReadsNew) => {
  const schema = JSON.parse(schemas['inference-event'].avsc) as { fields: { name: string }[] };
  const next = JSON.stringify({ ...schema, fields: change(schema.fields) });
  expect([canRead(next, schemas['inference-event'].avsc), canRead(schemas['inference-event'].avsc, next)]).toEqual([
    newReadsOld,
    oldReadsNew,
  ]);
});
