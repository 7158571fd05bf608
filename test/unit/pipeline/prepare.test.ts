import { describe, expect, test } from 'vitest';
import { defaultSettings, readSettings } from '../../../services/pipeline/config.ts';
import { applyTopics, planTopics, topicWishes } from '../../../services/pipeline/prepare.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { topics } from '../../../schemas/generated.ts';

const wishes = topicWishes(defaultSettings);
const partitionsOf = (specs: readonly { topic: string; partitions: number }[], topic: string): number | undefined =>
  specs.find((spec) => spec.topic === topic)?.partitions;

describe('the plan for topics', () => {
  test('of an empty broker: every topic is made, with four partitions where there are several', async () => {
    const plan = await planTopics(createMemoryBroker().client(), wishes);
    expect(plan.create).toHaveLength(topics.length);
    expect(partitionsOf(plan.create, 'tripline.unit.v1')).toBe(4);
    expect(partitionsOf(plan.create, 'tripline.control.v1')).toBe(1);
    expect(plan.findings).toEqual([]);
  });

  test('that was applied is empty', async () => {
    const log = createMemoryBroker().client();
    await applyTopics(log, await planTopics(log, wishes));
    expect(await planTopics(log, wishes)).toEqual({ create: [], findings: [] });
  });

  test('follows the number of partitions that are there, unless another is asked for', async () => {
    const log = createMemoryBroker().client();
    await log.createTopics([
      { topic: 'tripline.inference.raw.v1', partitions: 6, config: { 'message.timestamp.type': 'LogAppendTime' } },
    ]);
    expect(partitionsOf((await planTopics(log, wishes)).create, 'tripline.unit.v1')).toBe(6);
    expect(partitionsOf((await planTopics(log, { ...wishes, partitions: 2 })).create, 'tripline.unit.v1')).toBe(2);
  });

  test('sets right what keeps more than before, and leaves the rest to a person', async () => {
    const log = createMemoryBroker().client();
    await applyTopics(log, await planTopics(log, wishes));
    await log.alterTopic('tripline.unit.v1', { 'retention.ms': '604800000' });
    await log.alterTopic('tripline.outcome.raw.v1', { 'retention.ms': '-1' });
    const plan = await planTopics(log, wishes);
    expect(plan.findings.map(({ topic, severity }) => [topic, severity])).toEqual([
      ['tripline.outcome.raw.v1', 'warn'],
      ['tripline.unit.v1', 'refuse'],
    ]);
    await applyTopics(log, plan);
    const there = await log.describeTopics(['tripline.unit.v1', 'tripline.outcome.raw.v1']);
    expect(there.get('tripline.unit.v1')?.config['retention.ms']).toBe('-1');
    expect(there.get('tripline.outcome.raw.v1')?.config['retention.ms']).toBe('-1');
  });

  test('looks at the topics that a change of partitions has made, too', async () => {
    const log = createMemoryBroker().client();
    await applyTopics(log, await planTopics(log, wishes));
    await log.createTopics([{ topic: 'tripline.unit.v1.g1', partitions: 8, config: { 'retention.ms': '1000' } }]);
    const { findings } = await planTopics(log, wishes);
    expect(findings.map(({ topic, setting }) => [topic, setting])).toEqual([
      ['tripline.unit.v1.g1', 'retention.ms'],
      ['tripline.unit.v1.g1', 'message.timestamp.type'],
    ]);
  });

  test('asks for copies only where the settings do', async () => {
    const log = createMemoryBroker().client();
    const settings = readSettings({ TRIPLINE_REPLICATION_FACTOR: '3', TRIPLINE_MIN_INSYNC_REPLICAS: '2' }, []);
    const [asked] = (await planTopics(log, topicWishes(settings))).create;
    expect([asked?.replicationFactor, asked?.config['min.insync.replicas']]).toEqual([3, '2']);
    const [byDefault] = (await planTopics(log, wishes)).create;
    expect([byDefault?.replicationFactor, byDefault?.config['min.insync.replicas']]).toEqual([undefined, undefined]);
  });
});
