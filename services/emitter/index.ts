/**
 * `tripline/emitter`: describe calls of models and what came of them. `tripline` reads TRIPLINE_* settings when it is
 * first used; `createEmitter` takes everything as arguments; `createTestTripline` keeps events in memory.
 */
import { readFileSync, statSync } from 'node:fs';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { type AssignmentTable, createAssignmentTable } from '../assignment/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { formatRevision, parseRevision } from '../kernel/experiment-json.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import { createAvroCodec } from '../runtime/avro-codec.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import { steadyClock, systemClock } from '../runtime/system-clock.ts';
import { type BrokerDeps, createKafkaOnDemand, createKafkaSink, followExperiments } from './broker.kafka.ts';
import { type EmitterSettings, readEmitterEnv } from './config.ts';
import { createEmitter, type Emitter, type EmitterOptions, type EventSink, type ExperimentSource } from './emitter.ts';
import type { RecordedEvent } from './redact-events.ts';

export type { AliasInput, InferenceInput, OutcomeInput } from './event-input.ts';
export { createEmitter, type Emitter, type EmitterOptions, type EventSink, type ExperimentSource } from './emitter.ts';
export type { EmitterStats } from './stats.ts';
export { type BrokerDeps, createKafkaSink, followExperiments } from './broker.kafka.ts';
export { type EmitterSettings, emitterSettings } from './config.ts';

const fixedExperiments = (revisions: readonly ExperimentRevision[]): ExperimentSource => {
  const table: AssignmentTable = createAssignmentTable(revisions);
  return { table: () => table, stale: () => false, close: async () => {} };
};

/**
 * Events as readable lines, for local work without a broker. The frame is not decoded again: a line is the value that
 * was recorded.
 */
function lineSink(write: (lines: string) => Promise<void>): {
  sink: EventSink;
  encode: (record: string, value: never) => Buffer;
} {
  return {
    encode: (_record, value) => Buffer.from(JSON.stringify(value)),
    sink: {
      send: (batch) =>
        write(batch.map(({ record, frame }) => `{"record":"${record}","event":${frame.toString('utf8')}}\n`).join('')),
      close: async () => {},
    },
  };
}
const writeOut = (lines: string): Promise<void> =>
  new Promise((resolve, reject) => process.stdout.write(lines, (error) => (error ? reject(error) : resolve())));

/**
 * The table that was last known, one revision a line. A file that is not there or broken is none; the table then comes
 * from the topic alone.
 */
export function readExperiments(
  path: string,
): { readonly revisions: readonly ExperimentRevision[]; readonly at: EpochMs } | undefined {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    return { revisions: lines.map(parseRevision), at: Math.round(statSync(path).mtimeMs) };
  } catch {
    return undefined;
  }
}

/** Keeps the file at what was last heard: written next to it, then moved over it, so that a reader never sees half. */
function experimentKeeper(path: string, known: readonly ExperimentRevision[]): (revision: ExperimentRevision) => void {
  const latest = new Map(known.map((revision) => [revision.spec.id, revision]));
  let turn: Promise<void> = Promise.resolve();
  return (revision) => {
    latest.set(revision.spec.id, revision);
    const text = [...latest.values()].map((each) => `${formatRevision(each)}\n`).join('');
    turn = turn
      .then(() => writeFile(`${path}.${process.pid}.new`, text, { mode: 0o600 }))
      .then(() => rename(`${path}.${process.pid}.new`, path))
      .catch(() => {}); // a copy for the next start: without it the table comes from the topic, as it does anyway
  };
}

/** Read in the background, with redaction itself. */
const redactionPolicy = async (settings: EmitterSettings): Promise<RedactionPolicy> =>
  (await import('../runtime/redaction-settings.ts')).readRedactionPolicy(settings);

/**
 * `traceContext` gives the active span's traceparent: the emitter itself knows no tracer. When a redaction policy or
 * key is asked for and cannot be used, nothing leaves and `stats` says why: raw text would leave otherwise.
 */
export function createEmitterFromSettings(
  settings: EmitterSettings,
  forced: Readonly<Record<string, string>>,
  options: Pick<EmitterOptions, 'traceContext'> & Pick<BrokerDeps, 'onRevision'> = {},
): Emitter {
  const common = {
    service: settings.TRIPLINE_SERVICE,
    environment: settings.TRIPLINE_ENVIRONMENT,
    clock: systemClock,
    steady: steadyClock,
    forced,
    ...(settings.TRIPLINE_EMITTER_REDACT === 'on' && { redaction: redactionPolicy(settings) }),
    ...(options.traceContext && { traceContext: options.traceContext }),
    maxQueued: settings.TRIPLINE_EMITTER_MAX_QUEUED,
    maxBytes: settings.TRIPLINE_EMITTER_MAX_BYTES,
    maxEventBytes: settings.TRIPLINE_EMITTER_MAX_EVENT_BYTES,
    lingerMs: settings.TRIPLINE_EMITTER_LINGER_MS,
  };
  const { TRIPLINE_SINK: target, TRIPLINE_EXPERIMENTS: path } = settings;
  const lastKnown = path === undefined ? undefined : readExperiments(path);
  if (target !== 'kafka') {
    const write =
      target === 'stdout'
        ? writeOut
        : (lines: string) => appendFile(target.slice('file:'.length), lines, { mode: 0o600 });
    const problem =
      path !== undefined && lastKnown === undefined
        ? { problem: `TRIPLINE_EXPERIMENTS: ${path} cannot be read as one experiment revision a line` }
        : {};
    return createEmitter({
      ...common,
      ...problem,
      ...lineSink(write),
      experiments: fixedExperiments(lastKnown?.revisions ?? []),
    });
  }
  const log = createKafkaOnDemand({
    brokers: settings.KAFKA_BROKERS,
    clientId: `${settings.TRIPLINE_SERVICE}-emitter`,
    goodbyeMs: 1_000, // an app that closes has waited for its events already
  });
  const asked = new AbortController();
  const codec = createAvroCodec({
    registry: createRegistryClient({ url: settings.SCHEMA_REGISTRY_URL, signal: asked.signal }),
    clock: systemClock,
  });
  const keep = path === undefined ? undefined : experimentKeeper(path, lastKnown?.revisions ?? []);
  const broker: BrokerDeps = {
    prefix: settings.TRIPLINE_TOPIC_PREFIX,
    log,
    codec,
    clock: systemClock,
    steady: steadyClock,
    ttlMs: settings.TRIPLINE_EXPERIMENT_TTL_MS,
    ...(lastKnown && { lastKnown }),
    onRevision: (revision, at) => {
      keep?.(revision);
      options.onRevision?.(revision, at);
    },
  };
  const sink = createKafkaSink(broker);
  return createEmitter({
    ...common,
    encode: codec.encodeUnregistered,
    decode: (record, frame) => ({ record, value: codec.decodeOwn(record, frame) }) as RecordedEvent,
    sink: {
      ...sink,
      close: () => {
        asked.abort();
        return sink.close();
      },
    },
    experiments: followExperiments(broker),
  });
}

/**
 * Keeps what was recorded, in order; `experiments` makes assignment real. A value that would not fit its schema fails
 * here as it would in production.
 */
export function createTestTripline(
  options: {
    readonly experiments?: readonly ExperimentRevision[];
    readonly forced?: Readonly<Record<string, string>>;
    readonly redaction?: RedactionPolicy;
  } = {},
): Emitter & { events(): readonly { readonly record: string; readonly event: unknown }[] } {
  const events: { record: string; event: unknown }[] = [];
  const registry = {
    register: async () => 0,
    schemaById: async () => undefined,
    subjects: async () => [],
    ping: async () => {},
  };
  const { encodeUnregistered } = createAvroCodec({ registry, clock: systemClock });
  const emitter = createEmitter({
    service: 'test',
    environment: 'test',
    clock: systemClock,
    maxQueued: 100_000,
    maxBytes: 1 << 30,
    lingerMs: 0,
    ...(options.forced && { forced: options.forced }),
    ...(options.redaction && { redaction: options.redaction }),
    encode: encodeUnregistered,
    onEncoded: ({ record, value }) => void events.push({ record, event: value }),
    sink: { send: async () => {}, close: async () => {} },
    experiments: fixedExperiments(options.experiments ?? []),
  });
  return { ...emitter, events: () => events };
}

/** Configured by the environment; with something wrong in it, an emitter that sends nothing and says what. */
export function createEmitterFromEnv(env: Readonly<Record<string, string | undefined>> = process.env): Emitter {
  const { settings, problem = '', forced } = readEmitterEnv(env);
  if (settings) return createEmitterFromSettings(settings, forced);
  return createEmitter({
    service: 'app',
    environment: 'unknown',
    clock: systemClock,
    maxQueued: 1_000,
    maxBytes: 1 << 20,
    lingerMs: 1_000,
    problem,
    encode: () => Buffer.alloc(0),
    sink: { send: () => Promise.reject(new Error(problem)), close: async () => {} },
    experiments: fixedExperiments([]),
  });
}

let instance: Emitter | undefined;
const ready = (): Emitter => {
  if (instance === undefined) {
    // A wrong setting must not take the app down: the emitter then records nothing that leaves, and `stats` says why.
    instance = createEmitterFromEnv();
    process.once('beforeExit', () => void instance?.flush({ timeoutMs: 2_000 }));
  }
  return instance;
};

/** The app's emitter, configured by its environment; see config.ts for every setting. */
export const tripline: Emitter = {
  assign: (experimentId, subject) => ready().assign(experimentId, subject),
  record: (input) => ready().record(input),
  outcome: (kind, input) => ready().outcome(kind, input),
  alias: (names) => ready().alias(names),
  flush: (options) => ready().flush(options),
  close: (options) => ready().close(options),
  stats: () => ready().stats(),
};
