/**
 * What becomes of every field of a raw event. Fields are copied unless something else is said, so a new one that holds
 * text would leave as it came: this test plants an address in every text of an event made from the schema itself, and
 * asks for the fate of every field by name.
 */
import { describe, expect, test } from 'vitest';
import { type InferenceEvent, type OutcomeEvent, type RecordName, schemas } from '../../../schemas/generated.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer } from '../../../services/redactor/pseudonym.ts';
import { redactInference, redactOutcome } from '../../../services/redactor/redact-event.ts';

type Avro = string | readonly Avro[] | AvroType;
type AvroType = {
  readonly type: Avro;
  readonly name?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Avro }[];
  readonly symbols?: readonly string[];
  readonly items?: Avro;
  readonly values?: Avro;
};

/** Texts that a field takes in one form only; anything else is refused before it is redacted. */
const inForm: Readonly<Record<string, unknown>> = {
  'exposures[].unit_type': 'user',
  'exposures[].primary_type': 'user',
  'exposures[].reason': 'SPLIT',
};
const planted = (path: string): string => `ada.${path.replaceAll(/\W/g, '-')}@example.org`;

/** A value of the schema with an address in every text. */
function eventValue(schema: Avro, path: string, named: Map<string, AvroType>): unknown {
  if (path in inForm) return inForm[path];
  if (Array.isArray(schema))
    return eventValue((schema as readonly Avro[]).find((branch) => branch !== 'null') ?? 'null', path, named);
  if (typeof schema === 'string') {
    const known = named.get(schema);
    if (known) return eventValue(known, path, named);
    return schema === 'string' ? planted(path) : schema === 'boolean' ? true : 1;
  }
  const type = schema as AvroType;
  if (type.name !== undefined) named.set(type.name, type);
  switch (type.type) {
    case 'record':
      return Object.fromEntries(
        (type.fields ?? []).map((field) => [
          field.name,
          eventValue(field.type, path === '' ? field.name : `${path}.${field.name}`, named),
        ]),
      );
    case 'enum':
      return type.symbols?.[0];
    case 'array':
      return [eventValue(type.items ?? 'null', `${path}[]`, named)];
    case 'map':
      return { [planted(`${path}-key`)]: eventValue(type.values ?? 'null', `${path}{}`, named) };
    default:
      return eventValue(type.type, path, named);
  }
}
const eventOf = (record: RecordName): unknown =>
  eventValue(JSON.parse(schemas[record].avsc) as AvroType, '', new Map());

type Fate = 'copied' | 'redacted' | 'pseudonymised' | 'dropped';
/** Of one top-level field: what came out, against what went in. */
function fateOf(raw: unknown, clean: unknown): Fate {
  const [before, after] = [raw, clean].map((value) => JSON.stringify(value) ?? 'undefined') as [string, string];
  if (before === after) return 'copied';
  if (after === 'undefined' || after === 'null' || after === '""') return 'dropped';
  return after.includes('[EMAIL') ? 'redacted' : 'pseudonymised';
}

const context = { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 9)) };
const text = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString('latin1') : item,
  );

/** Every field of the event with its fate, in the order of the schema. */
const fatesOf = (event: object, clean: object): Record<string, Fate> => {
  const after = clean as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(event).map(([field, raw]) => [field, fateOf(raw, after[field])]));
};
const all = (fate: Fate, fields: string): Record<string, Fate> =>
  Object.fromEntries(
    fields
      .trim()
      .split(/\s+/)
      .map((field) => [field, fate]),
  );

describe('an inference', () => {
  const event = eventOf('inference-event') as InferenceEvent;
  const verdict = redactInference(event, 5, context);
  test('nothing that was planted leaves, on any topic', () => {
    expect(verdict.kind).toBe('forward');
    expect(text(verdict)).not.toContain('@example.org');
  });
  test('every field has a fate: a new one must be named here', () => {
    const clean = verdict.kind === 'forward' ? { ...verdict.value.inference } : {};
    expect(fatesOf(event, clean)).toEqual({
      ...all('redacted', 'event_id service environment exposures operation provider model_requested model_served'),
      ...all('redacted', 'prompt_name prompt_version rag_index_version tool_set_version price_table_version'),
      ...all('redacted', 'error_type finish_reasons guardrails tool_calls retrieval scores slices'),
      ...all('redacted', 'prompt response attributes'),
      // The type is a name of a thing, the id a pseudonym.
      ...all('redacted', 'entity'),
      ...all('pseudonymised', 'units'),
      // What is no well-formed id of a trace goes nowhere.
      ...all('dropped', 'trace_id span_id'),
      ...all('copied', 'occurred_at token_in token_out token_cache_read token_cache_write token_reasoning'),
      ...all('copied', 'token_source cost_nano_usd cost_status latency_ms ttft_ms status attempts'),
      ...all('copied', 'schema_valid schema_repairs'),
    });
  });
});

describe('an outcome', () => {
  const event = { ...(eventOf('outcome-event') as OutcomeEvent), value: 1 };
  const verdict = redactOutcome(event, 5, context);
  test('nothing that was planted leaves, on any topic', () => {
    expect(verdict.kind).toBe('forward');
    expect(text(verdict)).not.toContain('@example.org');
  });
  test('every field has a fate: a new one must be named here', () => {
    const clean = verdict.kind === 'forward' ? { ...verdict.value.outcome } : {};
    expect(fatesOf(event, clean)).toEqual({
      ...all('redacted', 'outcome_id kind inference_id source attributes entity'),
      ...all('pseudonymised', 'units'),
      // Where it goes besides is for the redactor alone.
      ...all('dropped', 'trace_id primary_types'),
      ...all('copied', 'revision occurred_at value'),
    });
  });
});
