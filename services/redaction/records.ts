/**
 * Which fields of an event hold text, and each of them redacted: the one place that knows. The redactor and the
 * emitter's option both use it. Ids of units, entities, events and traces are not text: they are left alone here, and
 * the redactor makes pseudonyms of them.
 */
import type { InferenceEvent, OutcomeEvent } from '../../schemas/generated.ts';
import type { RedactionPolicy } from './policy.ts';
import { redactText } from './redact-text.ts';
import { redactValue } from './walk.ts';

export type Counts = Record<string, number>;
/** What an event held: by type for its row, by type and tier (`EMAIL structured`) for counters. */
export type RedactionCounts = {
  /** For names of things, which are the same for every unit. */
  readonly policy: RedactionPolicy;
  /** For texts, which may have a unit's own keys. */
  readonly texts: RedactionPolicy;
  readonly types: Counts;
  readonly tiers: Counts;
};
export const createRedactionCounts = (policy: RedactionPolicy, texts = policy): RedactionCounts => ({
  policy,
  texts,
  types: {},
  tiers: {},
});

export function addCounts(into: Counts, more: Readonly<Counts>): void {
  for (const [type, number] of Object.entries(more)) into[type] = (into[type] ?? 0) + number;
}

export function cleanText(text: string, counts: RedactionCounts): string {
  const { value, counts: types, tiers } = redactValue(text, counts.texts);
  addCounts(counts.types, types);
  addCounts(counts.tiers, tiers);
  return value as string;
}
const cleanNullable = (text: string | null, counts: RedactionCounts): string | null =>
  text === null ? null : cleanText(text, counts);

/**
 * Names seen lately that hold nothing: an app says the same models, prompts and tools all day. Models are called like
 * people, so the names tier does not look at them.
 */
const namings = new WeakMap<RedactionPolicy, { readonly policy: RedactionPolicy; readonly innocent: Set<string> }>();
const rememberedNames = 10_000;
/**
 * Five words are no name of a thing but somebody's text: an error's message where its class was asked for, most often.
 */
const isSentence = /\S\s+\S+\s+\S+\s+\S+\s+\S/;

/**
 * Names of things (models, services, tools) are short and seldom personal; they pass through the same engine as
 * everything else, once. `remember` is false for what never comes twice.
 */
export function cleanName(text: string, counts: RedactionCounts, remember = true): string {
  let naming = namings.get(counts.policy);
  if (naming === undefined) {
    naming = { policy: { ...counts.policy, names: false }, innocent: new Set() };
    namings.set(counts.policy, naming);
  }
  if (naming.innocent.has(text)) return text;
  const { text: clean, spans } = redactText(text, isSentence.test(text) ? counts.texts : naming.policy);
  for (const { type, tier } of spans) {
    addCounts(counts.types, { [type]: 1 });
    addCounts(counts.tiers, { [`${type} ${tier}`]: 1 });
  }
  if (remember && spans.length === 0 && text.length <= 128) {
    if (naming.innocent.size >= rememberedNames) naming.innocent.clear();
    naming.innocent.add(text);
  }
  return clean;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** An event's own id: almost always a UUID, but an app may have put anything there. */
export const cleanId = (id: string, counts: RedactionCounts): string =>
  uuid.test(id) ? id : cleanName(id, counts, false);

function cleanMap(map: Readonly<Record<string, string>>, counts: RedactionCounts): Record<string, string> {
  if (Object.keys(map).length === 0) return {};
  const { value, counts: types, tiers } = redactValue(map, counts.texts);
  addCounts(counts.types, types);
  addCounts(counts.tiers, tiers);
  // A map over budget goes out whole.
  return typeof value === 'string' ? { dropped: value } : (value as Record<string, string>);
}

/** The event with every text field clean and every id as it was. */
export function cleanInferenceTexts(event: InferenceEvent, counts: RedactionCounts): InferenceEvent {
  const name = (text: string): string => cleanName(text, counts);
  const maybeName = (text: string | null): string | null => (text === null ? null : name(text));
  return {
    ...event,
    service: name(event.service),
    environment: name(event.environment),
    exposures: event.exposures.map((exposure) => ({
      ...exposure,
      experiment_id: name(exposure.experiment_id),
      variant: name(exposure.variant),
    })),
    operation: name(event.operation),
    provider: name(event.provider),
    model_requested: name(event.model_requested),
    model_served: name(event.model_served),
    prompt_name: maybeName(event.prompt_name),
    prompt_version: name(event.prompt_version),
    rag_index_version: maybeName(event.rag_index_version),
    tool_set_version: maybeName(event.tool_set_version),
    price_table_version: maybeName(event.price_table_version),
    error_type: maybeName(event.error_type),
    finish_reasons: event.finish_reasons.map(name),
    guardrails: event.guardrails.map((guardrail) => ({
      ...guardrail,
      name: name(guardrail.name),
      kind: name(guardrail.kind),
      action: name(guardrail.action),
    })),
    tool_calls: event.tool_calls.map((call) => ({ ...call, name: name(call.name) })),
    retrieval: event.retrieval.map((document) => ({
      ...document,
      document_id: cleanText(document.document_id, counts),
    })),
    scores: Object.fromEntries(Object.entries(event.scores).map(([key, score]) => [name(key), score])),
    slices: cleanMap(event.slices, counts),
    attributes: cleanMap(event.attributes, counts),
    prompt: cleanNullable(event.prompt, counts),
    response: cleanNullable(event.response, counts),
  };
}

/** The same for an outcome. */
export const cleanOutcomeTexts = (event: OutcomeEvent, counts: RedactionCounts): OutcomeEvent => ({
  ...event,
  kind: cleanName(event.kind, counts),
  source: cleanName(event.source, counts),
  attributes: cleanMap(event.attributes, counts),
});
