import { z } from 'zod';
import { redactionSettings } from '../runtime/redaction-settings.ts';

export const emitterSettings = redactionSettings.extend({
  TRIPLINE_SERVICE: z.string().default('app'), // names the app on every event
  TRIPLINE_ENVIRONMENT: z.string().default('production'),
  KAFKA_BROKERS: z.string().default('127.0.0.1:9092'), // comma-separated host:port
  SCHEMA_REGISTRY_URL: z.string().default('http://127.0.0.1:8081'),
  TRIPLINE_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-z0-9._-]{1,64}$/)
    .default('tripline'),
  TRIPLINE_SINK: z
    .string()
    .regex(/^(kafka|stdout|file:.+)$/)
    .default('kafka'), // stdout or file:PATH: events as lines, no broker
  // file with one revision a line: with kafka the last known table is kept there, without it is read from there
  TRIPLINE_EXPERIMENTS: z.string().min(1).optional(),
  // tables not confirmed for longer assign with reason STALE
  TRIPLINE_EXPERIMENT_TTL_MS: z.coerce.number().int().positive().default(300_000),
  // events; the oldest are dropped
  TRIPLINE_EMITTER_MAX_QUEUED: z.coerce.number().int().positive().max(1_000_000).default(10_000),
  // of encoded events and their bookkeeping
  TRIPLINE_EMITTER_MAX_BYTES: z.coerce.number().int().positive().default(16_777_216),
  // of one event; brokers take about 1 MiB unless told otherwise
  TRIPLINE_EMITTER_MAX_EVENT_BYTES: z.coerce.number().int().positive().default(1_000_000),
  TRIPLINE_EMITTER_LINGER_MS: z.coerce.number().int().nonnegative().default(20), // batching; adds latency
  // on: texts are redacted in this process, under the policy and keys that TRIPLINE_REDACTION_POLICY and
  // TRIPLINE_TOKEN_KEYS(_FILE) name
  TRIPLINE_EMITTER_REDACT: z.enum(['on', 'off']).default('off'),
});
export type EmitterSettings = z.infer<typeof emitterSettings>;

type Env = Readonly<Record<string, string | undefined>>;

/** `TRIPLINE_FORCE_support-reply=canary` forces an arm, for tests. */
export const forcedArms = (env: Env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, arm]) =>
      name.startsWith('TRIPLINE_FORCE_') && arm !== undefined ? [[name.slice('TRIPLINE_FORCE_'.length), arm]] : [],
    ),
  );

/** Settings, or every problem in one line: what is wrong must not take the app down. */
export function readEmitterEnv(env: Env = process.env): {
  readonly settings?: EmitterSettings;
  readonly problem?: string;
  readonly forced: Readonly<Record<string, string>>;
} {
  const parsed = emitterSettings.safeParse(env);
  const forced = forcedArms(env);
  if (parsed.success) return { settings: parsed.data, forced };
  return {
    problem: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    forced,
  };
}
