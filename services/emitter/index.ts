/**
 * `tripline/emitter`: describe calls of models and what came of them. `tripline` reads TRIPLINE_* settings when it is first used; `createEmitter`
 * takes everything as arguments; `createTestTripline` keeps events in memory.
 */
import { appendFileSync } from 'node:fs';
import { type AssignmentTable, createAssignmentTable } from '../assignment/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { createAvroCodec } from '../runtime/avro-codec.ts';
import { createKafka } from '../runtime/kafka-log.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { createKafkaSink, followExperiments } from './broker.kafka.ts';
import { type EmitterSettings, emitterSettings, forcedArms } from './config.ts';
import { createEmitter, type Emitter, type EventSink, type ExperimentSource } from './emitter.ts';

export type { InferenceInput, OutcomeInput } from './describe-event.ts';
export { createEmitter, type Emitter, type EmitterOptions, type EmitterStats, type EventSink, type ExperimentSource } from './emitter.ts';
export { createKafkaSink, followExperiments } from './broker.kafka.ts';
export { emitterSettings } from './config.ts';

const noExperiments = (table: AssignmentTable = createAssignmentTable([])): ExperimentSource => ({ table: () => table, stale: () => false, close: async () => {} });

/** Events as readable lines, for local work without a broker. The frame is not decoded again: a line is the value that was recorded. */
function lineSink(write: (line: string) => void): { sink: EventSink; encode: (record: string, value: never) => Buffer } {
  return {
    encode: (_record, value) => Buffer.from(JSON.stringify(value)),
    sink: {
      send: async (batch) => {
        for (const { record, frame } of batch) write(`{"record":"${record}","event":${frame.toString('utf8')}}\n`);
      },
      close: async () => {},
    },
  };
}

export function createEmitterFromSettings(settings: EmitterSettings, forced: Readonly<Record<string, string>>): Emitter {
  const common = {
    service: settings.TRIPLINE_SERVICE, environment: settings.TRIPLINE_ENVIRONMENT, clock: systemClock, forced,
    maxQueued: settings.TRIPLINE_EMITTER_MAX_QUEUED, maxBytes: settings.TRIPLINE_EMITTER_MAX_BYTES, lingerMs: settings.TRIPLINE_EMITTER_LINGER_MS,
  };
  if (settings.TRIPLINE_SINK !== 'kafka') {
    const file = settings.TRIPLINE_SINK === 'stdout' ? undefined : settings.TRIPLINE_SINK.slice('file:'.length);
    return createEmitter({ ...common, ...lineSink((line) => (file === undefined ? process.stdout.write(line) : appendFileSync(file, line, { mode: 0o600 }))), experiments: noExperiments() });
  }
  const log = createKafka({ brokers: settings.KAFKA_BROKERS, clientId: `${settings.TRIPLINE_SERVICE}-emitter` });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: settings.SCHEMA_REGISTRY_URL }), clock: systemClock });
  const broker = { prefix: settings.TRIPLINE_TOPIC_PREFIX, log, codec, clock: systemClock, ttlMs: settings.TRIPLINE_EXPERIMENT_TTL_MS };
  return createEmitter({ ...common, encode: codec.encodeUnregistered, sink: createKafkaSink(broker), experiments: followExperiments(broker) });
}

/** Keeps what was recorded, in order; `experiments` makes assignment real. */
export function createTestTripline(options: { readonly experiments?: readonly ExperimentRevision[]; readonly forced?: Readonly<Record<string, string>> } = {}): Emitter & { events(): readonly { readonly record: string; readonly event: unknown }[] } {
  const events: { record: string; event: unknown }[] = [];
  const emitter = createEmitter({
    service: 'test', environment: 'test', clock: systemClock, maxQueued: 100_000, maxBytes: 1 << 30, lingerMs: 0, ...(options.forced && { forced: options.forced }),
    encode: (record, value) => {
      events.push({ record, event: value });
      return Buffer.alloc(5);
    },
    sink: { send: async () => {}, close: async () => {} },
    experiments: noExperiments(createAssignmentTable(options.experiments ?? [])),
  });
  return { ...emitter, events: () => events };
}

let instance: Emitter | undefined;
const ready = (): Emitter => {
  if (instance === undefined) {
    const settings = emitterSettings.safeParse(process.env);
    // A wrong setting must not take the app down: the emitter then records nothing that leaves, and `stats` shows what is queued.
    instance = settings.success
      ? createEmitterFromSettings(settings.data, forcedArms(process.env))
      : createEmitter({ service: 'app', environment: 'unknown', clock: systemClock, maxQueued: 1_000, maxBytes: 1 << 20, lingerMs: 1_000, encode: () => Buffer.alloc(0), sink: { send: () => Promise.reject(new Error(settings.error.message)), close: async () => {} }, experiments: noExperiments() });
    process.once('beforeExit', () => void instance?.flush({ timeoutMs: 2_000 }));
  }
  return instance;
};

/** The app's emitter, configured by its environment; see config.ts for every setting. */
export const tripline: Emitter = {
  assign: (experimentId, subject) => ready().assign(experimentId, subject),
  record: (input) => ready().record(input),
  outcome: (kind, input) => ready().outcome(kind, input),
  flush: (options) => ready().flush(options),
  close: (options) => ready().close(options),
  stats: () => ready().stats(),
};
