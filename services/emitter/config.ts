/**
 * Settings of an app's emitter. Read by hand, not by zod as elsewhere: an app must get the ready instance at its first
 * call, and zod would cost its start more than all the rest of the emitter.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { RedactionSettings } from '../runtime/redaction-settings.ts';

/** Reads one setting; undefined is not set. Throws a RangeError that says what it must be. */
type Reader<T> = (given: string | undefined) => T;

const text =
  (otherwise: string): Reader<string> =>
  (given) =>
    given ?? otherwise;
const matching =
  (pattern: RegExp, otherwise: string, must: string): Reader<string> =>
  (given = otherwise) => {
    if (!pattern.test(given)) throw new RangeError(`must be ${must}`);
    return given;
  };
const whole =
  (otherwise: number, least: number, most = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (given) => {
    const value = given === undefined ? otherwise : Number(given);
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new RangeError(
        `must be a whole number of at least ${least}${most < Number.MAX_SAFE_INTEGER ? ` and at most ${most}` : ''}`,
      );
    return value;
  };
const optional: Reader<string | undefined> = (given) => given;

const readers = {
  TRIPLINE_SERVICE: text('app'), // names the app on every event
  TRIPLINE_ENVIRONMENT: text('production'),
  KAFKA_BROKERS: text('127.0.0.1:9092'), // comma-separated host:port
  SCHEMA_REGISTRY_URL: text('http://127.0.0.1:8081'),
  TRIPLINE_TOPIC_PREFIX: matching(/^[a-z0-9._-]{1,64}$/, 'tripline', '1 to 64 of a-z, 0-9, dots, dashes and _'),
  TRIPLINE_SINK: matching(/^(kafka|stdout|file:.+)$/, 'kafka', 'kafka, stdout or file:PATH'), // not kafka: no broker
  // tables not confirmed for longer assign with reason STALE
  TRIPLINE_EXPERIMENT_TTL_MS: whole(300_000, 1),
  TRIPLINE_EMITTER_MAX_QUEUED: whole(10_000, 1, 1_000_000), // events; the oldest are dropped
  TRIPLINE_EMITTER_MAX_BYTES: whole(16_777_216, 1), // of encoded events and their bookkeeping
  TRIPLINE_EMITTER_MAX_EVENT_BYTES: whole(1_000_000, 1), // of one event; brokers take about 1 MiB unless told otherwise
  TRIPLINE_EMITTER_LINGER_MS: whole(20, 0), // batching; adds latency
  // on: texts are redacted in this process, under the policy and keys that TRIPLINE_REDACTION_POLICY and
  // TRIPLINE_TOKEN_KEYS(_FILE) name
  TRIPLINE_EMITTER_REDACT: matching(/^(on|off)$/, 'off', 'on or off'),
};
const optionals = {
  // file with one revision a line: with kafka the last known table is kept there, without it is read from there
  TRIPLINE_EXPERIMENTS: ((given) => {
    if (given === '') throw new RangeError('must be a path');
    return given;
  }) satisfies Reader<string | undefined>,
  TRIPLINE_REDACTION_POLICY: optional,
  TRIPLINE_TOKEN_KEYS: optional,
  TRIPLINE_TOKEN_KEYS_FILE: optional,
};

export type EmitterSettings = { readonly [K in keyof typeof readers]: ReturnType<(typeof readers)[K]> } & {
  readonly TRIPLINE_EXPERIMENTS?: string | undefined;
} & RedactionSettings;

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
  const problems: string[] = [];
  const read = Object.entries({ ...readers, ...optionals }).flatMap(([name, reader]) => {
    try {
      const value = reader(env[name]);
      return value === undefined ? [] : [[name, value] as const];
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  const forced = forcedArms(env);
  if (problems.length > 0) return { problem: problems.join('; '), forced };
  return { settings: Object.fromEntries(read) as EmitterSettings, forced };
}

export const emitterSettings = {
  /** Every setting with its default; throws an error that names all that is wrong. */
  parse: (env: Env): EmitterSettings => {
    const { settings, problem } = readEmitterEnv(env);
    if (settings === undefined) throw new PipelineError('CONFIG_INVALID', problem ?? '');
    return settings;
  },
};
