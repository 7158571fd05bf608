/** A bot's memory from the log: the whole experiment and ack topics, from their beginning and then as they come. */
import { setTimeout as wait } from 'node:timers/promises';
import { fromCheckpoint, mergeCheckpoint } from '../control/index.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient } from '../runtime/log.ts';
import { retryUntilAborted, type Waiting } from '../runtime/retry.ts';
import { isClosed, type StageLifecycle } from '../runtime/stage-lifecycle.ts';
import { topicName } from '../runtime/topics.ts';
import { type BotMemory, rememberAck, rememberRevision } from './obey.ts';

export type FollowedMemory = {
  /** Resolves when everything that the topics hold now is known, or the bot is closed. */
  upToDate(): Promise<void>;
  /** Why it cannot read just now. */
  trouble(): Waiting | undefined;
  close(): Promise<void>;
};

type Deps = { readonly prefix: string; readonly log: LogClient; readonly codec: AvroCodec };

export async function followMemory(
  { prefix, log, codec }: Deps,
  memory: BotMemory,
  lifecycle: StageLifecycle,
): Promise<FollowedMemory> {
  const retry = { abandoned: () => isClosed(lifecycle), onWaiting: lifecycle.onWaiting };
  /** Next offset of each topic whose predecessors have been taken. */
  const heard = new Map<string, number>();
  /** Records are taken one after another, whatever has to be fetched in between. */
  let turn: Promise<unknown> = Promise.resolve();
  const follow = (topic: string, take: (frame: Buffer) => void) =>
    log.follow(topic, ({ value, offset }) => {
      const takeOne = async (): Promise<void> => {
        if (value !== null) {
          await codec.prepare([value]);
          take(value);
        }
        heard.set(topic, Math.max(heard.get(topic) ?? 0, offset + 1));
      };
      turn = turn.then(() => retryUntilAborted(takeOne, retry)).catch(lifecycle.fail);
    });

  const topics = [topicName(prefix, 'experiment.v1'), topicName(prefix, 'ack.v1')] as const;
  const experiments = await follow(topics[0], (frame) => {
    const decoded = codec.decode(['experiment'], frame);
    if (!decoded.ok) return;
    const checkpoint = fromCheckpoint(decoded.value);
    rememberRevision(memory, checkpoint.revision);
    if (checkpoint.upTo === 0) memory.beginning = mergeCheckpoint(memory.beginning, checkpoint);
  });
  const acks = await follow(topics[1], (frame) => {
    const decoded = codec.decode(['ack'], frame);
    const number = decoded.ok ? (decoded.value.control_offset ?? null) : null;
    if (decoded.ok && number !== null) rememberAck(memory, number, decoded.value.actuator);
  });
  // A bot that hears nothing any more must not look as if it did.
  for (const { failed } of [experiments, acks]) failed.catch(lifecycle.fail);
  await Promise.all([experiments.caughtUp, acks.caughtUp]);
  await turn;

  const catchUp = async (): Promise<void> => {
    for (const topic of topics) {
      const [end = 0] = await log.endOffsets(topic);
      while ((heard.get(topic) ?? 0) < end && !isClosed(lifecycle)) await wait(10);
    }
  };
  return {
    trouble: () => experiments.trouble() ?? acks.trouble(),
    upToDate: async () => {
      await retryUntilAborted(catchUp, retry);
    },
    close: async () => {
      await Promise.all([experiments.close(), acks.close()]);
      await turn;
    },
  };
}
