/**
 * The sink as a running stage: clean topics in, rows in ClickHouse out. A record delivered twice has the same key.
 */
import type { Clock } from '../kernel/time.ts';
import { drop, forward, type Verdict } from '../kernel/verdict.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer, LogRecord } from '../runtime/log.ts';
import { parkedBytes } from '../runtime/park.ts';
import type { ParkedLimitOptions } from '../runtime/parked-limit.ts';
import { type Delivery, runStage } from '../runtime/run-stage.ts';
import type { RunningStage, StageTracer } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { createInserter } from './insert-rows.clickhouse.ts';
import {
  ackRow,
  applyRow,
  decisionRow,
  inferenceRow,
  outcomeRow,
  parkedRow,
  readingRows,
  type SinkRow,
} from './observation-rows.ts';

export type SinkDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly parkedLimit?: ParkedLimitOptions;
  readonly store: Store;
  readonly lingerMs: number;
  readonly tracer?: StageTracer;
};

/** The half of the sink that writes what was parked. */
const parkedStage = 'sink parked';

/** What this table refused once stays on its topic: parked again it would come again. */
function parkedVerdict(source: LogRecord): Verdict<readonly SinkRow[]> {
  const stage = source.headers['x-stage'];
  if (!stage) return drop('no-headers');
  return stage === parkedStage ? drop('refused') : forward([parkedRow(source.headers, parkedBytes(source), source)]);
}

export async function startSink({
  prefix,
  log,
  producer,
  codec,
  clock,
  store,
  lingerMs,
  tracer,
  parkedLimit,
}: SinkDeps): Promise<RunningStage> {
  const parkedTopic = topicName(prefix, 'parked.v1');
  const common = {
    parkedTopic,
    lingerMs,
    log,
    producer,
    codec,
    clock,
    deliver: createInserter<Delivery<readonly SinkRow[]>>(store),
    ...(tracer && { tracer }),
    ...(parkedLimit && { parkedLimit }),
  };
  const [observations, parked] = await Promise.all([
    runStage({
      ...common,
      name: 'sink',
      group: `${prefix}-sink`,
      topics: [
        topicName(prefix, 'inference.v1'),
        topicName(prefix, 'outcome.v1'),
        topicName(prefix, 'reading.v1'),
        topicName(prefix, 'control.v1'),
        topicName(prefix, 'ack.v1'),
      ],
      records: ['redacted-inference', 'redacted-outcome', 'reading', 'decision', 'apply', 'ack'],
      step: (decoded, source) => {
        switch (decoded.record) {
          case 'redacted-inference':
            return forward([inferenceRow(decoded.value, source)]);
          case 'redacted-outcome':
            return forward([outcomeRow(decoded.value, source)]);
          case 'reading':
            return forward(readingRows(decoded.value, source));
          case 'decision':
            return forward([decisionRow(decoded.value, source)]);
          case 'apply':
            return forward([applyRow(decoded.value, source)]);
          case 'ack':
            return forward([ackRow(decoded.value, source)]);
          default:
            return decoded satisfies never;
        }
      },
    }),
    // Parked records are whatever bytes they were: nothing is decoded, their headers say what happened.
    runStage<never, readonly SinkRow[]>({
      ...common,
      name: parkedStage,
      group: `${prefix}-sink-parked`,
      topics: [parkedTopic],
      records: [],
      raw: parkedVerdict,
      step: () => drop('unreachable'),
    }),
  ]);
  return {
    ...observations,
    position: (topic, partition) => (topic === parkedTopic ? parked : observations).position(topic, partition),
    owned: () => {
      const [mine, others] = [observations.owned(), parked.owned()];
      return mine && others && new Set([...mine, ...others]);
    },
    waitingFor: () => observations.waitingFor() ?? parked.waitingFor(),
    failed: Promise.race([observations.failed, parked.failed]),
    close: async () => {
      await Promise.all([observations.close(), parked.close()]);
    },
  };
}
