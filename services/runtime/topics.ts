import { type TopicSuffix, topics } from '../../schemas/generated.ts';
import { generationOfTopic, unitTopic } from '../kernel/generations.ts';
import type { LogClient, TopicSpec } from './log.ts';

/**
 * `tripline.unit.v1` for prefix `tripline`: several deployments (a replay, a test) share a broker by their prefix.
 */
export const topicName = (prefix: string, suffix: TopicSuffix): string => `${prefix}.${suffix}`;

/** Which of the unit log's topics a name is: 0 for the first; undefined: none of them. */
export const unitTopicNumber = (prefix: string, name: string): number | undefined =>
  name.startsWith(`${prefix}.`) ? generationOfTopic(name.slice(prefix.length + 1)) : undefined;

/**
 * Where writers of the unit log write: its newest topic. Every change of the number of partitions makes another
 * (`unit.v1.g1`), and what it replaces is only read; a writer asks once, at its start, so a change waits until none of
 * the old ones is left (services/joiner/README.md).
 */
export async function newestUnitTopic(
  log: LogClient,
  prefix: string,
): Promise<{ readonly topic: string; readonly partitions: number }> {
  const numbers = (await log.topics()).flatMap((name) => unitTopicNumber(prefix, name) ?? []);
  const topic = `${prefix}.${unitTopic(Math.max(0, ...numbers))}`;
  return { topic, partitions: await log.partitions(topic) };
}

/**
 * The topics of schemas/topics.json. A replay of old data keeps the source's own times: `eventTime` creates the raw
 * topics with CreateTime and no retention, else the broker would delete what is years old within minutes.
 */
export function topicSpecs(prefix: string, partitions: number, eventTime: boolean): TopicSpec[] {
  return topics.map((topic) => ({
    topic: topicName(prefix, topic.suffix),
    partitions: topic.partitions === 'P' ? partitions : topic.partitions,
    config: eventTime
      ? {
          ...topic.config,
          'message.timestamp.type': 'CreateTime',
          ...(topic.config['cleanup.policy'] === 'delete' && { 'retention.ms': '-1' }),
        }
      : topic.config,
  }));
}
