import { type ExperimentControl, toExperimentRecord } from '../control/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { formatRevision } from '../kernel/experiment-json.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';

/**
 * Writes a revision where it takes effect: into every partition of the unit log, then, as the fold's checkpoint, to the
 * experiment topic. In this order, so that whoever begins a phase with the checkpoint is counted. Repeating it changes
 * nothing, out of order neither: the unit log ignores a revision already adopted, readers a checkpoint that is behind.
 */
export async function publishRevision(
  { prefix, log, producer, codec }: { prefix: string; log: LogClient; producer: LogProducer; codec: AvroCodec },
  revision: ExperimentRevision,
  checkpoint?: Pick<ExperimentControl, 'upTo' | 'taken'>,
): Promise<void> {
  const { appliedAt: timestamp } = revision;
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
  await producer.send([
    {
      topic: topicName(prefix, 'experiment.v1'),
      partition: 0,
      key: revision.spec.id,
      value: codec.encode('experiment', toExperimentRecord(revision, checkpoint)),
      timestamp,
    },
  ]);
}
