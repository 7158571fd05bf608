/**
 * What the app pays: `assign` and `record` with 300-byte texts, against a broker that never answers, past a full queue.
 * No broker needed. `npx tsx test/bench/emitter.bench.ts` prints the rows.
 */
import { pathToFileURL } from 'node:url';
import { assign, createAssignmentTable } from '../../services/assignment/index.ts';
import { createEmitter } from '../../services/emitter/index.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { aRevision } from '../support/build.ts';

export type Row = {
  readonly stage: string;
  readonly eventsPerSecond?: number;
  readonly usPerEvent?: number;
  readonly p99Us?: number;
  readonly rssMb?: number;
};

const text = 'The invoice of March was paid twice, and the second payment has not come back yet. '
  .repeat(4)
  .slice(0, 300);
const registry = {
  register: async () => 0,
  schemaById: async () => undefined,
  subjects: async () => [],
  ping: async () => {},
};

/** One row for `calls` calls, after as many again that only warm up. */
function measure(stage: string, calls: number, call: (index: number) => void): Row {
  for (let index = 0; index < calls; index += 1) call(index);
  const tookNs = new Float64Array(calls);
  const rssBefore = process.memoryUsage().rss;
  const began = performance.now();
  for (let index = 0; index < calls; index += 1) {
    const start = process.hrtime.bigint();
    call(calls + index);
    tookNs[index] = Number(process.hrtime.bigint() - start);
  }
  const tookMs = performance.now() - began;
  tookNs.sort();
  return {
    stage,
    eventsPerSecond: Math.round((calls / tookMs) * 1_000),
    usPerEvent: (tookMs * 1_000) / calls,
    p99Us: (tookNs[Math.floor(calls * 0.99)] ?? 0) / 1_000,
    rssMb: (process.memoryUsage().rss - rssBefore) / 1e6,
  };
}

export async function benchEmitter(): Promise<Row[]> {
  const table = createAssignmentTable([aRevision()]);
  const { encodeUnregistered } = createAvroCodec({ registry, clock: systemClock });
  const emitter = createEmitter({
    service: 'bench',
    environment: 'bench',
    clock: systemClock,
    encode: encodeUnregistered,
    sink: { send: () => new Promise(() => {}), close: async () => {} },
    experiments: { table: () => table, stale: () => false, close: async () => {} },
    maxQueued: 10_000,
    maxBytes: 16 << 20,
    lingerMs: 20,
  });
  const arm = emitter.assign('exp-test', { userId: 'user-1' });
  const rows = [
    measure('assignment: assign', 50_000, (index) => void assign(table, 'exp-test', { userId: `user-${index}` })),
    measure(
      'emitter: assign, a new unit each time',
      50_000,
      (index) => void emitter.assign('exp-test', { userId: `user-${index}` }),
    ),
    measure('emitter: assign, a unit seen before', 50_000, () => void emitter.assign('exp-test', { userId: 'user-1' })),
    measure(
      'emitter: record, broker down, queue full',
      20_000,
      (index) =>
        void emitter.record({
          arms: [arm],
          userId: 'user-1',
          entity: { type: 'ticket', id: `T-${index}` },
          modelServed: 'm',
          promptVersion: 'v1',
          tokenIn: 412,
          tokenOut: 96,
          costNanoUsd: 119_000,
          latencyMs: 1_240,
          status: 'success',
          prompt: text,
          response: text,
        }),
    ),
  ];
  const { failedCalls, queued } = emitter.stats();
  if (failedCalls > 0 || queued !== 10_000)
    throw new Error(`the emitter failed ${failedCalls} calls and holds ${queued} events`);
  await emitter.close({ timeoutMs: 1 });
  return rows;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.table(await benchEmitter());
