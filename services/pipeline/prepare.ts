/**
 * Topics, schemas and tables: what is there, what is missing, and making it so. Everything may be repeated. A plan says
 * first what would change; what would delete anything is named and left to a person.
 */
import { topics } from '../../schemas/generated.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, TopicSpec } from '../runtime/log.ts';
import { migrate, pendingMigrations } from '../runtime/migrate.ts';
import { topicName, topicSpecs, unitTopicNumber } from '../runtime/topics.ts';
import type { Settings } from './config.ts';
import type { Addresses, Connection } from './connect.ts';
import { type Keep, keepOf, planKeep } from './keep-rows.ts';
import { checkTopic, formatFinding, type TopicFinding } from './topic-check.ts';

export type TopicWishes = {
  readonly prefix: string;
  /** Absent: as many as the raw log has, 4 for a new one. */
  readonly partitions?: number;
  /** Raw records keep their producer's time. */
  readonly eventTime: boolean;
  /** Absent: the broker's default. */
  readonly replicationFactor?: number;
  readonly minInsyncReplicas?: number;
  /** Absent: tables keep their rows as they do. */
  readonly keepRows?: Keep;
};

export const topicWishes = (settings: Settings): TopicWishes => ({
  prefix: settings.TRIPLINE_TOPIC_PREFIX,
  eventTime: settings.TRIPLINE_RAW_TIMESTAMPS === 'producer',
  keepRows: keepOf(settings),
  ...(settings.TRIPLINE_PARTITIONS !== undefined && { partitions: settings.TRIPLINE_PARTITIONS }),
  ...(settings.TRIPLINE_REPLICATION_FACTOR !== -1 && { replicationFactor: settings.TRIPLINE_REPLICATION_FACTOR }),
  ...(settings.TRIPLINE_MIN_INSYNC_REPLICAS !== undefined && {
    minInsyncReplicas: settings.TRIPLINE_MIN_INSYNC_REPLICAS,
  }),
});

const partitionsOfNewLogs = 4;

/** Every topic as it should be, those included that a change of partitions has made of the unit log. */
async function wantedTopics(log: LogClient, wishes: TopicWishes): Promise<readonly TopicSpec[]> {
  const { prefix, replicationFactor, minInsyncReplicas } = wishes;
  const [raw, unit] = [topicName(prefix, 'inference.raw.v1'), topicName(prefix, 'unit.v1')];
  const names = await log.topics();
  const later = names.filter((name) => (unitTopicNumber(prefix, name) ?? 0) > 0);
  const there = await log.describeTopics([raw, ...later]);
  const partitions = wishes.partitions ?? there.get(raw)?.partitions ?? partitionsOfNewLogs;
  const specs = topicSpecs(prefix, partitions, wishes.eventTime).map((spec) => ({
    ...spec,
    ...(replicationFactor !== undefined && { replicationFactor }),
    config: {
      ...spec.config,
      ...(minInsyncReplicas !== undefined && { 'min.insync.replicas': String(minInsyncReplicas) }),
    },
  }));
  const unitSpec = specs.find(({ topic }) => topic === unit);
  const laterSpecs = later.flatMap((topic) =>
    unitSpec ? [{ ...unitSpec, topic, partitions: there.get(topic)?.partitions ?? unitSpec.partitions }] : [],
  );
  return [...specs, ...laterSpecs];
}

export type TopicPlan = {
  readonly create: readonly TopicSpec[];
  /** Settings of topics that are there; those with a `change` are set by `applyTopics`. */
  readonly findings: readonly TopicFinding[];
};

export async function planTopics(log: LogClient, wishes: TopicWishes): Promise<TopicPlan> {
  const wanted = await wantedTopics(log, wishes);
  const there = await log.describeTopics(wanted.map(({ topic }) => topic));
  return {
    create: wanted.filter(({ topic }) => !there.has(topic)),
    findings: wanted.flatMap((spec) => {
      const description = there.get(spec.topic);
      return description === undefined ? [] : checkTopic(spec, description);
    }),
  };
}

export async function applyTopics(log: LogClient, { create, findings }: TopicPlan): Promise<void> {
  await log.createTopics(create);
  const changes = new Map<string, Readonly<Record<string, string>>>();
  for (const { topic, change } of findings) if (change) changes.set(topic, { ...changes.get(topic), ...change });
  for (const [topic, change] of changes) await log.alterTopic(topic, change);
}

export const registerSchemas = (codec: AvroCodec, prefix: string): Promise<unknown> =>
  codec.register(
    topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: topicName(prefix, suffix) }))),
  );

const credentials = ({ clickhouseUrl: url, user, password, cluster }: Addresses) => ({
  url,
  ...(user !== undefined && { user }),
  ...(password !== undefined && { password }),
  ...(cluster !== undefined && { cluster }),
});

async function applyKeep(store: Store, keep: Keep | undefined): Promise<void> {
  if (keep !== undefined) for (const statement of await planKeep(store, keep)) await store.command(statement);
}

/** Creates what is missing; of what is there nothing is changed. */
export async function prepare(
  options: Addresses & TopicWishes,
  { log, codec, store }: Pick<Connection, 'log' | 'codec' | 'store'>,
): Promise<void> {
  await log.createTopics(await wantedTopics(log, options));
  await registerSchemas(codec, options.prefix);
  await migrate(store, credentials(options));
  await applyKeep(store, options.keepRows);
}

export type PreparePlan = {
  readonly topics: TopicPlan;
  readonly migrations: readonly string[];
  /** How long rows are kept, as statements. */
  readonly keep: readonly string[];
};

/** Of a database that is not there yet nothing is asked. */
const keepIfThere = (store: Store, keep: Keep): Promise<readonly string[]> => planKeep(store, keep).catch(() => []);

export const planPrepare = async (
  options: Addresses & TopicWishes,
  { log, store }: Pick<Connection, 'log' | 'store'>,
): Promise<PreparePlan> => ({
  topics: await planTopics(log, options),
  migrations: await pendingMigrations(store, credentials(options)),
  keep: options.keepRows === undefined ? [] : await keepIfThere(store, options.keepRows),
});

export async function applyPrepare(
  options: Addresses & TopicWishes,
  plan: PreparePlan,
  { log, codec, store }: Pick<Connection, 'log' | 'codec' | 'store'>,
): Promise<void> {
  await applyTopics(log, plan.topics);
  await registerSchemas(codec, options.prefix);
  await migrate(store, credentials(options));
  await applyKeep(store, options.keepRows);
}

/**
 * Before a stage runs on topics and tables that it did not make: throws `CONFIG_INVALID` where its log would be lost or
 * something is missing, and returns what is merely not as asked.
 */
export async function requirePrepared(
  options: Addresses & TopicWishes,
  { log, codec, store }: { log: LogClient; codec: AvroCodec; store: Store },
): Promise<readonly TopicFinding[]> {
  const { topics: plan, migrations } = await planPrepare(options, { log, store });
  const findings = [...plan.create.flatMap((spec) => checkTopic(spec, undefined)), ...plan.findings];
  const refused = findings.filter(({ severity }) => severity === 'refuse').map(formatFinding);
  if (migrations.length > 0) refused.push(`database ${store.database}: not applied: ${migrations.join(', ')}`);
  if (refused.length > 0)
    throw new PipelineError('CONFIG_INVALID', `topics and tables are not ready:\n  ${refused.join('\n  ')}`, {
      hint: '`npx tripline prepare` shows what it would change, and sets right what keeps more than before',
    });
  await registerSchemas(codec, options.prefix);
  return findings;
}
