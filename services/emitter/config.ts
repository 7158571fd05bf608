import { z } from 'zod';

export const emitterSettings = z.object({
  TRIPLINE_SERVICE: z.string().default('app'), // names the app on every event
  TRIPLINE_ENVIRONMENT: z.string().default('production'),
  KAFKA_BROKERS: z.string().default('127.0.0.1:9092'), // comma-separated host:port
  SCHEMA_REGISTRY_URL: z.string().default('http://127.0.0.1:8081'),
  TRIPLINE_TOPIC_PREFIX: z.string().regex(/^[a-z0-9._-]{1,64}$/).default('tripline'),
  TRIPLINE_SINK: z.string().regex(/^(kafka|stdout|file:.+)$/).default('kafka'), // stdout or file:PATH: events as lines, no broker
  TRIPLINE_EXPERIMENT_TTL_MS: z.coerce.number().int().positive().default(300_000), // older tables assign with reason STALE
  TRIPLINE_EMITTER_MAX_QUEUED: z.coerce.number().int().positive().max(1_000_000).default(10_000), // events; the oldest are dropped
  TRIPLINE_EMITTER_MAX_BYTES: z.coerce.number().int().positive().default(16_777_216), // of encoded events and their bookkeeping
  TRIPLINE_EMITTER_LINGER_MS: z.coerce.number().int().nonnegative().default(20), // batching; adds latency
});
export type EmitterSettings = z.infer<typeof emitterSettings>;

/** `TRIPLINE_FORCE_support-reply=canary` forces an arm, for tests. */
export const forcedArms = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, arm]) => (name.startsWith('TRIPLINE_FORCE_') && arm !== undefined ? [[name.slice('TRIPLINE_FORCE_'.length), arm]] : [])));
