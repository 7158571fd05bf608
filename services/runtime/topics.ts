import { type TopicSuffix, topics } from '../../schemas/generated.ts';
import type { TopicSpec } from './kafka-log.ts';

/** `tripline.unit.v1` for prefix `tripline`: several worlds (a replay, a test) share a broker by their prefix. */
export const topicName = (prefix: string, suffix: TopicSuffix): string => `${prefix}.${suffix}`;

/**
 * The topics of schemas/topics.json. A replay of old data keeps the source's own times: `carriedTime` creates the raw topics with
 * CreateTime and no retention, else the broker would delete what is years old within minutes.
 */
export function topicSpecs(prefix: string, partitions: number, carriedTime: boolean): TopicSpec[] {
  return topics.map((topic) => ({
    topic: topicName(prefix, topic.suffix),
    partitions: topic.partitions === 'P' ? partitions : topic.partitions,
    config: carriedTime ? { ...topic.config, 'message.timestamp.type': 'CreateTime', ...(topic.config['cleanup.policy'] === 'delete' && { 'retention.ms': '-1' }) } : topic.config,
  }));
}
