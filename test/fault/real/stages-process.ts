/**
 * Stages in a process of their own, to be killed, frozen and stopped. Settings come as JSON in TRIPLINE_FAULT, the
 * failpoint in TRIPLINE_FAIL.
 */
import { defaultSettings } from '../../../services/pipeline/config.ts';
import { connect } from '../../../services/pipeline/connect.ts';
import { registerSchemas } from '../../../services/pipeline/prepare.ts';
import { startStage } from '../../../services/pipeline/stages.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { onSignals } from '../../../services/runtime/lifecycle.ts';
import { systemClock } from '../../../services/runtime/system-clock.ts';
import { createFailpoints, failingLog, failingProducer, failingStore } from './failpoints.ts';
import { slowStore, watchedLog } from './slowness.ts';

export type StageName = 'redactor' | 'linker' | 'joiner';
export type StagesSettings = {
  readonly brokers: string;
  readonly clickhouseUrl: string;
  readonly registryUrl: string;
  readonly prefix: string;
  readonly database: string;
  readonly flushMs: number;
  readonly sessionTimeoutMs: number;
  readonly stages: readonly StageName[];
  readonly cacheLimits: { readonly units: number; readonly events: number };
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
const { prefix, flushMs, slow, cacheLimits } = settings;
const plain = await connect({
  ...settings,
  clock: systemClock,
  clientId: `${prefix}-${process.pid}`,
  logLine: (level, message, fields) =>
    process.stderr.write(`${new Date().toISOString()} ${level} ${message} ${JSON.stringify(fields)}\n`),
});
const watched = watchedLog(failingLog(plain.log, at), slow?.maxQueuedBytes);
const reached = failingStore(plain.store, at);
await registerSchemas(plain.codec, prefix);
const flushRecords = slow?.flushRecords ?? defaultSettings.JOINER_FLUSH_RECORDS;
const context = {
  prefix,
  log: { ...watched.log, producer: async () => failingProducer(await plain.log.producer(), at) },
  store: slow ? slowStore(reached, slow.storeMs) : reached,
  codec: plain.codec,
  clock: systemClock,
  eventClock: systemClock,
  shared: true,
  settings: {
    ...defaultSettings,
    REDACTOR_LINGER_MS: 5,
    LINKER_FLUSH_MS: flushMs,
    LINKER_FLUSH_RECORDS: flushRecords,
    JOINER_FLUSH_MS: flushMs,
    JOINER_FLUSH_RECORDS: flushRecords,
    JOINER_IDLE_TICK_MS: 0,
    JOINER_CACHE_UNITS: cacheLimits.units,
    JOINER_CACHE_EVENTS: cacheLimits.events,
  },
  redaction: {
    pseudonymKey: Buffer.alloc(32, 2),
    policy: { ...defaultPolicy, tokens: { kid: 'k', key: Buffer.alloc(32, 1) } },
  },
};
const running = await Promise.all(settings.stages.map((stage) => startStage(stage, context)));
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
process.stdout.write('drained\n');
process.exit(0);
