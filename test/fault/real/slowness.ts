/** A store that takes its time, and a log that is watched for what that does to its queues. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import type { LogClient, LogConsumer } from '../../../services/runtime/log.ts';

export const slowStore = (store: Store, ms: number): Store => ({
  ...store,
  insertBinary: async (...insert) => {
    await pause(ms);
    await store.insertBinary(...insert);
  },
  rows: async (query, params) => {
    await pause(ms);
    return store.rows<never>(query, params);
  },
});

const sampleMs = 20;

export function watchedLog(
  log: LogClient,
  maxQueuedBytes: number | undefined,
): { readonly log: LogClient; queue(): { mostQueuedBytes: number; pauses: number; joins: number } } {
  const consumers: LogConsumer[] = [];
  let mostQueuedBytes = 0;
  const sum = (of: (stats: ReturnType<LogConsumer['stats']>) => number): number =>
    consumers.reduce((all, consumer) => all + of(consumer.stats()), 0);
  const sampling = setInterval(() => {
    mostQueuedBytes = Math.max(
      mostQueuedBytes,
      sum(({ queuedBytes }) => queuedBytes),
    );
  }, sampleMs);
  sampling.unref();
  return {
    log: {
      ...log,
      consume: async (options) => {
        const consumer = await log.consume({ ...options, ...(maxQueuedBytes !== undefined && { maxQueuedBytes }) });
        consumers.push(consumer);
        return consumer;
      },
    },
    queue: () => ({ mostQueuedBytes, pauses: sum(({ pauses }) => pauses), joins: sum(({ rejoins }) => rejoins) }),
  };
}
