/**
 * Settings that every process of a deployment shares, and one schema for a process: these and those of its stages. Read
 * once, at the start, all of them; what is wrong is said in one message. An empty value counts as not set.
 */
import { z } from 'zod';
import { botSettings } from '../bot/config.ts';
import { joinerSettings } from '../joiner/config.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { linkerSettings } from '../linker/config.ts';
import { redactorSettings } from '../redactor/config.ts';
import { sinkSettings } from '../sink/config.ts';
import { statisticsSettings } from '../statistics/config.ts';

/** In the order in which records pass them. */
export const stageNames = ['redactor', 'linker', 'joiner', 'sink', 'statistics', 'bot'] as const;
export type StageName = (typeof stageNames)[number];

export const namesSettings = z.object({
  TRIPLINE_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-z0-9._-]{1,64}$/)
    .default('tripline'), // deployments on one broker differ in it
  TRIPLINE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/)
    .default('tripline'), // of ClickHouse
});

export const addressSettings = z.object({
  KAFKA_BROKERS: z.string().max(4_096).optional(), // comma-separated host:port
  CLICKHOUSE_URL: z.url().optional(),
  CLICKHOUSE_USER: z.string().max(256).optional(), // ClickHouse's own default when it is not set
  CLICKHOUSE_PASSWORD: z.string().max(1_024).optional(),
  // its name in system.clusters: replicated tables, inserts by quorum, reads that see them; not set: one server
  CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/)
    .optional(),
  SCHEMA_REGISTRY_URL: z.url().optional(),
});

export const processSettings = z.object({
  // a process that dies without a word keeps its partitions so long; much shorter, and a pause looks like a death
  TRIPLINE_SESSION_TIMEOUT_MS: z.coerce.number().int().min(2_000).max(300_000).default(30_000),
  TRIPLINE_PROBE_HOST: z.string().max(255).default('127.0.0.1'), // whoever can reach it can read /status
  TRIPLINE_PROBE_PORT: z.coerce.number().int().min(0).max(65_535).default(9_464), // 0: a free one, printed
  // share of the last 2,000 records that may be parked before a stage stops and asks for a person; 1: it never stops
  TRIPLINE_PARKED_SHARE: z.coerce.number().positive().max(1).default(0.5),
  // holes in the log that are accepted, with commas; the error that stops a reader at one prints its name
  TRIPLINE_ACCEPT_GAP: z.string().max(4_096).optional(),
  TRIPLINE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(), // of traces, gRPC; not set: no spans are made
});

export const topicSettings = z.object({
  // of new logs; not set: as many as the raw log has, 4 for a new one. `tripline repartition` adds more
  TRIPLINE_PARTITIONS: z.coerce.number().int().min(1).max(512).optional(),
  // copies of each topic; -1: the broker's own default, which whoever runs the broker has chosen
  TRIPLINE_REPLICATION_FACTOR: z.coerce.number().int().min(-1).max(32_767).default(-1),
  // copies that must have a record before it counts as written; not set: the broker's own default
  TRIPLINE_MIN_INSYNC_REPLICAS: z.coerce.number().int().min(1).max(32_767).optional(),
  // how long rows are kept that no decision rests on, days; 0: for ever. `npx tripline prepare` sets it
  TRIPLINE_KEEP_READINGS_DAYS: z.coerce.number().int().min(0).max(36_500).default(90), // a row a look, metric and arm
  TRIPLINE_KEEP_ACKS_DAYS: z.coerce.number().int().min(0).max(36_500).default(400), // who obeyed, and when
  TRIPLINE_KEEP_PARKED_DAYS: z.coerce.number().int().min(0).max(36_500).default(30), // bytes stay 7 days, on the topic
  // whose time raw records carry. producer: stories and replays of old data, whose times the broker would overwrite
  TRIPLINE_RAW_TIMESTAMPS: z.enum(['broker', 'producer']).default('broker'),
});

export const stageSettings = {
  redactor: redactorSettings,
  linker: linkerSettings,
  joiner: joinerSettings,
  sink: sinkSettings,
  statistics: statisticsSettings,
  bot: botSettings,
} as const satisfies Record<StageName, z.ZodObject>;

/** What every process reads, whatever it runs. */
const commonShape = {
  ...addressSettings.shape,
  ...namesSettings.shape,
  ...topicSettings.shape,
  ...processSettings.shape,
};

/** Everything that any process reads. */
export const allSettings = z.object({
  ...commonShape,
  ...redactorSettings.shape,
  ...linkerSettings.shape,
  ...joinerSettings.shape,
  ...sinkSettings.shape,
  ...statisticsSettings.shape,
  ...botSettings.shape,
});
export type Settings = z.infer<typeof allSettings>;
export const defaultSettings: Settings = allSettings.parse({});

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of a process that runs these stages; what only others read is not looked at. Values are not quoted. */
export function readSettings(env: Environment, stages: readonly StageName[] = stageNames): Settings {
  const schema = z.object({
    ...commonShape,
    ...Object.assign({}, ...stages.map((stage) => stageSettings[stage].shape)),
  });
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ...defaultSettings, ...parsed.data };
  throw new PipelineError(
    'CONFIG_INVALID',
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    { hint: 'correct the environment variables named; `npx tripline config` shows every one with its default' },
  );
}

/** The names given, in the order of records; all when none is. */
export function readStageNames(given: readonly string[]): readonly StageName[] {
  const known = new Set<string>(stageNames);
  const unknown = given.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new PipelineError('CONFIG_INVALID', `no such stage: ${unknown.join(', ')}`, {
      hint: `stages are ${stageNames.join(', ')}`,
    });
  return given.length === 0 ? stageNames : stageNames.filter((name) => given.includes(name));
}
