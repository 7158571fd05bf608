/**
 * An app that records and closes at once ends, and what it recorded is on the topic: with a broker, closing falls into
 * the middle of joining the topic of experiments.
 */
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { topicName, topicSpecs } from '../../services/runtime/topics.ts';
import { closingApps } from '../support/closing-apps.ts';
import { compileForApps, runApp } from '../support/run-app.ts';

const prefix = 'emitter-close';

beforeAll(async () => {
  compileForApps();
  const log = createKafka({ brokers: inject('addresses').brokers, clientId: 'test' });
  await log.createTopics(topicSpecs(prefix, 1, false));
  await log.close();
});

describe.each(Object.entries(closingApps))('%s', (_name, code) => {
  test('the process ends by itself', async () => {
    const { brokers, registryUrl } = inject('addresses');
    const env = { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registryUrl, TRIPLINE_TOPIC_PREFIX: prefix };
    const { code: end, problems } = await runApp(code, env);
    expect([end, problems]).toEqual([0, '']);
  });
});

test('nothing is lost by closing at once', async () => {
  const log = createKafka({ brokers: inject('addresses').brokers, clientId: 'test' });
  const records = await log.readToEnd(topicName(prefix, 'inference.raw.v1'));
  await log.close();
  // Each app but those that record nothing, once; what is recorded after closing is not taken.
  const recording = Object.values(closingApps).filter((code) => code.includes('tripline.record('));
  expect(records.length).toBe(recording.length);
});
