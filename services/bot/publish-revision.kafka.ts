import { toExperimentRecord } from '../control/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { formatRevision } from '../kernel/experiment-json.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';
import type { Actuator } from './actuator.ts';

/**
 * Writes a revision where it is read: to the experiment topic, which assigners follow, then into every partition of the
 * unit log, where it takes effect in the numbers. Repeating it changes nothing: a revision already adopted is ignored.
 */
export async function publishRevision(
  { prefix, log, producer, codec }: { prefix: string; log: LogClient; producer: LogProducer; codec: AvroCodec },
  revision: ExperimentRevision,
): Promise<void> {
  const { appliedAt: timestamp } = revision;
  await producer.send([
    {
      topic: topicName(prefix, 'experiment.v1'),
      partition: 0,
      key: revision.spec.id,
      value: codec.encode('experiment', toExperimentRecord(revision)),
      timestamp,
    },
  ]);
  const { topic, partitions } = await newestUnitTopic(log, prefix);
  const adopted = { experiment_id: revision.spec.id, revision: revision.revision, document: formatRevision(revision) };
  const value = codec.encode('unit-record', {
    records: [
      {
        received_at: revision.appliedAt,
        trace_id: null,
        span_id: null,
        body: { 'tripline.v1.ExperimentAdopted': adopted },
      },
    ],
  });
  await producer.send(Array.from({ length: partitions }, (_, partition) => ({ topic, partition, value, timestamp })));
}

/** The experiment topic as an actuator: every emitter follows it, so what is published is in force. */
export const experimentTopicActuator = (deps: Parameters<typeof publishRevision>[0]): Actuator => ({
  name: 'experiment-topic',
  apply: async (revision) => {
    await publishRevision(deps, revision);
    return { kind: 'in-force' };
  },
});
