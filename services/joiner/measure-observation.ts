import type { Observation } from '../../schemas/generated.ts';
import type { InferenceMeasure } from '../kernel/measures.ts';

/**
 * A measure's whole-number contribution of one inference; unknown values (null) contribute 0 and are counted by their
 * own measures.
 */
export type ObservationMeter = (observation: Observation) => number;

const flag =
  (test: (observation: Observation) => boolean): ObservationMeter =>
  (observation) =>
    test(observation) ? 1 : 0;

const plain: Readonly<Record<Exclude<InferenceMeasure['name'], 'over' | 'score' | 'guardrail'>, ObservationMeter>> = {
  requests: () => 1,
  successes: flag((o) => o.status === 'success'),
  fallbacks: flag((o) => o.status === 'fallback'),
  refusals: flag((o) => o.status === 'refusal'),
  errors: flag((o) => o.status === 'error'),
  timeouts: flag((o) => o.status === 'timeout'),
  blocked: flag((o) => o.status === 'blocked'),
  schema_checked: flag((o) => o.schema_valid !== null),
  schema_invalid: flag((o) => o.schema_valid === false),
  cost_nano_usd: (o) => o.cost_nano_usd ?? 0,
  token_in: (o) => o.token_in ?? 0,
  token_out: (o) => o.token_out ?? 0,
  latency_ms: (o) => o.latency_us ?? 0,
  ttft_ms: (o) => o.ttft_us ?? 0,
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
      return flag((o) => (field.read(o) ?? 0) > threshold);
    }
    case 'score': {
      const key = measure.key ?? '';
      return (o) => o.scores[key] ?? 0;
    }
    case 'guardrail': {
      const key = measure.key ?? '';
      return flag((o) => o.guardrails.includes(key));
    }
    default:
      return plain[measure.name];
  }
}

export function meterOf(measure: InferenceMeasure): ObservationMeter {
  const meter = unconditional(measure);
  const where = measure.where;
  if (where === undefined) return meter;
  return (o) => (o.slices[where.slice] === where.equals ? meter(o) : 0);
}
