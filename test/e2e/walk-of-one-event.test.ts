/**
 * One event's way, on real parts: from an app's call through the emitter, Kafka, redactor, linker, joiner and sink into
 * ClickHouse, looked at by statistics, stopped by a person, obeyed by the bot and by an assigner; one trace from emit
 * to insert; odd records parked; secrets nowhere. Long because it is one event's way through one pipeline, in
 * its order.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { publishRevision } from '../../services/bot/index.ts';
import { killDecision, toDecisionRecord } from '../../services/control/index.ts';
import { createEmitter, createKafkaSink, type Emitter, followExperiments } from '../../services/emitter/index.ts';
import type { EpochMs } from '../../services/kernel/time.ts';
import { startPipeline, type Pipeline } from '../../services/pipeline/start.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import type { LogClient } from '../../services/runtime/log.ts';
import { createProbeServer } from '../../services/runtime/probe-server.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { sqlQuery } from '../../services/runtime/sql-files.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { createTelemetry, type Telemetry } from '../../services/runtime/telemetry.ts';
import { topicName } from '../../services/runtime/topics.ts';
import { topics } from '../../schemas/generated.ts';
import { aRevision } from '../support/build.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { until } from '../support/until.ts';

const prefix = `walk-${process.pid}`;
const database = `walk_${process.pid}`;
const secrets = [
  'ada.lovelace@example.org',
  'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH',
  '4111 1111 1111 1111',
  'hunter2!Xy',
];
const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

let path: Pipeline;
let emitter: Emitter;
let appLog: LogClient;
let telemetry: Telemetry;
let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
const switched: { status: string; at: EpochMs }[] = [];
const logged: string[] = [];

beforeAll(async () => {
  const addresses = inject('addresses');
  receiver = await startOtlpReceiver();
  telemetry = createTelemetry({ service: 'walk', otlpEndpoint: receiver.endpoint });
  path = await startPipeline({
    ...addresses,
    prefix,
    database,
    partitions: 2,
    eventTime: false,
    pseudonymKey: Buffer.alloc(32, 5),
    clock: systemClock,
    eventClock: systemClock,
    flushMs: 50,
    lookMs: 50,
    idleTickMs: 500,
    bot: true,
    logLine: (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
    ...(telemetry.tracer && { tracer: telemetry.tracer }),
  });
  telemetry.observe(() => [path.redactor, path.linker, path.joiner, path.sink]);
  await publishRevision(
    { prefix, log: path.log, producer: path.producer, codec: path.codec },
    aRevision({ phaseStartedAt: systemClock.now(), appliedAt: systemClock.now() }),
  );
  appLog = createKafka({ brokers: addresses.brokers, clientId: 'app' });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: addresses.registryUrl }), clock: systemClock });
  const broker = {
    prefix,
    log: appLog,
    codec,
    clock: systemClock,
    ttlMs: 60_000,
    onRevision: (revision: { status: string }, at: EpochMs) => void switched.push({ status: revision.status, at }),
  };
  const experiments = followExperiments(broker);
  await experiments.ready;
  emitter = createEmitter({
    service: 'desk',
    environment: 'test',
    clock: systemClock,
    encode: codec.encodeUnregistered,
    sink: createKafkaSink(broker),
    experiments,
    maxQueued: 1_000,
    maxBytes: 8 << 20,
    lingerMs: 5,
  });
});
afterAll(async () => {
  await emitter?.close();
  await path?.close();
  await telemetry?.close();
  receiver?.close();
});

describe('an event', () => {
  let eventId = '';
  test("is emitted, and lands as a clean row under the app's trace", async () => {
    const arm = emitter.assign('exp-test', { userId: 'ada', traceparent });
    expect(arm.reason).toBe('SPLIT');
    emitter.outcome('ticket_resolved', {
      entity: { type: 'ticket', id: 'T-1' },
      value: 2.5,
      outcomeId: 'early',
      occurredAt: systemClock.now() + 1_000,
    });
    const call = {
      arms: [arm],
      userId: 'ada',
      entity: { type: 'ticket', id: 'T-1' },
      traceparent,
      modelRequested: 'm',
      promptVersion: 'v1',
      tokenIn: 12,
      costNanoUsd: 119_000,
      latencyMs: 812.25,
      status: 'success' as const,
      prompt: `I am ${secrets[0]}, key ${secrets[1]}`,
      response: `card ${secrets[2]}`,
      attributes: { password: secrets[3] ?? '' },
    };
    eventId = emitter.record(call);
    emitter.record({ ...call, eventId }); // the app's own retry
    expect(await emitter.flush()).toBe(true);
    const [row] = await until('the row', async () => {
      const rows = await path.store.rows<Record<string, string>>(
        `SELECT event_id, trace_id, user_id, prompt, cost_nano_usd, variants[1] AS variant
           FROM inferences FINAL WHERE event_id = {id:String}`,
        { id: eventId },
      );
      return rows.length > 0 && rows;
    });
    expect(row).toMatchObject({ trace_id: traceId, cost_nano_usd: '119000', variant: arm.variant });
    expect(row?.['prompt']).toMatch(/^I am \[EMAIL:k2:[0-9a-f]{16}\], key \[SECRET_KEY:l\d+\]$/);
    expect(row?.['user_id']).toMatch(/^[0-9a-f]{32}$/);
  });
  test('is folded once, with the outcome that came first and named only its ticket', async () => {
    const evaluation = await until('the look', () => {
      const latest = path.statistics.latest('exp-test');
      return latest?.eventsFolded === 1 &&
        latest.metrics.some(
          ({ metric, arms }) => metric === 'hours' && arms.some(({ numerator }) => numerator === '2500000'),
        )
        ? latest
        : undefined;
    });
    const cost = evaluation.metrics.find(({ metric }) => metric === 'cost')?.arms.find(({ units }) => units === 1);
    expect([cost?.numerator, cost?.denominator]).toEqual(['119000', '1']);
    expect(await path.store.rows(await sqlQuery('recount-metrics'))).toEqual([]);
    expect(await path.store.rows(await sqlQuery('recount-tests'))).toEqual([]);
  });
  test('is one trace from emit to insert, received over gRPC', async () => {
    const names = await until('the spans', async () => {
      await telemetry.flush();
      const mine = receiver.spans.filter((span) => span.traceId === traceId);
      return ['redactor', 'sink', 'joiner insert'].every((name) => mine.some((span) => span.name === name)) && mine;
    });
    const redactor = names.find(({ name, parentSpanId }) => name === 'redactor' && parentSpanId === 'b7ad6b7169203331');
    expect(redactor).toBeDefined();
    const ids = new Set(names.filter(({ name }) => name === 'redactor').map(({ spanId }) => spanId));
    for (const later of names.filter(({ name }) => name !== 'redactor')) expect(ids).toContain(later.parentSpanId);
    const clean = (await path.log.readToEnd(topicName(prefix, 'inference.v1'))).find(
      ({ key }) => key?.toString() === eventId,
    );
    expect(clean?.headers['traceparent']?.slice(3, 35)).toBe(traceId);
  });
});

const anExposure = (eventId: string, occurredAt: EpochMs): Buffer =>
  path.codec.encode('exposure', {
    event_id: eventId,
    occurred_at: occurredAt,
    trace_id: '',
    service: '',
    environment: '',
    experiment_id: 'exp-test',
    phase: 1,
    variant: 'A',
    unit_type: 'user',
    unit_id: 'bob',
    entity: null,
    reason: 'SPLIT',
    config_sha: '',
    sdk: { name: '', version: '' },
  });

/** Records that no stage can take, each with the code it is parked under. */
function badRecords(good: Buffer): readonly [code: string, value: Buffer][] {
  const wrongType = path.codec.encode('experiment', {
    experiment_id: 'e',
    revision: 1,
    phase: 1,
    status: '',
    coverage: 0,
    config_sha: '',
    phase_started_at: 0,
    applied_at: 0,
    author: '',
    reason: '',
    spec: '',
  });
  const unknown = Buffer.from(good);
  unknown.writeUInt32BE(999_999, 1);
  return [
    ['BAD_FRAME', Buffer.from('hello, this is no frame')],
    ['SCHEMA_UNKNOWN', unknown],
    ['SCHEMA_UNKNOWN', wrongType],
    ['UNDECODABLE', good.subarray(0, good.length - 3)],
    ['UNDECODABLE', Buffer.concat([good, Buffer.alloc(4)])],
    ['TOO_LARGE', Buffer.concat([good.subarray(0, 5), Buffer.alloc(2 << 20, 65)])],
    ['INVALID', anExposure('y', -1)],
  ];
}

describe('what can never work', () => {
  test('is parked with stage, code and place; the rest goes on', async () => {
    const topic = topicName(prefix, 'inference.raw.v1');
    const { producer } = path;
    const good = anExposure('x', 1);
    const bad = badRecords(good);
    await producer.send([
      ...bad.map(([, value]) => ({ topic, partition: 1, value })),
      { topic, partition: 1, value: good },
    ]);
    const rows = await until('the parked rows', async () => {
      const parked = await path.store.rows<{ code: string; stage: string; source_topic: string; message: string }>(
        'SELECT code, stage, source_topic, message FROM parked FINAL ORDER BY source_offset',
      );
      return parked.length >= bad.length && parked;
    });
    expect(rows.map(({ code }) => code)).toEqual(bad.map(([code]) => code));
    expect(new Set(rows.map(({ stage, source_topic: source }) => `${stage} ${source}`))).toEqual(
      new Set([`redactor ${topic}`]),
    );
    await until(
      'the good one behind them',
      () =>
        path.redactor.counts.waiting === 0 &&
        [...path.redactor.counts.parked.values()].reduce((sum, number) => sum + number, 0) === bad.length,
    );
    const { counts } = path.redactor;
    expect(counts.in).toBe(
      counts.forwarded +
        [...counts.dropped.values()].reduce((sum, number) => sum + number, 0) +
        bad.length +
        counts.waiting,
    );
  });
  test('counters stand on /metrics', async () => {
    const probe = await createProbeServer({
      port: 0,
      ready: async () => true,
      metrics: telemetry.metrics,
      stages: () => [],
    });
    const text = await (await fetch(`${probe.url}/metrics`)).text();
    await probe.close();
    for (const part of [
      'tripline_records_total{stage="redactor",verdict="in"',
      'verdict="parked",reason="BAD_FRAME"',
      'tripline_records_waiting{stage="joiner"',
    ])
      expect(text).toContain(part);
  });
});

test('a kill is obeyed: new revision, ack, and an assigner elsewhere switches', async () => {
  const revision = aRevision();
  const decision = killDecision(revision, path.statistics.decisions(), 'sre', 'INC-7', systemClock.now());
  const decidedAt = systemClock.now();
  await path.producer.send([
    {
      topic: topicName(prefix, 'control.v1'),
      partition: 0,
      key: 'exp-test',
      value: path.codec.encode('decision', toDecisionRecord(decision)),
    },
  ]);
  const last = await until('the assigner', () => switched.find(({ status }) => status === 'rolled_back'));
  expect(emitter.assign('exp-test', { userId: 'ada' })).toMatchObject({ reason: 'DISABLED', variant: 'A' });
  await until('the ack', () => path.bot?.acks().find(({ seq }) => seq === decision.seq));
  console.log(`kill to the assigner in the app: ${last.at - decidedAt} ms`);
  const [ack] = await until("the ack's row", async () => {
    const rows = await path.store.rows<{ result: string; new_coverage: number }>(
      'SELECT result, new_coverage FROM acks',
    );
    return rows.length > 0 && rows;
  });
  expect(ack).toEqual({ result: 'applied', new_coverage: 0 });
});

test('no planted secret is in a topic past raw, table, span, log line or readable part of what is parked', async () => {
  const hay: string[] = [JSON.stringify(receiver.spans), ...logged];
  for (const { suffix, mayHoldPii } of topics) {
    if (mayHoldPii && suffix !== 'parked.v1') continue;
    for (const { value, key, headers } of await path.log.readToEnd(topicName(prefix, suffix)))
      hay.push(
        suffix === 'parked.v1'
          ? JSON.stringify(headers)
          : `${value?.toString('latin1')} ${key?.toString('latin1')} ${JSON.stringify(headers)}`,
      );
  }
  for (const { name } of await path.store.rows<{ name: string }>('SHOW TABLES'))
    hay.push(await path.store.text(`SELECT * FROM ${name}`, 'JSONEachRow'));
  const all = hay.join('\n');
  expect(all.length).toBeGreaterThan(5_000);
  for (const secret of [...secrets, 'T-1"']) expect(all).not.toContain(secret);
  expect(readFileSync(new URL('../../schemas/topics.json', import.meta.url), 'utf8')).toContain('"mayHoldPii": true');
});
