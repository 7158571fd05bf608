/**
 * What may stand in an experiment file, value by value; what only shows when values are seen together is
 * `check-file.ts`.
 */
import { z } from 'zod';
import type { Effect } from '../kernel/experiment.ts';
import { type Measure, overFields, parseMeasure } from '../kernel/measures.ts';
import { formatDuration, parseDurationMs } from '../kernel/time.ts';

/** A test start every six hours, for two weeks. */
export const defaultTestStarts = { everyMs: 21_600_000, horizonMs: 1_209_600_000 };

/**
 * A duration. Below a second nothing here means anything, and what begins anew every millisecond takes the others down;
 * no run is longer than ten years.
 */
const durationFrom = (leastMs: number) =>
  z.string().transform((text, context) => {
    const ms = parseDurationMs(text);
    if (ms === undefined || ms === 0)
      context.addIssue({ code: 'custom', message: `expected a duration like 90s, 6h or 14d, got "${text}"` });
    else if (ms < leastMs || ms > mostMs)
      context.addIssue({
        code: 'custom',
        message: `between ${formatDuration(leastMs)} and ${formatDuration(mostMs)}, got "${text}"`,
      });
    return ms ?? 0;
  });
const mostMs = 3_650 * 86_400_000;
const duration = durationFrom(1_000);
/** Sums, squares and logarithms of numbers between these stay numbers. */
const [leastSize, mostSize] = [1e-9, 1e15];
const size = z.number().gte(leastSize, `at least ${leastSize}`).lte(mostSize, `at most ${mostSize}`);
const amount = z.number().gte(-mostSize, `at least ${-mostSize}`).lte(mostSize, `at most ${mostSize}`);
const measure = z
  .string()
  .max(256)
  .transform((text, context): Measure => {
    const parsed = parseMeasure(text);
    if ('measure' in parsed) return parsed.measure;
    context.addIssue({ code: 'custom', message: parsed.problem });
    return { of: 'inference', name: 'requests' };
  });
const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'letters, digits, - and _, at most 63, beginning with a letter or digit');
/** Per SLO. */
export const defaultAlphaSlo = 0.01;
const alpha = z.number().gte(1e-12, 'between 1e-12 and 1').lt(1, 'between 1e-12 and 1');
/** Ids that an app can have of a visitor before it knows who that is. */
const fallbackUnits = ['user', 'org', 'session'] as const;
const notYet = (what: string) =>
  z.never({ error: `${what} are not supported in this version: take the key out` }).optional();

/** `+20%` of the baseline's mean, or an absolute change. The sign only repeats the direction that `better` gives. */
const effect = z.union([z.number(), z.string()]).transform((input, context): Effect => {
  const match = /^[+-]?(\d+(?:\.\d+)?)(%?)$/.exec(String(input));
  const size =
    typeof input === 'number' ? Math.abs(input) : Number(match?.[1] ?? Number.NaN) / (match?.[2] === '%' ? 100 : 1);
  if (!(size > 0))
    context.addIssue({ code: 'custom', message: `expected a change above 0 like +20% or +0.02, got "${input}"` });
  else if (size < leastSize || size > mostSize)
    context.addIssue({ code: 'custom', message: `a change is between ${leastSize} and ${mostSize}, got "${input}"` });
  return { relative: match?.[2] === '%', size };
});

export const metricSchema = z.strictObject({
  id,
  role: z.enum(['goal', 'guardrail', 'signal']),
  numerator: measure.optional(),
  denominator: measure.optional(),
  quantile: z.number().gte(0.0001, 'at least 0.0001').lte(0.9999, 'at most 0.9999').optional(),
  of: z.enum(overFields).optional(),
  threshold: size.optional(),
  better: z.enum(['lower', 'higher']),
  window: duration,
  harm: effect.optional(),
  baseline: z
    .strictObject({
      mean: amount,
      sd: size,
      denominator: size.optional(),
    })
    .optional(),
  cap: amount.optional(),
  floor: amount.optional(),
  margin: z.union([z.literal(0), effect]).optional(),
  worthwhile: effect.optional(),
});
export type MetricInput = z.output<typeof metricSchema>;

export const sloSchema = z.strictObject({
  id,
  arm: id,
  metric: id,
  worse_than: amount,
  action: z.enum(['pause', 'rollback']).optional(),
  hard_kill: z.strictObject({ fail: z.number().int().gte(1), of: z.number().int().gte(1).lte(1_000) }).optional(),
});
export type SloInput = z.output<typeof sloSchema>;

export const fileSchema = z.strictObject({
  version: z.literal(1, { error: 'this version reads files of version 1' }),
  experiment: z.strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and -, at most 63'),
    unit: z
      .string()
      .regex(
        /^(user|org|session|request|entity:[A-Za-z0-9_-]{1,32})$/,
        'one of user, org, session, request, entity:<type>',
      ),
    fallback_unit: z.enum(fallbackUnits, { error: `one of ${fallbackUnits.join(', ')}` }).optional(),
    layer: id.optional(),
    salt: z.string().min(1).max(128).optional(),
    arms: z
      .array(
        z.strictObject({
          id,
          role: z.literal('control').optional(),
          weight: z.number().gte(0.001, 'at least 0.001').lte(1e6, 'at most 1000000'),
          config: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .min(2, 'a control and at least one candidate')
      .max(16),
    ramp: z
      .strictObject({
        coverage: z.array(z.number().gte(0).lte(100)).min(1),
        hold: duration,
        min_units: z.number().int().gte(0).lte(1e12, 'at most 1e12'),
        tolerance: size.optional(),
        patience: duration.optional(),
      })
      .optional(),
    analysis: z
      .strictObject({
        alpha_harm: alpha.default(0.05),
        alpha_win: alpha.default(0.05),
        alpha_slo: alpha.default(defaultAlphaSlo),
        alpha_srm: alpha.default(0.001),
        alpha_missing: alpha.optional(),
        fwer: z.boolean().default(false),
        restart_every: durationFrom(60_000).default(defaultTestStarts.everyMs),
        horizon: duration.default(defaultTestStarts.horizonMs),
        min_run: duration.default(86_400_000),
        freshness: duration.default(300_000),
      })
      .prefault({}),
    metrics: z.array(metricSchema).min(1).max(32),
    slos: z.array(sloSchema).max(32).default([]),
    health: z
      .strictObject({
        srm: z.enum(['pause', 'warn']).default('pause'),
        no_traffic: duration.optional(),
        clock_skew: duration.optional(),
        crossovers: z.enum(['exclude', 'first']).default('exclude'),
      })
      .prefault({}),
    review: notYet('review rules'),
  }),
});

export type FileInput = z.output<typeof fileSchema>['experiment'];

/** JSON Schema of the file, for editors. */
export const experimentFileSchema = (): unknown => z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' });
