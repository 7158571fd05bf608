/** What one inference adds to a metric's sums, and why where it adds nothing that is known. */
import type { Observation } from '../../schemas/generated.ts';
import { reached } from '../kernel/entry-value.ts';
import type { UnknownReason } from '../kernel/evidence.ts';
import type { MetricSpec } from '../kernel/experiment.ts';
import type { InferenceMeasure, Measure } from '../kernel/measures.ts';

/** A measure's whole number of one inference; null: not known; undefined: the inference is of another slice. */
export type ObservationMeter = (observation: Observation) => number | null | undefined;

const flag =
  (test: (observation: Observation) => boolean): ObservationMeter =>
  (observation) =>
    test(observation) ? 1 : 0;

/** 1 for one status; null when the writer said one that this version does not know. */
const status =
  (wanted: Observation['status']): ObservationMeter =>
  (o) =>
    o.status === 'unknown' ? null : o.status === wanted ? 1 : 0;

const plain: Readonly<Record<Exclude<InferenceMeasure['name'], 'over' | 'score' | 'guardrail'>, ObservationMeter>> = {
  requests: () => 1,
  successes: status('success'),
  fallbacks: status('fallback'),
  refusals: status('refusal'),
  errors: status('error'),
  timeouts: status('timeout'),
  blocked: status('blocked'),
  schema_checked: flag((o) => o.schema_valid !== null),
  schema_invalid: (o) => (o.schema_valid === null ? null : Number(!o.schema_valid)),
  cost_nano_usd: (o) => o.cost_nano_usd,
  token_in: (o) => o.token_in,
  token_out: (o) => o.token_out,
  latency_ms: (o) => o.latency_us,
  ttft_ms: (o) => o.ttft_us,
  tool_denied: (o) => o.tool_denied,
};

/** Fields of `over` in whole numbers, with how many of them make one of the threshold's unit. */
const fields: Readonly<
  Record<
    NonNullable<InferenceMeasure['field']>,
    { readonly read: (o: Observation) => number | null; readonly scale: number }
  >
> = {
  latency_ms: { read: (o) => o.latency_us, scale: 1_000 },
  ttft_ms: { read: (o) => o.ttft_us, scale: 1_000 },
  token_in: { read: (o) => o.token_in, scale: 1 },
  token_out: { read: (o) => o.token_out, scale: 1 },
  cost_nano_usd: { read: (o) => o.cost_nano_usd, scale: 1 },
};

function unconditional(measure: InferenceMeasure): ObservationMeter {
  switch (measure.name) {
    case 'over': {
      const field = fields[measure.field ?? 'latency_ms'];
      const threshold = (measure.threshold ?? 0) * field.scale;
      return (o) => {
        const value = field.read(o);
        return value === null ? null : Number(value > threshold);
      };
    }
    case 'score': {
      const key = measure.key ?? '';
      return (o) => (Object.hasOwn(o.scores, key) ? (o.scores[key] ?? null) : null);
    }
    case 'guardrail': {
      const key = measure.key ?? '';
      return flag((o) => o.guardrails.includes(key));
    }
    default:
      return plain[measure.name];
  }
}

function meterOf(measure: InferenceMeasure): ObservationMeter {
  const meter = unconditional(measure);
  const where = measure.where;
  if (where === undefined) return meter;
  // A call that does not say its slice may be of this one.
  return (o) => {
    if (!Object.hasOwn(o.slices, where.slice)) return null;
    return o.slices[where.slice] === where.equals ? meter(o) : undefined;
  };
}

const isOfCalls = (measure: Measure | undefined): measure is InferenceMeasure => measure?.of === 'inference';

/** Both sides of a metric; a side that counts outcomes has none. */
export function metersOf({ numerator, denominator }: Pick<MetricSpec, 'numerator' | 'denominator'>): {
  readonly numerator?: ObservationMeter;
  readonly denominator?: ObservationMeter;
} {
  return {
    ...(isOfCalls(numerator) && { numerator: meterOf(numerator) }),
    ...(isOfCalls(denominator) && { denominator: meterOf(denominator) }),
  };
}

/** How far a unit came with this call: an error or a timeout is no answer. */
export const reachedBy = (o: Observation): number =>
  o.status === 'error' || o.status === 'timeout' ? reached.called | reached.failed : reached.called;

const priced: ReadonlySet<string> = new Set(['cost_nano_usd']);

/** Why a call has no value for a metric. */
export function unknownReasonOf(
  { numerator, denominator }: Pick<MetricSpec, 'numerator' | 'denominator'>,
  observation: Observation,
): UnknownReason {
  if (observation.status === 'timeout') return 'timed out';
  if (observation.status === 'blocked') return 'filtered';
  const money = [numerator, denominator].some(
    (side) => isOfCalls(side) && (priced.has(side.name) || priced.has(side.field ?? '')),
  );
  return money && observation.cost_nano_usd === null ? 'unpriced' : 'not reported';
}
