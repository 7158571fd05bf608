/**
 * Versions of every record for the pair table: what is checked in, what the next version may look like (a field added
 * with a default, at the end and in front), and what is not allowed. Made up from the schema itself, so that a record
 * added tomorrow is in the table too.
 */
import { type RecordName, schemas } from '../../schemas/generated.ts';

type Field = { readonly name: string; readonly type: unknown; readonly default?: unknown };
type Schema = { readonly fields: readonly Field[] } & Readonly<Record<string, unknown>>;

export const addedFields: readonly Field[] = [
  { name: 'added_count', type: 'long', default: 7 },
  { name: 'added_note', type: ['null', 'string'], default: null },
  { name: 'added_tags', type: { type: 'map', values: 'double' }, default: {} },
];
export const addedDefaults: Readonly<Record<string, unknown>> = Object.fromEntries(
  addedFields.map(({ name, default: value }) => [name, value]),
);
/** What a writer of the next version puts there. */
export const addedValues: Readonly<Record<string, unknown>> = {
  added_count: 123_456,
  added_note: 'new',
  added_tags: { one: 0.5 },
};

export type Version = { readonly version: 'v1' | 'v2' | 'v3'; readonly avsc: string };
export function versionsOf(name: RecordName): readonly Version[] {
  const schema = JSON.parse(schemas[name].avsc) as Schema;
  const [count, ...others] = addedFields as [Field, ...Field[]];
  return [
    { version: 'v1', avsc: schemas[name].avsc },
    { version: 'v2', avsc: JSON.stringify({ ...schema, fields: [...schema.fields, count] }) },
    { version: 'v3', avsc: JSON.stringify({ ...schema, fields: [...others, ...schema.fields, count] }) },
  ];
}
