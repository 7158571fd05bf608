/**
 * Every (writer, reader) pair of every record's versions decodes: what is checked in, and two made-up next versions
 * whose golden bytes are checked in too. And of all their frames, every flip of every byte: it decodes or has a code,
 * nothing hangs, nothing is made up that the bytes do not hold. Each bit and the extremes by default;
 * TRIPLINE_EVERY_VALUE=1 tries all 255 other values, a minute and a half.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type RecordName, schemas } from '../../schemas/generated.ts';
import { canRead, createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { avroTypeOf } from '../../services/runtime/avro-types.ts';
import { readExamples } from '../support/examples.ts';
import { addedDefaults, addedFields, addedValues, type Version, versionsOf } from './schema-evolution.ts';

const names = Object.keys(schemas) as RecordName[];
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const example = (name: RecordName): object => readExamples(name)[0]?.value ?? {};
const only = (added: Readonly<Record<string, unknown>>, { avsc }: Version): Record<string, unknown> =>
  Object.fromEntries(Object.entries(added).filter(([field]) => avsc.includes(`"${field}"`)));

const goldenFile = fileURLToPath(new URL('./schemas-next.json', import.meta.url));
const encoded = Object.fromEntries(
  names.flatMap((name) =>
    versionsOf(name).map((version) => [
      `${name}/${version.version}`,
      avroTypeOf(version.avsc)
        .toBuffer({ ...example(name), ...only(addedValues, version) })
        .toString('hex'),
    ]),
  ),
);
if (!existsSync(goldenFile)) writeFileSync(goldenFile, `${JSON.stringify(encoded, null, 1)}\n`);
const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Record<string, string>;
test('the bytes of every version are those checked in', () => expect(encoded).toEqual(golden));

const pairs = names.flatMap((name) =>
  versionsOf(name).flatMap((writer) => versionsOf(name).map((reader) => ({ name, writer, reader }))),
);
describe('writer and reader', () => {
  test.each(pairs.map((pair) => [pair.name, pair.writer.version, pair.reader.version, pair] as const))(
    '%s: written by %s, read by %s',
    (name, _from, _to, { writer, reader }) => {
      expect(canRead(reader.avsc, writer.avsc)).toBe(true);
      const [as, of] = [avroTypeOf(reader.avsc), avroTypeOf(writer.avsc)];
      const read = as.fromBuffer(
        Buffer.from(golden[`${name}/${writer.version}`] ?? '', 'hex'),
        as.createResolver(of),
      ) as object;
      // A field that only the reader has comes as its default, one that only the writer has is passed over.
      expect(plain(read)).toEqual(
        plain({ ...example(name), ...only({ ...addedDefaults, ...only(addedValues, writer) }, reader) }),
      );
    },
  );
});

/** Values inside a value, itself too: none of ours takes no byte, but for those of a default. */
const contained = (value: unknown): number =>
  value === null || typeof value !== 'object' || Buffer.isBuffer(value)
    ? 1
    : Object.values(value).reduce<number>((sum, inner) => sum + contained(inner), 1);
const ids = new Map(
  names.flatMap((name, index) =>
    versionsOf(name).map((version, at) => [`${name}/${version.version}`, 1 + index * 3 + at] as const),
  ),
);
const byId = new Map(
  names.flatMap((name) =>
    versionsOf(name).map((version) => [ids.get(`${name}/${version.version}`) ?? 0, version.avsc] as const),
  ),
);
const codec = createAvroCodec({
  registry: {
    register: async () => 0,
    schemaById: async (id: number) => byId.get(id),
    ping: async () => {},
  } as unknown as Parameters<typeof createAvroCodec>[0]['registry'],
  clock: { now: () => 0 },
});
const framed = (name: RecordName, { version }: Version): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(ids.get(`${name}/${version}`) ?? 0, 1);
  return Buffer.concat([head, Buffer.from(golden[`${name}/${version}`] ?? '', 'hex')]);
};
const frames = names.flatMap((name) =>
  versionsOf(name).map((version) => [name, version.version, framed(name, version)] as const),
);
await codec.prepare(frames.map(([, , frame]) => frame));

const flips =
  process.env['TRIPLINE_EVERY_VALUE'] === '1'
    ? Array.from({ length: 255 }, (_, index) => index + 1)
    : [1, 2, 4, 8, 16, 32, 64, 128, 127, 255];
describe('every flip of every byte', () => {
  test.each(frames)(
    '%s %s, read by what is running',
    (name, version, frame) => {
      // The frame as it is, first: what is broken below was good.
      expect(codec.decode([name], frame).ok).toBe(true);
      const fields = version === 'v1' ? 0 : addedFields.length;
      const codes = new Map<string, number>();
      const broken = Buffer.from(frame);
      for (let index = 0; index < frame.length; index += 1) {
        const good = frame[index] ?? 0;
        for (const flip of flips) {
          broken[index] = good ^ flip;
          const result = codec.decode([name], broken);
          const code = result.ok ? 'ok' : result.code;
          codes.set(code, (codes.get(code) ?? 0) + 1);
          if (result.ok && contained(result.value) > 2 * frame.length + fields)
            expect.fail(`byte ${index} ^ ${flip}: ${contained(result.value)} values out of ${frame.length} bytes`);
        }
        broken[index] = good;
      }
      expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(frame.length * flips.length);
      expect(
        [...codes.keys()].filter((code) => !['ok', 'BAD_FRAME', 'SCHEMA_UNKNOWN', 'UNDECODABLE'].includes(code)),
      ).toEqual([]);
      expect(codes.get('UNDECODABLE')).toBeGreaterThan(0);
    },
    60_000,
  );

  test('none of it needed more than a few hundred megabytes', () => {
    // High water of the whole process: an array that is made as long as a broken count says takes gigabytes.
    expect(process.resourceUsage().maxRSS / 1_024).toBeLessThan(1_500);
  });
});
