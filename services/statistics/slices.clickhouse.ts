/**
 * Slices as the store has them: which there are, and the units' sums in each, for `slices.ts` and `simpson.ts`.
 * Accepted records come from table `facts`, up to the positions that are asked for; what slice a call was in and which
 * of its fields are known, from its row in table `inferences`.
 */
import type { ExperimentSpec, MetricSpec } from '../kernel/experiment.ts';
import type { PartitionRange } from '../kernel/generations.ts';
import { type InferenceMeasure, type Measure, scaleOf } from '../kernel/measures.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import type { SliceSums } from './slices.ts';

/** Most names, and most values of each; the other values of a name are told as one, other names not at all. */
export const sliceLimits = { names: 8, values: 10 } as const;

export type SliceQuestion = {
  readonly spec: ExperimentSpec;
  readonly phase: number;
  /** Of those in `spec`. */
  readonly metrics: readonly MetricSpec[];
  /** Where the facts lie, and up to which position. */
  readonly until: readonly PartitionRange[];
  /** Partition ids of the open generation: where units' outcomes are summed. */
  readonly openIds: readonly number[];
};
export type SliceRead = {
  readonly names: readonly { readonly name: string; readonly values: number; readonly distinctValues: number }[];
  /** How many names there are, also those that are not looked at. */
  readonly distinctNames: number;
  readonly sums: readonly SliceSums[];
  /** Accepted calls that have no row in table `inferences`: in no slice. Units, where only outcomes were asked for. */
  readonly missing: { readonly of: 'calls' | 'units'; readonly arms: Readonly<Record<string, number>> };
};

type ValueRow = {
  readonly name: string;
  readonly value: string;
  readonly distinctValues: number;
  readonly distinctNames: number;
};
type SumRow = {
  /** As `sql/queries/slices.sql` numbers them. */
  readonly place: number;
  readonly arm: string;
  readonly metric: number;
} & Readonly<Record<'known' | 'unknown' | 'units' | 'sumY' | 'sumX' | 'sumYY' | 'sumXX' | 'sumXY', string>> &
  Readonly<Record<'sumYYY' | 'sumYYX' | 'sumYXX' | 'sumXXX', number>>;

/**
 * The column that must be there for the measure to be known; empty: it always is. A status is always said, a guardrail
 * that did not act and a tool that was not denied are known not to have been.
 */
const needs: Readonly<Record<InferenceMeasure['name'], (measure: InferenceMeasure) => string>> = {
  requests: () => '',
  successes: () => 'status',
  fallbacks: () => 'status',
  refusals: () => 'status',
  errors: () => 'status',
  timeouts: () => 'status',
  blocked: () => 'status',
  schema_checked: () => '',
  schema_invalid: () => 'schema_valid',
  cost_nano_usd: () => 'cost_nano_usd',
  token_in: () => 'token_in',
  token_out: () => 'token_out',
  latency_ms: () => 'latency_ms',
  ttft_ms: () => 'ttft_ms',
  tool_denied: () => '',
  over: ({ field = 'latency_ms' }) => field,
  score: ({ key = '' }) => `score ${key}`,
  guardrail: () => '',
};

type Need = { readonly of: number; readonly field: string; readonly slice: string; readonly equals: string };
function needOf(measure: Measure | undefined, of: number): Need[] {
  if (measure?.of !== 'inference') return [];
  const field = needs[measure.name](measure);
  return field === '' ? [] : [{ of, field, slice: measure.where?.slice ?? '', equals: measure.where?.equals ?? '' }];
}

const readsOutcomes = ({ numerator, denominator }: MetricSpec): boolean =>
  numerator.of === 'outcome' || denominator?.of === 'outcome';

export async function readSlices(store: Store, question: SliceQuestion): Promise<SliceRead> {
  const { spec, phase, metrics, until, openIds } = question;
  const where = {
    experiment: spec.id,
    phase,
    partitionIds: until.map(({ partitionId }) => partitionId),
    belows: until.map(({ below }) => below),
  };
  const { crossovers } = spec.health;
  const values = await store.rows<ValueRow>(await sqlQuery('slice-values'), {
    ...where,
    crossovers,
    maxNames: sliceLimits.names,
    maxValues: sliceLimits.values,
  });
  const names = [...new Set(values.map(({ name }) => name))];
  const looked = { names, pairNames: values.map(({ name }) => name), pairValues: values.map(({ value }) => value) };
  const of = (those: readonly MetricSpec[]) => ({
    ordinals: those.map((metric) => spec.metrics.indexOf(metric)),
    perUnit: those.map(({ denominator }) => (denominator === undefined ? 1 : 0)),
  });
  const calls = metrics.filter((metric) => !readsOutcomes(metric));
  const outcomes = metrics.filter(readsOutcomes);
  const needed = calls.flatMap(({ numerator, denominator }, index) => [
    ...needOf(numerator, index),
    ...needOf(denominator, index),
  ]);
  const sums = await store.rows<SumRow>(await sqlQuery('slices'), {
    ...where,
    ...looked,
    ...of(calls),
    crossovers,
    needOf: needed.map((need) => need.of),
    needFields: needed.map(({ field }) => field),
    needSlices: needed.map(({ slice }) => slice),
    needEquals: needed.map(({ equals }) => equals),
  });
  const later =
    outcomes.length === 0
      ? []
      : await store.rows<SumRow>(await sqlQuery('slices-outcomes'), { ...where, ...looked, ...of(outcomes), openIds });
  return {
    names: names.map((name) => {
      const those = values.filter((row) => row.name === name);
      return { name, values: those.length, distinctValues: those[0]?.distinctValues ?? 0 };
    }),
    distinctNames: values[0]?.distinctNames ?? 0,
    sums: [...sumsOf(sums, calls, looked), ...sumsOf(later, outcomes, looked)],
    missing: calls.length > 0 ? { of: 'calls', arms: missingOf(sums) } : { of: 'units', arms: missingOf(later) },
  };
}

type Place = Pick<SliceSums, 'slice' | 'kind' | 'value'>;
type Looked = {
  readonly names: readonly string[];
  readonly pairNames: readonly string[];
  readonly pairValues: readonly string[];
};
/** Accepted, but in no slice: table `inferences` has no row of it. */
const missingPlace = 65_535;
function placeOf(place: number, { names, pairNames, pairValues }: Looked): Place {
  if (place === 0) return { slice: '', kind: 'all', value: '' };
  const [slice, value] = [pairNames[place - 1], pairValues[place - 1]];
  if (slice !== undefined && value !== undefined) return { slice, kind: 'value', value };
  const rest = place - pairNames.length - 1;
  return { slice: names[rest % names.length] ?? '', kind: rest < names.length ? 'other' : 'not said', value: '' };
}

/** In the metric's own unit: what is stored are whole numbers of the measures' scales. */
function sumsOf(rows: readonly SumRow[], metrics: readonly MetricSpec[], looked: Looked): SliceSums[] {
  return rows.flatMap((row): SliceSums[] => {
    const metric = metrics[row.metric];
    if (metric === undefined || row.place === missingPlace) return [];
    const [y, x] = [scaleOf(metric.numerator), scaleOf(metric.denominator)];
    return [
      {
        metric: metric.id,
        arm: row.arm,
        ...placeOf(row.place, looked),
        known: Number(row.known),
        unknown: Number(row.unknown),
        units: Number(row.units),
        sumY: Number(row.sumY) / y,
        sumX: Number(row.sumX) / x,
        sumYY: Number(row.sumYY) / y ** 2,
        sumXX: Number(row.sumXX) / x ** 2,
        sumXY: Number(row.sumXY) / (x * y),
        sumYYY: row.sumYYY / y ** 3,
        sumYYX: row.sumYYX / (y * y * x),
        sumYXX: row.sumYXX / (y * x * x),
        sumXXX: row.sumXXX / x ** 3,
      },
    ];
  });
}

/** Every metric says the same number. */
function missingOf(rows: readonly SumRow[]): Record<string, number> {
  const missing: Record<string, number> = {};
  for (const { place, arm, known, unknown } of rows)
    if (place === missingPlace) missing[arm] = Number(known) + Number(unknown);
  return missing;
}
