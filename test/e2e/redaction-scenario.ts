/** A pipeline on real parts and an app that says labelled texts to it, in every place that a text can be in. */
import { join } from 'node:path';
import type { RedactedOutcome } from '../../schemas/generated.ts';
import { assign, type AssignmentTable, createAssignmentTable } from '../../services/assignment/index.ts';
import { publishRevision } from '../../services/bot/index.ts';
import { createEmitter, createKafkaSink, type Emitter } from '../../services/emitter/index.ts';
import type { Addresses } from '../../services/pipeline/connect.ts';
import { type Pipeline, startPipeline } from '../../services/pipeline/start.ts';
import { parseTokenKeys } from '../../services/redaction/config.ts';
import { defaultPolicy, type TokenKeys } from '../../services/redaction/index.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { createLogger } from '../../services/runtime/logger.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { createTelemetry, type Telemetry } from '../../services/runtime/telemetry.ts';
import { topicName } from '../../services/runtime/topics.ts';
import { aRevision } from '../support/build.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { until } from '../support/until.ts';
import { type Gold, isSure, type Labelled } from './redaction-labels.ts';

export type RedactionScenario = {
  readonly prefix: string;
  readonly pipeline: Pipeline;
  readonly emitter: Emitter;
  readonly table: AssignmentTable;
  readonly logger: ReturnType<typeof createLogger>;
  readonly logFile: string;
  readonly telemetry: Telemetry;
  readonly receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
  /** What the engine and the emitter said when they were given what they could not take. */
  readonly errors: string[];
  close(): Promise<void>;
};

export type ScenarioOptions = {
  readonly addresses: Addresses;
  readonly home: string;
  readonly prefix: string;
  readonly database: string;
  readonly pseudonymKey: Buffer;
  /** Token keys, as the setting has them. */
  readonly keys: string;
};

/** An app of its own: another client, another codec. */
function createApp({ brokers, registryUrl }: Addresses, prefix: string): Emitter {
  const log = createKafka({ brokers, clientId: 'redaction-app' });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: registryUrl }), clock: systemClock });
  return createEmitter({
    service: 'desk',
    environment: 'test',
    clock: systemClock,
    encode: codec.encodeUnregistered,
    sink: createKafkaSink({ prefix, log, codec, clock: systemClock, ttlMs: 60_000 }),
    experiments: { table: () => createAssignmentTable([]), stale: () => false, close: async () => {} },
    maxQueued: 20_000,
    maxBytes: 64 << 20,
    lingerMs: 20,
  });
}

export async function startScenario(options: ScenarioOptions): Promise<RedactionScenario> {
  const { addresses, home, prefix, database, pseudonymKey, keys } = options;
  const receiver = await startOtlpReceiver();
  const telemetry = createTelemetry({ service: 'redaction', otlpEndpoint: receiver.endpoint });
  const logFile = join(home, 'stages.log');
  const logger = createLogger({ name: 'redaction', file: logFile, level: 'debug' });
  const pipeline = await startPipeline({
    ...addresses,
    prefix,
    database,
    partitions: 2,
    eventTime: false,
    pseudonymKey,
    redaction: { ...defaultPolicy, tokens: parseTokenKeys(keys) as TokenKeys },
    clock: systemClock,
    eventClock: systemClock,
    flushMs: 100,
    lookMs: 200,
    idleTickMs: 1_000,
    bot: false,
    logLine: (level, message, fields) => logger[level](fields, message),
    ...(telemetry.tracer && { tracer: telemetry.tracer }),
  });
  telemetry.observe(() => [pipeline.redactor]);
  const emitter = createApp(addresses, prefix);
  const revision = aRevision({ phaseStartedAt: systemClock.now(), appliedAt: systemClock.now() });
  const { log, producer, codec } = pipeline;
  await publishRevision({ prefix, log, producer, codec }, revision);
  const table = createAssignmentTable([revision]);
  return {
    prefix,
    pipeline,
    emitter,
    table,
    logger,
    logFile,
    telemetry,
    receiver,
    errors: [],
    close: async () => {
      await emitter.close();
      await pipeline.close();
      await telemetry.close();
      receiver.close();
    },
  };
}

/** One text as prompt or response, and now and then as attribute, error, message, comment, log line and span. */
export function say({ emitter, table, logger, telemetry }: RedactionScenario, text: string, index: number): void {
  const user = `customer-${index % 97}`;
  const traceparent = `00-${String(index).padStart(32, 'a')}-00f067aa0ba902b7-${index % 20 === 0 ? '01' : '00'}`;
  const short = text.length < 200;
  emitter.record({
    arms: [assign(table, 'exp-test', { userId: user })],
    modelServed: 'm',
    status: 'success',
    traceparent,
    ...(index % 2 === 0 ? { prompt: text } : { response: text }),
    ...(index % 5 === 0 && { attributes: { note: text } }),
    ...(index % 7 === 0 && short && { errorType: `failed on: ${text}` }),
    ...(index % 11 === 0 && { prompt: JSON.stringify({ messages: [{ role: 'user', content: text }] }) }),
  });
  if (index % 6 === 0) emitter.outcome('thumbs', { unit: user, value: 1, attributes: { comment: text } });
  logger.info({ note: text, nested: { of: [text] } }, index % 2 === 0 ? `line ${index}` : `said: ${text}`);
  if (index % 40 === 0) {
    logger.error(new Error(`broke on ${text}`));
    telemetry.tracer?.span('probe', { attributes: { said: text } }).end();
  }
}

/** What cannot be read is parked with its bytes; what is said about it must be clean all the same. */
export async function sendUnreadable({ pipeline, prefix }: RedactionScenario, gold: readonly Gold[]): Promise<void> {
  await pipeline.producer.send(
    gold.slice(0, 50).map(({ value }) => ({
      topic: topicName(prefix, 'inference.raw.v1'),
      partition: 0,
      value: Buffer.from(`no frame: ${value}`),
      headers: { traceparent: `00-${value}` },
    })),
  );
}

/**
 * Values where a number or a name belongs. The last one is innocent: the engine remembers the text of its last error,
 * and what it was told past the redactor is not under test.
 */
export async function provokeErrors(
  { pipeline, emitter, errors }: RedactionScenario,
  gold: readonly Gold[],
): Promise<void> {
  const sure = gold.filter(isSure).slice(0, 40);
  for (const value of [...sure.map((one) => one.value), 'nothing']) {
    await pipeline.store
      .insertRows('inferences', [{ event_id: 'x', token_in: `so ${value}` }])
      .catch((error: Error) => errors.push(error.message));
    emitter.outcome(`kind ${value}`, { value: 1 });
    errors.push(emitter.stats().lastProblem ?? '');
  }
}

const countRows = `SELECT
  (SELECT count() FROM inferences FINAL) AS i,
  (SELECT count() FROM outcomes FINAL) AS o,
  (SELECT count() FROM parked FINAL) AS p`;

/** Every row of those records is in the store. */
export async function everyRow({ pipeline }: RedactionScenario, records: readonly Labelled[]): Promise<void> {
  const outcomes = Math.ceil(records.length / 6);
  let counts = '';
  const isThere = async (): Promise<boolean> => {
    const [row] = await pipeline.store.rows<{ i: string; o: string; p: string }>(countRows);
    counts = JSON.stringify(row);
    return Number(row?.i) === records.length && Number(row?.o) === outcomes && Number(row?.p) >= 50;
  };
  await until(`every row, ${records.length} and ${outcomes}`, isThere, 60_000).catch((error: unknown) =>
    Promise.reject(new Error(`${String(error)}: ${counts}`)),
  );
}

/** A clean row that is not: a person in base64, past the redactor. */
export const planted: RedactedOutcome = {
  outcome_id: 'planted',
  revision: 1,
  occurred_at: 1,
  trace_id: null,
  kind: 'k',
  value: 1,
  entity: null,
  inference_id: null,
  units: null,
  source: 's',
  attributes: { note: `so ${Buffer.from('to: Planted Person.').toString('base64')}` },
  received_at: 1,
  redactor_version: 'x',
  policy_version: 'x',
  redactions: {},
  redaction_tiers: {},
};
