/**
 * One event's way, on a real broker and store. Ada asks about ticket T-1; her app calls the model. The call goes
 * through emitter, Kafka, redactor, linker, joiner and sink into ClickHouse; statistics looks at it; a person stops the
 * experiment; the bot and an assigner obey. One trace from emit to insert; odd records are parked; what was secret is
 * nowhere. The story comes first, what it is told with below it. Long because it is one deployment's story.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { publishControl } from '../../services/control/control-messages.kafka.ts';
import { personsDecision, whateverRuns } from '../../services/control/index.ts';
import { createEmitter, createKafkaSink, type Emitter, followExperiments } from '../../services/emitter/index.ts';
import type { EpochMs } from '../../services/kernel/time.ts';
import { startPipeline, type Pipeline } from '../../services/pipeline/start.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { createProbeServer } from '../../services/runtime/probe-server.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { createTelemetry, type Telemetry } from '../../services/runtime/telemetry.ts';
import { topicName } from '../../services/runtime/topics.ts';
import { auditAggregates } from '../../services/statistics/audit.clickhouse.ts';
import { type Exposure, topics } from '../../schemas/generated.ts';
import { anApplication } from '../support/build.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { until } from '../support/until.ts';

const prefix = `walk-${process.pid}`;
/** Planted in Ada's call. */
const secrets = {
  email: 'ada.lovelace@example.org',
  key: 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH',
  card: '4111 1111 1111 1111',
  password: 'hunter2!Xy',
};
/** The trace of the request that Ada's app serves. */
const traceId = '0af7651916cd43dd8448eb211c80319c';
const appSpan = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${appSpan}-01`;

let path: Pipeline;
let app: { readonly emitter: Emitter; readonly switched: readonly { status: string; at: EpochMs }[] };
let telemetry: Telemetry;
let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
const logged: string[] = [];

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  telemetry = createTelemetry({ service: 'walk', otlpEndpoint: receiver.endpoint });
  path = await startStages();
  telemetry.observe(() => [path.redactor, path.linker, path.joiner, path.sink]);
  const now = systemClock.now();
  const { producer, codec } = path;
  const number = await publishControl({ prefix, codec, producer }, anApplication(), now);
  await until('the experiment to be applied', () => path.bot?.acks().find((ack) => ack.control_offset === number));
  app = await startApp();
});
afterAll(async () => {
  await app?.emitter.close();
  await path?.close();
  await telemetry?.close();
  receiver?.close();
});

describe("Ada's call", () => {
  let eventId = '';

  test("is emitted, and lands as an analytics record under the app's trace", async () => {
    const { emitter } = app;
    const arm = emitter.assign('exp-test', { userId: 'ada', traceparent });
    expect(arm.reason).toBe('SPLIT');
    solvedBeforeTheCallIsKnown(emitter);
    const call = adasCall(arm);
    eventId = emitter.record(call);
    emitter.record({ ...call, eventId }); // the app's own retry
    expect(await emitter.flush()).toBe(true);

    const row = await rowOf(eventId);
    expect(row).toMatchObject({ trace_id: traceId, cost_nano_usd: '119000', variant: arm.variant });
    expect(row['prompt']).toMatch(/^I am \[EMAIL:k2:[0-9a-f]{16}\], key \[SECRET_KEY:l\d+\]$/);
    expect(row['user_id']).toMatch(/^[0-9a-f]{32}$/);
  });

  test('is counted once, with the outcome that came first and named only its ticket', async () => {
    const evaluation = await until('the look', () => {
      const latest = path.statistics.latest('exp-test');
      const hours = latest?.metrics.find(({ metric }) => metric === 'hours')?.arms ?? [];
      const isThere = latest?.eventsFolded === 1 && hours.some(({ numerator }) => numerator === '2500000');
      return isThere ? latest : undefined;
    });
    const cost = evaluation.metrics.find(({ metric }) => metric === 'cost')?.arms.find(({ units }) => units === 1);
    expect([cost?.numerator, cost?.denominator]).toEqual(['119000', '1']);
    expect((await auditAggregates(path.store)).mismatches).toEqual([]);
  });

  test('is one trace from emit to insert, received over gRPC', async () => {
    const spans = await until('the spans', async () => {
      await telemetry.flush();
      const mine = receiver.spans.filter((span) => span.traceId === traceId);
      return ['redactor', 'sink', 'joiner insert'].every((name) => mine.some((span) => span.name === name)) && mine;
    });
    const redactors = spans.filter(({ name }) => name === 'redactor');
    expect(redactors.find(({ parentSpanId }) => parentSpanId === appSpan)).toBeDefined();
    const ids = new Set(redactors.map(({ spanId }) => spanId));
    for (const later of spans.filter(({ name }) => name !== 'redactor')) expect(ids).toContain(later.parentSpanId);

    const clean = await path.log.readToEnd(topicName(prefix, 'inference.v1'));
    const mine = clean.find(({ key }) => key?.toString() === eventId);
    expect(mine?.headers['traceparent']?.slice(3, 35)).toBe(traceId);
  });
});

describe('a record that can never be used', () => {
  test('is parked with stage, code and place; the good one behind it goes on', async () => {
    const topic = topicName(prefix, 'inference.raw.v1');
    const good = path.codec.encode('exposure', anExposure());
    const bad = unusable(good);
    const values = [...bad.map(([, value]) => value), good];
    await path.producer.send(values.map((value) => ({ topic, partition: 1, value })));

    const rows = await until('the parked rows', async () => {
      const parked = await parkedRows();
      return parked.length >= bad.length && parked;
    });
    expect(rows.map(({ code }) => code)).toEqual(bad.map(([code]) => code));
    expect(new Set(rows.map(({ stage, source_topic: source }) => `${stage} ${source}`))).toEqual(
      new Set([`redactor ${topic}`]),
    );
    const { counts } = path.redactor;
    await until(
      'the good one behind them',
      () => counts.waiting === 0 && [...counts.parked.values()].reduce(add, 0) === bad.length,
    );
    const settled = counts.forwarded + [...counts.dropped.values()].reduce(add, 0) + bad.length;
    expect(counts.in).toBe(settled + counts.waiting);
  });

  test('is counted on /metrics', async () => {
    const text = await metricsText();
    expect(text).toContain('tripline_records_total{stage="redactor",verdict="in"');
    expect(text).toContain('verdict="parked",reason="BAD_FRAME"');
    expect(text).toContain('tripline_records_waiting{stage="joiner"');
  });
});

test('a kill is obeyed: new revision, ack, and an assigner elsewhere switches', async () => {
  const decidedAt = systemClock.now();
  const order = { action: 'rollback', actor: 'sre', reason: 'INC-7' } as const;
  const decision = personsDecision(whateverRuns('exp-test'), order, decidedAt);
  const { codec, producer } = path;
  const number = await publishControl({ prefix, codec, producer }, { kind: 'decision', decision }, decidedAt);

  const last = await until('the assigner', () => app.switched.find(({ status }) => status === 'rolled_back'));
  expect(app.emitter.assign('exp-test', { userId: 'ada' })).toMatchObject({ reason: 'DISABLED', variant: 'A' });
  console.log(`kill to the assigner in the app: ${last.at - decidedAt} ms`);

  await until('the ack', () => path.bot?.acks().find((ack) => ack.control_offset === number));
  const [ack] = await until("the ack's row", async () => {
    const rows = await path.store.rows<{ result: string; new_coverage: number }>(
      'SELECT result, new_coverage FROM acks WHERE seq > 0',
    );
    return rows.length > 0 && rows;
  });
  expect(ack).toEqual({ result: 'applied', new_coverage: 0 });
});

test('what was secret is in no clean topic, table, span or log line, nor readable in a parked record', async () => {
  const everything = [JSON.stringify(receiver.spans), ...logged, ...(await topicTexts()), ...(await tableTexts())];
  const all = everything.join('\n');
  expect(all.length).toBeGreaterThan(5_000);
  for (const secret of [...Object.values(secrets), 'T-1"']) expect(all).not.toContain(secret);
  expect(readFileSync(new URL('../../schemas/topics.json', import.meta.url), 'utf8')).toContain('"mayHoldPii": true');
});

const add = (sum: number, number: number): number => sum + number;

/** Every stage in this process, on the broker and the store that the suite has started. */
function startStages(): Promise<Pipeline> {
  return startPipeline({
    ...inject('addresses'),
    prefix,
    database: `walk_${process.pid}`,
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
}

/** Ada's app: an emitter and an assigner that hear of revisions over Kafka. */
async function startApp(): Promise<typeof app> {
  const { brokers, registryUrl } = inject('addresses');
  const switched: { status: string; at: EpochMs }[] = [];
  const log = createKafka({ brokers, clientId: 'app' });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: registryUrl }), clock: systemClock });
  const broker = {
    prefix,
    log,
    codec,
    clock: systemClock,
    ttlMs: 60_000,
    onRevision: (revision: { status: string }, at: EpochMs) => void switched.push({ status: revision.status, at }),
  };
  const experiments = followExperiments(broker);
  await experiments.ready;
  const emitter = createEmitter({
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
  return { emitter, switched };
}

/** The ticket's outcome is sent first, and names nothing but the ticket. */
function solvedBeforeTheCallIsKnown(emitter: Emitter): void {
  emitter.outcome('ticket_resolved', {
    entity: { type: 'ticket', id: 'T-1' },
    value: 2.5,
    outcomeId: 'early',
    occurredAt: systemClock.now() + 1_000,
  });
}

function adasCall(arm: ReturnType<Emitter['assign']>) {
  return {
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
    prompt: `I am ${secrets.email}, key ${secrets.key}`,
    response: `card ${secrets.card}`,
    attributes: { password: secrets.password },
  };
}

async function rowOf(id: string): Promise<Record<string, string>> {
  const [row] = await until('the row', async () => {
    const rows = await path.store.rows<Record<string, string>>(
      `SELECT event_id, trace_id, user_id, prompt, cost_nano_usd, variants[1] AS variant
      FROM inferences FINAL WHERE event_id = {id:String}`,
      { id },
    );
    return rows.length > 0 && rows;
  });
  return row ?? {};
}

function anExposure(change: Partial<Exposure> = {}): Exposure {
  return {
    event_id: 'x',
    occurred_at: 1,
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
    ...change,
  };
}

/** What no retry can make usable, with the code that each is parked under. `good`: an exposure's frame. */
function unusable(good: Buffer): [code: string, value: Buffer][] {
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
  const unknownSchema = Buffer.from(good);
  unknownSchema.writeUInt32BE(999_999, 1);
  return [
    ['BAD_FRAME', Buffer.from('hello, this is no frame')],
    ['SCHEMA_UNKNOWN', unknownSchema],
    ['SCHEMA_UNKNOWN', wrongType],
    ['UNDECODABLE', good.subarray(0, good.length - 3)],
    ['UNDECODABLE', Buffer.concat([good, Buffer.alloc(4)])],
    ['TOO_LARGE', Buffer.concat([good.subarray(0, 5), Buffer.alloc(2 << 20, 65)])],
    ['INVALID', path.codec.encode('exposure', anExposure({ event_id: 'y', occurred_at: -1 }))],
  ];
}

function parkedRows() {
  return path.store.rows<{ code: string; stage: string; source_topic: string; message: string }>(
    'SELECT code, stage, source_topic, message FROM parked FINAL ORDER BY source_offset',
  );
}

async function metricsText(): Promise<string> {
  const probe = await createProbeServer({
    port: 0,
    ready: async () => true,
    metrics: telemetry.metrics,
    stages: () => [],
  });
  const text = await (await fetch(`${probe.url}/metrics`)).text();
  await probe.close();
  return text;
}

/** Every topic that may hold no personal data, and the headers of what was parked. */
async function topicTexts(): Promise<string[]> {
  const texts: string[] = [];
  for (const { suffix, mayHoldPii } of topics) {
    if (mayHoldPii && suffix !== 'parked.v1') continue;
    for (const { value, key, headers } of await path.log.readToEnd(topicName(prefix, suffix)))
      texts.push(
        suffix === 'parked.v1'
          ? JSON.stringify(headers)
          : `${value?.toString('latin1')} ${key?.toString('latin1')} ${JSON.stringify(headers)}`,
      );
  }
  return texts;
}

async function tableTexts(): Promise<string[]> {
  const texts: string[] = [];
  for (const { name } of await path.store.rows<{ name: string }>('SHOW TABLES'))
    texts.push(await path.store.text(`SELECT * FROM ${name}`, 'JSONEachRow'));
  return texts;
}
