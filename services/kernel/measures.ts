/**
 * The closed grammar of numerators and denominators. Text is parsed once to a value; nothing of it reaches SQL.
 * Every measure is counted in whole numbers: `scale` says how many of them make one of the metric's own unit,
 * so that sums are exact and order-free.
 */
/** Fields that `over(field, number)` and quantiles may name. */
export const overFields = ['latency_ms', 'ttft_ms', 'token_in', 'token_out', 'cost_nano_usd'] as const;
export type InferenceMeasure = {
  readonly of: 'inference';
  readonly name: InferenceMeasureName;
  /** For `over`: which field. */
  readonly field?: (typeof overFields)[number];
  /** For `over`: strictly above this many of the field's own units. */
  readonly threshold?: number;
  /** For `score` and `guardrail`: which one. */
  readonly key?: string;
  readonly where?: { readonly slice: string; readonly equals: string };
};
export type OutcomeMeasure = { readonly of: 'outcome'; readonly fold: 'any' | 'count' | 'sum'; readonly kind: string };
export type Measure = InferenceMeasure | OutcomeMeasure;

const plainNames = [
  'requests',
  'successes',
  'fallbacks',
  'refusals',
  'errors',
  'timeouts',
  'blocked',
  'schema_checked',
  'schema_invalid',
  'cost_nano_usd',
  'token_in',
  'token_out',
  'latency_ms',
  'ttft_ms',
  'tool_denied',
] as const;
export type InferenceMeasureName = (typeof plainNames)[number] | 'over' | 'score' | 'guardrail';

/** Measures that are 0 or 1 for one inference: their first occurrence per unit is an event for the first-event test. */
const flags: ReadonlySet<string> = new Set([
  'fallbacks',
  'refusals',
  'errors',
  'timeouts',
  'blocked',
  'schema_invalid',
  'over',
  'guardrail',
  'tool_denied',
  'successes',
]);
export const isEventMeasure = (measure: Measure): boolean => measure.of === 'inference' && flags.has(measure.name);

/** Values of these may lie below zero: refunds, margins, ratings. */
export const isSigned = (measure: Measure): boolean =>
  measure.of === 'outcome' ? measure.fold === 'sum' : measure.name === 'score';

/** What one call can add to it, in whole numbers of its scale: between these an unknown value lies. */
export function callRangeOf(measure: InferenceMeasure): { readonly least: number; readonly most: number } {
  if (measure.name === 'requests') return { least: 1, most: 1 };
  if (flags.has(measure.name) || measure.name === 'schema_checked') return { least: 0, most: 1 };
  return { least: isSigned(measure) ? -Infinity : 0, most: Infinity };
}

/** Counts of calls or of outcomes: as a denominator, what a unit weighs. Amounts (tokens, money, scores) do not. */
export const isCount = (measure: Measure): boolean =>
  measure.of === 'outcome'
    ? measure.fold !== 'sum'
    : measure.name === 'requests' || measure.name === 'schema_checked' || flags.has(measure.name);

/** Whole numbers per unit of the metric: latencies in microseconds, free-form values in millionths. */
export function scaleOf(measure: Measure | undefined): number {
  if (measure === undefined) return 1;
  if (measure.of === 'outcome') return measure.fold === 'sum' ? 1_000_000 : 1;
  switch (measure.name) {
    case 'latency_ms':
    case 'ttft_ms':
      return 1_000;
    case 'score':
      return 1_000_000;
    default:
      return 1;
  }
}

const name = '[A-Za-z][A-Za-z0-9_.-]{0,62}';
const wherePart = new RegExp(`^(.*?)\\s+where\\s+slice\\.(${name})\\s*=\\s*'([^'\\\\]{0,128})'$`);
const withArguments = [
  'over(field, number)',
  'score(name)',
  'guardrail(name)',
  'any(kind)',
  'count(kind)',
  'sum(kind)',
];
const call = new RegExp(`^(any|count|sum|score|guardrail)\\(\\s*(${name})\\s*\\)$`);
const over = new RegExp(`^over\\(\\s*(${overFields.join('|')})\\s*,\\s*(\\d{1,15}(?:\\.\\d{1,6})?)\\s*\\)$`);

/** The measure that the text says, or what is wrong with it in one sentence. */
export function parseMeasure(text: string): { readonly measure: Measure } | { readonly problem: string } {
  const conditional = wherePart.exec(text.trim());
  const body = (conditional?.[1] ?? text).trim();
  const where = conditional ? { slice: conditional[2] ?? '', equals: conditional[3] ?? '' } : undefined;
  const plain = plainNames.find((candidate) => candidate === body);
  if (plain) return { measure: { of: 'inference', name: plain, ...(where && { where }) } };
  const exceedance = over.exec(body);
  if (exceedance) {
    const field = exceedance[1] as NonNullable<InferenceMeasure['field']>;
    return {
      measure: { of: 'inference', name: 'over', field, threshold: Number(exceedance[2]), ...(where && { where }) },
    };
  }
  const called = call.exec(body);
  if (called === null)
    return {
      problem: `"${body}" is not a measure; known: ${[...plainNames, ...withArguments].join(', ')}`,
    };
  const key = called[2] ?? '';
  if (called[1] === 'score' || called[1] === 'guardrail')
    return { measure: { of: 'inference', name: called[1], key, ...(where && { where }) } };
  if (where) return { problem: `"${text.trim()}": slices belong to inferences, an outcome has none` };
  return { measure: { of: 'outcome', fold: called[1] as OutcomeMeasure['fold'], kind: key } };
}
