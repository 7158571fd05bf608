/**
 * A process that can be frozen and killed, for stages that run in one with their judge: every call of theirs to broker
 * and store goes through its gate. While it is frozen calls wait; once it is dead they never return.
 */
import type { LogClient, LogConsumer } from '../../../services/runtime/log.ts';

export type Gate = {
  /** Waits for the gate before the call and after it. */
  through<T>(run: () => Promise<T>): Promise<T>;
  isOpen(): Promise<void>;
  /** What comes back thaws it. */
  freeze(): () => void;
  kill(): void;
};

export function createGate(): Gate {
  let open: Promise<void> = Promise.resolve();
  return {
    through: async (run) => {
      await open;
      const result = await run();
      await open;
      return result;
    },
    isOpen: () => open,
    freeze: () => {
      let thaw: () => void = () => {};
      open = new Promise((resolve) => {
        thaw = resolve;
      });
      return thaw;
    },
    kill: () => {
      open = new Promise(() => {});
    },
  };
}

/**
 * The log as a process behind that gate has it. What began in one generation of its group ends in it: records that were
 * on their way when their partition was taken back reach nobody, and a commit that was frozen on its way is refused.
 */
export function gatedLog(client: LogClient, gate: Gate): LogClient {
  return {
    ...client,
    consume: async (options) => {
      const { handler } = options;
      let rejoined = (): number => 0;
      const consumer: LogConsumer = await client.consume({
        ...options,
        handler: {
          ...handler,
          records: (topic, partition, records) => {
            const fetchedIn = rejoined();
            return gate.through(async () =>
              rejoined() === fetchedIn ? handler.records(topic, partition, records) : undefined,
            );
          },
          load: (topic, partition) => gate.through(() => handler.load(topic, partition)),
        },
      });
      rejoined = () => consumer.stats().rejoins;
      return {
        ...consumer,
        commit: async (topic, partition, next) => {
          const { rejoins } = consumer.stats();
          await gate.isOpen();
          return consumer.stats().rejoins === rejoins && consumer.commit(topic, partition, next);
        },
      };
    },
  };
}
