/** The input of a deployment: arrivals as an app would send them, bad records in between. */
import { createRandom } from '../../../services/demo/story.ts';
import { bucketOf, partitionOf } from '../../../services/kernel/ids.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import type { OutgoingRecord } from '../../../services/runtime/log.ts';
import { retryUntilAborted } from '../../../services/runtime/retry.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { monday } from '../../support/build.ts';
import type { Place } from './place.ts';

export type InputOptions = {
  readonly arrivals: readonly Arrival[];
  /** Bad records over the whole input. */
  readonly bad: number;
  /** Inferences are this much longer. */
  readonly paddingBytes: number;
  readonly seed: number;
};

export type Input = {
  /** As every writer does: a broker in trouble is waited for. What is sent twice carries the same ids. */
  deliver(records: readonly OutgoingRecord[]): Promise<unknown>;
  /** Sends the next share of the input, bad records in between. */
  send(share: number): Promise<void>;
  /** Sends what is not part of this input. */
  sendArrivals(more: readonly Arrival[]): Promise<void>;
  badSent(): number;
  /** When the last arrival came or will come, epoch milliseconds. */
  lastAt(): number;
};

const rawTopics = ['inference.raw.v1', 'outcome.raw.v1'] as const;

function toRecord({ prefix, partitions, connection }: Place, paddingBytes: number, arrival: Arrival): OutgoingRecord {
  const { codec } = connection;
  const isInference = arrival.kind === 'inference';
  const user = (arrival.kind === 'inference' ? arrival.event.units.user_id : arrival.event.entity?.id) ?? '';
  const padding = paddingBytes === 0 ? {} : { model_served: 'm'.repeat(paddingBytes) };
  return {
    topic: topicName(prefix, isInference ? 'inference.raw.v1' : 'outcome.raw.v1'),
    partition: partitionOf(bucketOf(isInference ? 'user' : 'entity:ticket', user), partitions),
    key: user,
    value:
      arrival.kind === 'inference'
        ? codec.encode('inference-event', { ...arrival.event, ...padding })
        : codec.encode('outcome-event', arrival.event),
    timestamp: arrival.arrivedAt,
    headers: { 'content-type': 'application/avro' },
  };
}

/** What can never work: no frame, an id that nobody registered, a body cut short, a body of noise, far too long. */
function brokenValue(good: Buffer, index: number): Buffer {
  const unknown = Buffer.from(good);
  unknown.writeUInt32BE(999_999, 1);
  const kinds = [
    Buffer.from('not a frame'),
    unknown,
    good.subarray(0, good.length - 3),
    Buffer.concat([good.subarray(0, 5), Buffer.alloc(40, 0xff)]),
    Buffer.alloc((1 << 20) + 1, 1),
    Buffer.alloc(0),
  ];
  return kinds[index % kinds.length] as Buffer;
}

export function createInput(place: Place, { arrivals, bad, paddingBytes, seed }: InputOptions): Input {
  const random = createRandom(seed ^ 0xfa17);
  let sent = 0;
  let badSent = 0;
  let lastAt = arrivals.at(-1)?.arrivedAt ?? monday;
  const records = (some: readonly Arrival[]): OutgoingRecord[] =>
    some.map((arrival) => toRecord(place, paddingBytes, arrival));
  const deliver: Input['deliver'] = (some) =>
    retryUntilAborted(() => place.producer.send(some), { abandoned: () => false });
  const broken = (index: number): OutgoingRecord => {
    const good = toRecord(place, paddingBytes, arrivals[index % arrivals.length] as Arrival).value;
    return {
      topic: topicName(place.prefix, rawTopics[index % 2] ?? rawTopics[0]),
      partition: index % place.partitions,
      value: brokenValue(good as Buffer, index),
      timestamp: monday,
    };
  };
  return {
    deliver,
    send: async (share) => {
      const to = Math.min(arrivals.length, Math.ceil(arrivals.length * share));
      while (sent < to) {
        const chunk = arrivals.slice(sent, Math.min(to, sent + 5 + Math.floor(random() * 20)));
        const isBadDue = badSent < (bad * (sent + chunk.length)) / arrivals.length;
        const extra = isBadDue ? [broken(badSent)] : [];
        await deliver([...records(chunk), ...extra]);
        sent += chunk.length;
        badSent += extra.length;
      }
    },
    sendArrivals: async (more) => {
      await deliver(records(more));
      lastAt = Math.max(lastAt, more.at(-1)?.arrivedAt ?? 0);
    },
    badSent: () => badSent,
    lastAt: () => lastAt,
  };
}
