/**
 * Failpoints by name, around the ports that stages are given: nothing of them is in what is shipped.
 * `TRIPLINE_FAIL=after:facts` kills the process the first time it gets there, `after:facts*3` the third time.
 */
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../../../services/runtime/log.ts';

export const failpoints = [
  'before:facts',
  'after:facts',
  'before:state',
  'after:state',
  'before:commit',
  'mid:load',
  'mid:redact:produced',
] as const;
export type Failpoint = (typeof failpoints)[number];

export function createFailpoints(spec: string | undefined, die: () => never): (at: Failpoint) => void {
  const [name, times = '1'] = (spec ?? '').split('*');
  let left = Number(times);
  return (at) => {
    if (at !== name) return;
    left -= 1;
    if (left <= 0) die();
  };
}

export const failingStore = (store: Store, at: (point: Failpoint) => void): Store => ({
  ...store,
  insertBinary: async (table, columns, rows) => {
    if (table === 'facts') at('before:facts');
    else at('before:state');
    await store.insertBinary(table, columns, rows);
    if (table === 'facts') at('after:facts');
    else at('after:state');
  },
  rows: async (query, params) => {
    const found = await store.rows<never>(query, params);
    // The joiner's first statement of a load; what follows sees that load half done.
    if (query.includes("kind IN ('checkpoint', 'experiment', 'metric_aggregate', 'test_aggregate', 'pending')"))
      at('mid:load');
    return found;
  },
});

export const failingLog = (log: LogClient, at: (point: Failpoint) => void): LogClient => ({
  ...log,
  consume: async (options) => {
    const consumer = await log.consume(options);
    return {
      ...consumer,
      commit: (topic, partition, next) => {
        at('before:commit');
        return consumer.commit(topic, partition, next);
      },
    };
  },
});

/** Between the redactor's two sends: observations are out, links are not. */
export const failingProducer = (producer: LogProducer, at: (point: Failpoint) => void): LogProducer => ({
  ...producer,
  send: async (records) => {
    const sent = await producer.send(records);
    if (records.some(({ topic }) => topic.endsWith('.unit.v1'))) at('mid:redact:produced');
    return sent;
  },
});
