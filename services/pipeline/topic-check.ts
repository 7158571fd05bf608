/**
 * What a topic must be like, and what is wrong with one that is there: a table of rules, one per setting. `refuse`: on
 * such a topic records are lost, or come in another order. `warn`: less room, fewer copies, longer retention than asked.
 */
import type { TopicDescription, TopicSpec } from '../runtime/log.ts';

export type TopicFinding = {
  readonly topic: string;
  readonly setting: string;
  readonly found: string;
  readonly wanted: string;
  readonly severity: 'refuse' | 'warn';
  /** What a person can do where `prepare` does nothing, or why it matters. */
  readonly hint: string;
  /** What `prepare` sets. Only what keeps more than before: nothing is deleted by it. */
  readonly change?: Readonly<Record<string, string>>;
};

/** Kafka's own default; a batch of the stages holds at most 768 KiB, or one record of at most a mebibyte. */
const leastMessageBytes = 1_048_588;

type Found = Omit<TopicFinding, 'topic' | 'setting'>;
type Rule = {
  readonly setting: string;
  readonly judge: (spec: TopicSpec, there: TopicDescription) => Found | undefined;
};

const forever = '-1';
const keepsForever = ({ config }: TopicSpec): boolean =>
  config['cleanup.policy'] !== 'compact' && config['retention.ms'] === forever;
const timeOf = (retention: string): number => (retention === forever ? Infinity : Number(retention));
const equal =
  (setting: string, wanted: string, severity: TopicFinding['severity'], hint: string) =>
  ({ config }: TopicDescription): Found | undefined => {
    const found = config[setting] ?? 'not set';
    return found === wanted ? undefined : { found, wanted, severity, hint, change: { [setting]: wanted } };
  };

const rules: readonly Rule[] = [
  {
    setting: 'cleanup.policy',
    judge: ({ config }, there) =>
      equal(
        'cleanup.policy',
        config['cleanup.policy'] ?? 'delete',
        'refuse',
        config['cleanup.policy'] === 'compact'
          ? 'the newest revision of each experiment must stay'
          : 'compaction takes out records that the state is made from',
      )(there),
  },
  {
    setting: 'retention.ms',
    judge: (spec, { config }) => {
      const wanted = spec.config['retention.ms'];
      if (wanted === undefined || spec.config['cleanup.policy'] === 'compact') return undefined;
      const found = config['retention.ms'] ?? 'not set';
      if (timeOf(found) === timeOf(wanted)) return undefined;
      if (timeOf(found) > timeOf(wanted))
        return {
          found,
          wanted,
          severity: 'warn',
          hint: 'records stay longer than the design says, and raw ones hold what people wrote; shorten it yourself',
        };
      return {
        found,
        wanted,
        severity: keepsForever(spec) ? 'refuse' : 'warn',
        hint: 'records go before they are needed for the last time',
        change: { 'retention.ms': wanted },
      };
    },
  },
  {
    setting: 'retention.bytes',
    judge: (spec, there) =>
      keepsForever(spec)
        ? equal('retention.bytes', forever, 'refuse', 'the oldest records go when the topic is full')(there)
        : undefined,
  },
  {
    setting: 'message.timestamp.type',
    judge: ({ config }, there) => {
      const wanted = config['message.timestamp.type'];
      return wanted === undefined
        ? undefined
        : equal('message.timestamp.type', wanted, 'refuse', 'what counts is judged by the time of arrival')(there);
    },
  },
  {
    setting: 'partitions',
    judge: (spec, there) => {
      if (there.partitions === spec.partitions) return undefined;
      const [found, wanted] = [String(there.partitions), String(spec.partitions)];
      return spec.partitions === 1
        ? { found, wanted, severity: 'refuse', hint: 'its order is that of one partition; make the topic anew' }
        : { found, wanted, severity: 'warn', hint: '`npx tripline repartition` changes those of the unit log' };
    },
  },
  {
    setting: 'max.message.bytes',
    judge: (_spec, { config }) => {
      const found = config['max.message.bytes'] ?? 'not set';
      const wanted = String(leastMessageBytes);
      return Number(found) >= leastMessageBytes
        ? undefined
        : {
            found,
            wanted,
            severity: 'warn',
            hint: 'a long record would be refused for good, and its stage would stop there',
            change: { 'max.message.bytes': wanted },
          };
    },
  },
  {
    setting: 'min.insync.replicas',
    judge: ({ config }, there) => {
      const wanted = config['min.insync.replicas'];
      return wanted === undefined
        ? undefined
        : equal('min.insync.replicas', wanted, 'warn', 'so many copies must have a record before it counts')(there);
    },
  },
  {
    setting: 'replication factor',
    judge: ({ replicationFactor: wanted = -1 }, { replicationFactor: found }) =>
      found >= wanted
        ? undefined
        : {
            found: String(found),
            wanted: String(wanted),
            severity: 'warn',
            hint: 'kafka-reassign-partitions adds copies to a topic that is there',
          },
  },
];

/** `there` undefined: there is no such topic. */
export function checkTopic(spec: TopicSpec, there: TopicDescription | undefined): readonly TopicFinding[] {
  const { topic } = spec;
  if (there === undefined)
    return [
      {
        topic,
        setting: 'topic',
        found: 'missing',
        wanted: `${spec.partitions} partition${spec.partitions === 1 ? '' : 's'}`,
        severity: 'refuse',
        hint: '`npx tripline prepare` creates it',
      },
    ];
  return rules.flatMap(({ setting, judge }) => {
    const found = judge(spec, there);
    return found === undefined ? [] : [{ topic, setting, ...found }];
  });
}

export const formatFinding = ({ topic, setting, found, wanted, hint }: TopicFinding): string =>
  `${topic}: ${setting} is ${found}, wanted ${wanted} (${hint})`;
