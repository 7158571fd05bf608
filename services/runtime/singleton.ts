/**
 * Work that one process of several does: the member of a group to which the broker gives the one partition of a topic.
 * The others stand by, and one of them takes over when the member leaves or its session ends. States: joining ->
 * standing by <-> leading. A member that is cut off from the broker may lead for as long as its session lasts next to
 * the next one: what a leader writes must bear being written twice.
 */
import type { LogClient } from './log.ts';

export type Singleton = {
  /** `topic/partition` of what is led; empty: it stands by; undefined: not in the group just now. */
  owned(): ReadonlySet<string> | undefined;
  leads(): boolean;
  /** Changes with every change of the group: somebody else may have led in between. */
  term(): number;
  readonly failed: Promise<never>;
  close(): Promise<void>;
};

export async function joinSingleton(options: { log: LogClient; group: string; topic: string }): Promise<Singleton> {
  const { topic } = options;
  const consumer = await options.log.consume({
    group: options.group,
    topics: [topic],
    handler: {
      load: async () => undefined,
      // The records are nothing to it; the commit keeps the group's lag at 0.
      records: async (_topic, partition, records) => {
        await consumer.commit(topic, partition, (records.at(-1)?.offset ?? -1) + 1);
      },
      revoked: () => {},
    },
  });
  return {
    owned: () => consumer.assigned(),
    leads: () => (consumer.assigned()?.size ?? 0) > 0,
    term: () => consumer.stats().rejoins,
    failed: consumer.failed,
    close: () => consumer.close(),
  };
}
