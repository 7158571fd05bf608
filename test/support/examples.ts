/**
 * The examples of a record, `hex:` read as bytes. A field that writers may leave out (`tripline.optional`) may be left
 * out of an example too: it stands for its default, as in what is written.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RecordName, type RecordTypes, schemas } from '../../schemas/generated.ts';

type Field = { readonly name: string; readonly type: Avro; readonly default?: unknown; 'tripline.optional'?: boolean };
type Avro = string | readonly Avro[] | NamedType;
type NamedType = {
  readonly type: Avro;
  readonly name?: string;
  readonly fields?: readonly Field[];
  readonly items?: Avro;
  readonly values?: Avro;
};
type Json = Readonly<Record<string, unknown>>;

const entriesOf = (value: unknown, change: (item: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(value as Json).map(([key, item]) => [key, change(item)]));

function completed(schema: Avro, value: unknown): unknown {
  if (value === null || value === undefined || typeof schema === 'string') return value;
  if ('length' in schema) {
    const branches = schema.filter((branch) => branch !== 'null');
    if (branches.length === 1) return completed(branches[0] as Avro, value);
    // Of several records the value is wrapped by its full name.
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => {
        const branch = branches.find(
          (one) => typeof one === 'object' && 'name' in one && name.endsWith(`.${one.name}`),
        );
        return [name, branch === undefined ? item : completed(branch, item)];
      }),
    );
  }
  const { type, fields, items, values } = schema;
  if (fields !== undefined) {
    const given = value as Json;
    const added = fields.filter((field) => field['tripline.optional'] && !(field.name in given));
    const types = new Map(fields.map((field) => [field.name, field.type]));
    return {
      ...Object.fromEntries(Object.entries(given).map(([key, item]) => [key, completed(types.get(key) ?? '', item)])),
      ...Object.fromEntries(added.map((field) => [field.name, field.default])),
    };
  }
  if (items !== undefined) return (value as readonly unknown[]).map((item) => completed(items, item));
  if (values !== undefined) return entriesOf(value, (item) => completed(values, item));
  return completed(type, value);
}

const revive = (_key: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('hex:') ? Buffer.from(value.slice(4), 'hex') : value;

export type Example<Name extends RecordName> = { readonly file: string; readonly value: RecordTypes[Name] };
export function readExamples<Name extends RecordName>(record: Name): Example<Name>[] {
  const folder = fileURLToPath(new URL(`../../schemas/${record}/examples/`, import.meta.url));
  const schema = JSON.parse(schemas[record].avsc) as NamedType;
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      file,
      value: completed(schema, JSON.parse(readFileSync(folder + file, 'utf8'), revive)) as RecordTypes[Name],
    }));
}
