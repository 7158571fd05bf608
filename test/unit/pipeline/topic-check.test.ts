import { describe, expect, test } from 'vitest';
import { checkTopic } from '../../../services/pipeline/topic-check.ts';
import type { TopicDescription, TopicSpec } from '../../../services/runtime/log.ts';

const day = 86_400_000;
const raw: TopicSpec = {
  topic: 'inference.raw.v1',
  partitions: 4,
  config: {
    'cleanup.policy': 'delete',
    'retention.ms': String(day),
    'message.timestamp.type': 'LogAppendTime',
  },
};
const unit: TopicSpec = {
  topic: 'unit.v1',
  partitions: 4,
  config: { 'cleanup.policy': 'delete', 'retention.ms': '-1' },
};
const experiment: TopicSpec = { topic: 'experiment.v1', partitions: 1, config: { 'cleanup.policy': 'compact' } };

/** A topic as `spec` wants it, but for what is changed. */
const like = (
  spec: TopicSpec,
  config: Readonly<Record<string, string>> = {},
  change: Partial<TopicDescription> = {},
): TopicDescription => ({
  partitions: spec.partitions,
  replicationFactor: 3,
  config: {
    'cleanup.policy': 'delete',
    'retention.ms': '604800000',
    'retention.bytes': '-1',
    'message.timestamp.type': 'CreateTime',
    'max.message.bytes': '1048588',
    'min.insync.replicas': '2',
    ...spec.config,
    ...config,
  },
  ...change,
});

test.each([raw, unit, experiment])('a topic that is as it should be: $topic', (spec) => {
  expect(checkTopic(spec, like(spec))).toEqual([]);
});

describe('on such a topic records would be lost, so a stage does not start', () => {
  test.each([
    ['it is not there', unit, undefined, 'topic', 'missing', undefined],
    [
      'the unit log forgets after a week',
      unit,
      like(unit, { 'retention.ms': '604800000' }),
      'retention.ms',
      '604800000',
      { 'retention.ms': '-1' },
    ],
    [
      'the unit log forgets when it is full',
      unit,
      like(unit, { 'retention.bytes': '1000' }),
      'retention.bytes',
      '1000',
      { 'retention.bytes': '-1' },
    ],
    [
      'the unit log is compacted',
      unit,
      like(unit, { 'cleanup.policy': 'compact' }),
      'cleanup.policy',
      'compact',
      { 'cleanup.policy': 'delete' },
    ],
    [
      'revisions are deleted',
      experiment,
      like(experiment, { 'cleanup.policy': 'delete' }),
      'cleanup.policy',
      'delete',
      { 'cleanup.policy': 'compact' },
    ],
    [
      'arrival is what the producer says',
      raw,
      like(raw, { 'message.timestamp.type': 'CreateTime' }),
      'message.timestamp.type',
      'CreateTime',
      { 'message.timestamp.type': 'LogAppendTime' },
    ],
    ['revisions have two orders', experiment, like(experiment, {}, { partitions: 2 }), 'partitions', '2', undefined],
  ] as const)('%s', (_name, spec, there, setting, found, change) => {
    const [finding, ...others] = checkTopic(spec, there);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ topic: spec.topic, setting, found, severity: 'refuse' });
    expect(finding?.change).toEqual(change);
    expect(finding?.hint).not.toBe('');
  });
});

describe('a stage runs on such a topic, and it is said', () => {
  const replicated: TopicSpec = {
    ...unit,
    replicationFactor: 3,
    config: { ...unit.config, 'min.insync.replicas': '2' },
  };
  test.each([
    [
      'raw records go too early',
      raw,
      like(raw, { 'retention.ms': '3600000' }),
      'retention.ms',
      { 'retention.ms': String(day) },
    ],
    [
      'raw records stay too long: nothing is deleted for it',
      raw,
      like(raw, { 'retention.ms': '-1' }),
      'retention.ms',
      undefined,
    ],
    ['other partitions than asked', unit, like(unit, {}, { partitions: 8 }), 'partitions', undefined],
    [
      'long records are refused',
      raw,
      like(raw, { 'max.message.bytes': '65536' }),
      'max.message.bytes',
      { 'max.message.bytes': '1048588' },
    ],
    [
      'one copy is enough for it',
      replicated,
      like(replicated, { 'min.insync.replicas': '1' }),
      'min.insync.replicas',
      { 'min.insync.replicas': '2' },
    ],
    ['there is one copy', replicated, like(replicated, {}, { replicationFactor: 1 }), 'replication factor', undefined],
  ] as const)('%s', (_name, spec, there, setting, change) => {
    const [finding, ...others] = checkTopic(spec, there);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ setting, severity: 'warn' });
    expect(finding?.change).toEqual(change);
  });
});
