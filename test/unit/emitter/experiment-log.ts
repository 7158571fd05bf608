import {
  type ControlRecord,
  toApplyRecord,
  toDecisionRecord,
  toExperimentRecord,
} from '../../../services/control/index.ts';
import type { ExperimentRevision } from '../../../services/kernel/experiment.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, LogRecord } from '../../../services/runtime/log.ts';
import { schemas } from '../../../schemas/generated.ts';
import { monday } from '../../support/build.ts';

const kinds = ['experiment', 'decision', 'apply'] as const;

/** A log with the experiment and the control topic in memory, whose answers to `ping` are given by hand. */
export async function aLog() {
  const clock = { now: () => time };
  let time = 1_000_000;
  const codec = createAvroCodec({
    registry: {
      register: async (subject) => 1 + kinds.findIndex((record) => subject.endsWith(schemas[record].fullName)),
      schemaById: async (id) => schemas[kinds[id - 1] ?? 'experiment'].avsc,
      subjects: async () => [],
      ping: async () => {},
    },
    clock,
  });
  await codec.register(kinds.map((record) => ({ record, topic: 't' })));
  let push: (record: LogRecord) => void = () => {};
  let control: (record: LogRecord) => void = () => {};
  let offset = 0;
  const never = () => Promise.reject(new Error('not part of this test'));
  const log: LogClient = {
    createTopics: never,
    describeTopics: never,
    alterTopic: never,
    partitions: never,
    topics: never,
    firstOffsets: never,
    hasMembers: never,
    endOffsets: never,
    committedOffsets: never,
    producer: never,
    consume: never,
    readToEnd: never,
    close: async () => {},
    ping: () => new Promise(() => {}),
    follow: async (topic, onRecord) => {
      if (topic.endsWith('experiment.v1')) push = onRecord;
      else control = onRecord;
      return {
        caughtUp: Promise.resolve(),
        failed: new Promise<never>(() => {}),
        trouble: () => undefined,
        close: async () => {},
      };
    },
  };
  return {
    log,
    codec,
    clock,
    pass: (ms: number) => (time += ms),
    raw: (value: Buffer) =>
      push({ topic: 't', partition: 0, offset: offset++, timestamp: 0, key: null, value, headers: {} }),
    say: (revision: ExperimentRevision, checkpoint?: { readonly upTo: number; readonly taken: readonly string[] }) =>
      push({
        topic: 't',
        partition: 0,
        offset: offset++,
        timestamp: 0,
        key: null,
        value: codec.encode('experiment', toExperimentRecord(revision, checkpoint)),
        headers: {},
      }),
    /** A record of the control topic. */
    order: (number: number, record: ControlRecord) =>
      control({
        topic: 'c',
        partition: 0,
        offset: number,
        timestamp: monday,
        key: Buffer.from('exp-test'),
        value:
          record.kind === 'apply'
            ? codec.encode('apply', toApplyRecord(record.application))
            : codec.encode('decision', toDecisionRecord(record.decision)),
        headers: {},
      }),
  };
}
export const heard = () => {
  let tell: (revision: number) => void = () => {};
  return {
    onRevision: ({ revision }: ExperimentRevision) => tell(revision),
    next: () => new Promise<number>((resolve) => (tell = resolve)),
  };
};
