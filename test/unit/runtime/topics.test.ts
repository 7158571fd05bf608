import { expect, test } from 'vitest';
import { planTopics } from '../../../services/pipeline/prepare.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { newestUnitTopic, unitTopicNumber } from '../../../services/runtime/topics.ts';

test.each([
  ['p.unit.v1', 0],
  ['p.unit.v1.g1', 1],
  ['p.unit.v1.g12', 12],
  ['p.unit.v1.e1', undefined],
  ['p.unit.v1.g', undefined],
  ['p.unit.v1.g1.bak', undefined],
  ['q.unit.v1', undefined],
  ['p.entity.v1', undefined],
])('%s: topic %s of the unit log', (name, number) => expect(unitTopicNumber('p', name)).toBe(number));

const topic = (name: string, partitions: number) => ({ topic: name, partitions, config: {} });

test('the unit log is written to the topic of its last change of partitions', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([topic('p.unit.v1', 2)]);
  expect(await newestUnitTopic(log, 'p')).toEqual({ topic: 'p.unit.v1', partitions: 2 });
  await log.createTopics([topic('p.unit.v1.g2', 4), topic('p.unit.v1.g10', 8), topic('q.unit.v1.g11', 16)]);
  expect(await newestUnitTopic(log, 'p')).toEqual({ topic: 'p.unit.v1.g10', partitions: 8 });
});

test('every topic of the unit log is checked, those of earlier changes of partitions too', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([topic('p.unit.v1', 2), topic('p.unit.v1.g1', 4), topic('p.unit.v1.other', 1)]);
  const { findings } = await planTopics(log, { prefix: 'p', eventTime: false });
  const checked = [...new Set(findings.map((finding) => finding.topic))].filter((name) => name.startsWith('p.unit.v1'));
  expect(checked).toEqual(['p.unit.v1', 'p.unit.v1.g1']);
});
