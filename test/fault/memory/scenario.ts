/** What a trial of running stages happens to: a log and a store in memory, and by chance the answers that get lost. */
import { topics, type UnitRecord } from '../../../schemas/generated.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { type AvroCodec, createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, OutgoingRecord } from '../../../services/runtime/log.ts';
import { createMemoryBroker, type MemoryBroker } from '../../../services/runtime/memory-log.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';
import { createMemoryState, type MemoryState, type StateRowRead } from '../../support/memory-state.ts';

export const prefix = 'trial';
export const topicOf = (suffix: string): string => `${prefix}.${suffix}`;

export type StagesFaults = { rebalances: number; refused: number; repliesLost: number; kills: number; frozen: number };

export type Scenario = {
  readonly random: () => number;
  readonly partitions: number;
  readonly broker: MemoryBroker;
  readonly codec: AvroCodec;
  /** A client that no fault befalls but those of sends. */
  readonly outside: LogClient;
  /** The joiner's rows and facts; the linker's rows by key. */
  readonly memory: MemoryState;
  readonly links: Map<string, StateRowRead>;
  readonly faults: StagesFaults;
  /** Nothing goes wrong any more. */
  calm: boolean;
};

export async function createScenario(seed: number): Promise<Scenario> {
  const partitions = 2;
  const broker = createMemoryBroker();
  const codec = createAvroCodec({ clock: { now: () => 0 }, registry: createMemoryRegistry() });
  await codec.register(
    topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: topicOf(suffix) }))),
  );
  const outside = broker.client();
  await outside.createTopics(
    topics.map(({ suffix, partitions: count }) => ({
      topic: topicOf(suffix),
      partitions: count === 'P' ? partitions : count,
      config: {},
    })),
  );
  return {
    random: createRandom(seed ^ 0x57a6e),
    partitions,
    broker,
    codec,
    outside,
    memory: createMemoryState(),
    links: new Map(),
    faults: { rebalances: 0, refused: 0, repliesLost: 0, kills: 0, frozen: 0 },
    calm: false,
  };
}

/** What befalls the next call to broker or store: one in twenty is refused, one in twenty gets no answer. */
export function drawFault({ random, faults, calm }: Scenario): 'none' | 'refused' | 'reply-lost' {
  if (calm) return 'none';
  const drawn = random();
  if (drawn < 0.05) {
    faults.refused += 1;
    return 'refused';
  }
  if (drawn < 0.1) {
    faults.repliesLost += 1;
    return 'reply-lost';
  }
  return 'none';
}

/** A write to the store that may be refused, or done and not answered. */
export function callStore(scenario: Scenario, write: () => void): void {
  const fault = drawFault(scenario);
  if (fault !== 'refused') write();
  if (fault !== 'none') throw new PipelineError('STORE_UNAVAILABLE', 'injected', { retriable: true });
}

/** A record at the end of every partition of the unit log. */
export const unitRecordToAll = (
  { codec, partitions }: Scenario,
  body: UnitRecord['body'],
  receivedAt: number,
): readonly OutgoingRecord[] =>
  Array.from({ length: partitions }, (_, partition) => ({
    topic: topicOf('unit.v1'),
    partition,
    value: codec.encode('unit-record', {
      records: [{ trace_id: null, span_id: null, received_at: receivedAt, body }],
    }),
    timestamp: receivedAt,
  }));
