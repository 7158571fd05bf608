// Writes schemas/generated.ts from schemas/*/v1.avsc and schemas/topics.json. `--check` exits 1 when the file is stale.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'schemas');
const names = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'v1.avsc')))
  .sort();
const primitives = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Buffer',
};
const declared = new Map(); // type name -> declaration text; the same name in two files must mean the same
const kinds = new Map(); // name -> 'record' | 'enum' | 'fixed'

function typeText(schema, namespace) {
  if (typeof schema === 'string') return primitives[schema] ?? reference(schema);
  if (Array.isArray(schema)) {
    const branches = schema.filter((branch) => branch !== 'null');
    const nullable = branches.length < schema.length ? ' | null' : '';
    // avsc wraps the branches of a union of several records by their full names.
    const texts = branches.map((branch) => {
      const text = typeText(branch, namespace);
      return branches.length > 1 ? `{ '${namespace}.${branch.name}': ${text} }` : text;
    });
    return `${texts.join(' | ')}${nullable}`;
  }
  switch (schema.type) {
    case 'record':
    case 'enum':
    case 'fixed':
      return declare(schema, schema.namespace ?? namespace);
    case 'array': {
      const items = typeText(schema.items, namespace);
      return items.includes(' ') ? `(${items})[]` : `${items}[]`;
    }
    case 'map':
      return `Record<string, ${typeText(schema.values, namespace)}>`;
    default:
      return typeText(schema.type, namespace);
  }
}

const width = 120;
const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const key = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : quoted(name));

/** A text that is too long for its line, as a sum of shorter ones. */
function inPieces(text, indent) {
  const longest = width - indent.length - "'' +".length;
  const cut = text.lastIndexOf(' ', longest - 1) + 1;
  return `\n${indent}${quoted(text.slice(0, cut))} +\n${indent}${quoted(text.slice(cut))}`;
}

/** A JSON value as a literal, on one line where it fits, else one entry a line. */
function literal(value, indent, before) {
  if (typeof value === 'string')
    return indent.length + before + quoted(value).length + 1 <= width ? quoted(value) : inPieces(value, `${indent}  `);
  if (typeof value !== 'object' || value === null) return String(value);
  const isList = Array.isArray(value);
  const deeper = `${indent}  `;
  const entries = (inner) =>
    isList
      ? value.map((item) => literal(item, inner, 0))
      : Object.entries(value).map(([name, item]) => `${key(name)}: ${literal(item, inner, key(name).length + 2)}`);
  const flat = entries('').join(', ');
  const line = isList ? `[${flat}]` : flat === '' ? '{}' : `{ ${flat} }`;
  if (!line.includes('\n') && indent.length + before + line.length + 1 <= width) return line;
  const lines = entries(deeper).map((entry) => `${deeper}${entry.replace(': \n', ':\n')},`);
  return [isList ? '[' : '{', ...lines, `${indent}${isList ? ']' : '}'}`].join('\n');
}

/** A union's branches on one line where they fit, else one a line. `head` stands before it, `tail` after. */
function union(head, branches, tail, indent = '') {
  const line = `${head} ${branches.join(' | ')}${tail}`;
  return line.length <= width ? line : [head, ...branches.map((branch) => `${indent}  | ${branch}`)].join('\n') + tail;
}

/** A comment on one line where it fits, else wrapped. */
function comment(text, indent) {
  if (`${indent}/** ${text} */`.length <= width) return [`${indent}/** ${text} */`];
  const lines = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent} * ${word}`);
  }
  return [`${indent}/**`, ...lines, `${indent} */`];
}

const reference = (name) => (kinds.get(name) === 'fixed' ? 'Buffer' : name);

/** `tripline.optional` on a field: writers may leave it out, its default is written. */
function declare(schema, namespace) {
  kinds.set(schema.name, schema.type);
  if (schema.type === 'fixed') return 'Buffer';
  const text =
    schema.type === 'enum'
      ? union(`export type ${schema.name} =`, schema.symbols.map(quoted), ';')
      : [
          ...(schema.doc ? comment(schema.doc, '') : []),
          `export type ${schema.name} = {`,
          ...schema.fields.flatMap((field) => [
            ...(field.doc ? comment(field.doc, '  ') : []),
            union(
              `  ${field.name}${field['tripline.optional'] ? '?' : ''}:`,
              typeText(field.type, namespace).split(' | '),
              ';',
              '  ',
            ),
          ]),
          '};',
        ].join('\n');
  const known = declared.get(schema.name);
  if (known !== undefined && known !== text) throw new Error(`${schema.name} is declared differently in two schemas`);
  declared.set(schema.name, text);
  return schema.name;
}

const parsed = names.map((name) => ({ name, schema: JSON.parse(readFileSync(join(folder, name, 'v1.avsc'), 'utf8')) }));
for (const { schema } of parsed) typeText(schema, schema.namespace);
const { topics } = JSON.parse(readFileSync(join(folder, 'topics.json'), 'utf8'));
const lines = [
  '// Generated by infra/scripts/generate-schemas.mjs from schemas/*/v1.avsc and topics.json. Not edited by hand.',
  '// Long because it holds every record, schema and topic: one import for whatever crosses a topic.',
  '',
  ...[...declared.values()].flatMap((text) => [text, '']),
  'export type RecordTypes = {',
  ...parsed.map(({ name, schema }) => `  '${name}': ${schema.name};`),
  '};',
  'export type RecordName = keyof RecordTypes;',
  '',
  '/** Avro full name, SHA-256 of the schema text, and the schema itself, by record. */',
  'export const schemas: Readonly<',
  '  Record<RecordName, { readonly fullName: string; readonly sha256: string; readonly avsc: string }>',
  '> = {',
  ...parsed.flatMap(({ name, schema }) => [
    `  '${name}': {`,
    `    fullName: '${schema.namespace}.${schema.name}',`,
    `    sha256: '${createHash('sha256').update(JSON.stringify(schema)).digest('hex')}',`,
    `    avsc: JSON.stringify(${literal(schema, '    ', 'avsc: JSON.stringify()'.length)}),`,
    '  },',
  ]),
  '};',
  '',
  union(
    'export type TopicSuffix =',
    topics.map(({ suffix }) => quoted(suffix)),
    ';',
  ),
  '',
  'export const topics: readonly {',
  '  readonly suffix: TopicSuffix;',
  '  readonly records: readonly RecordName[];',
  "  readonly partitions: number | 'P';",
  '  readonly mayHoldPii: boolean;',
  '  readonly config: Readonly<Record<string, string>>;',
  '}[] = [',
  ...topics.map(
    ({ suffix, records, partitions, mayHoldPii, config }) =>
      `  ${literal({ suffix, records, partitions, mayHoldPii, config }, '  ', 0)},`,
  ),
  '];',
];
const text = `${lines.join('\n')}\n`;
const file = join(folder, 'generated.ts');
if (process.argv.includes('--check')) {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error('schemas/generated.ts is stale: run node infra/scripts/generate-schemas.mjs');
    process.exit(1);
  }
} else writeFileSync(file, text);
