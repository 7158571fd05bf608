/**
 * Stages in a process of their own, to be killed, frozen and stopped. Settings come as JSON in TRIPLINE_FAULT, the
 * failpoint in TRIPLINE_FAIL.
 */
import { startJoiner } from '../../../services/joiner/index.ts';
import { startLinker } from '../../../services/linker/index.ts';
import type { LinkerLimits } from '../../../services/linker/link.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer, startRedactor } from '../../../services/redactor/index.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createStore } from '../../../services/runtime/clickhouse-client.ts';
import { createKafka } from '../../../services/runtime/kafka-log.ts';
import { onSignals } from '../../../services/runtime/lifecycle.ts';
import { createRegistryClient } from '../../../services/runtime/registry-client.ts';
import { systemClock } from '../../../services/runtime/system-clock.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { topics } from '../../../schemas/generated.ts';
import { createFailpoints, failingLog, failingProducer, failingStore } from './failpoints.ts';
import { slowStore, watchedLog } from './slowness.ts';

export type StagesSettings = {
  readonly brokers: string;
  readonly clickhouseUrl: string;
  readonly registryUrl: string;
  readonly prefix: string;
  readonly database: string;
  readonly flushMs: number;
  readonly sessionTimeoutMs: number;
  readonly stages: readonly ('redactor' | 'linker' | 'joiner')[];
  readonly cacheLimits: { readonly units: number; readonly events: number };
  readonly limits?: LinkerLimits;
  /** Every request to the store takes this much longer, ms; queue of a partition, bytes; records of a flush. */
  readonly slow?: { readonly storeMs: number; readonly maxQueuedBytes: number; readonly flushRecords: number };
};

const settings = JSON.parse(process.env['TRIPLINE_FAULT'] ?? '{}') as StagesSettings;
const at = createFailpoints(process.env['TRIPLINE_FAIL'], () => {
  process.stdout.write(`failpoint ${process.env['TRIPLINE_FAIL']}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way: nothing may happen before it arrives.
  for (;;);
});
const { prefix, flushMs, slow } = settings;
const flushRecords = slow?.flushRecords ?? 10_000;
const plain = createKafka({
  brokers: settings.brokers,
  clientId: `${prefix}-${process.pid}`,
  sessionTimeoutMs: settings.sessionTimeoutMs,
  log: (level, message, fields) =>
    process.stderr.write(`${new Date().toISOString()} ${level} ${message} ${JSON.stringify(fields)}\n`),
});
const watched = watchedLog(failingLog(plain, at), slow?.maxQueuedBytes);
const { log } = watched;
const reached = failingStore(await createStore({ url: settings.clickhouseUrl, database: settings.database }), at);
const store = slow ? slowStore(reached, slow.storeMs) : reached;
const codec = createAvroCodec({ registry: createRegistryClient({ url: settings.registryUrl }), clock: systemClock });
await codec.register(
  topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: topicName(prefix, suffix) }))),
);
const producer = failingProducer(await plain.producer(), at);
const common = { prefix, log, codec, clock: systemClock, store, producer };
const context = {
  policy: { ...defaultPolicy, tokens: { kid: 'k', key: Buffer.alloc(32, 1) } },
  pseudonym: createPseudonymizer(Buffer.alloc(32, 2)),
};
const running = await Promise.all(
  settings.stages.map((stage) => {
    if (stage === 'redactor') return startRedactor({ ...common, lingerMs: 5, context });
    if (stage === 'linker')
      return startLinker({ ...common, flushMs, flushRecords, ...(settings.limits && { limits: settings.limits }) });
    return startJoiner({ ...common, flushMs, flushRecords, idleTickMs: 0, cacheLimits: settings.cacheLimits });
  }),
);
process.stdout.write('ready\n');
const report = setInterval(() => {
  process.stdout.write(`queue ${JSON.stringify(watched.queue())}\n`);
  for (const stage of running)
    if ('fastForwards' in stage && typeof stage.fastForwards === 'function')
      process.stdout.write(`fast-forwards ${Number(stage.fastForwards())}\n`);
}, 500);
const broken = Promise.race(running.map(({ failed }) => failed));
broken.catch((error: unknown) =>
  process.stdout.write(`failed ${error instanceof Error ? error.message : String(error)}\n`),
);
await Promise.race([onSignals(), broken.catch(() => {})]);
clearInterval(report);
await Promise.all(running.map((stage) => stage.close()));
await plain.close();
await store.close();
process.stdout.write('drained\n');
process.exit(0);
