/**
 * The pipeline without a broker or an engine: the same steps and folds, wired by arrays. What real parts add
 * (delivery, restarts, storage) the integration suites test; this is for laws, goldens and speed of thought.
 */
import { decide } from '../../services/control/index.ts';
import { createPartitionState, foldRecord, lookAt, type PartitionState } from '../../services/joiner/index.ts';
import { takeFlushRows } from '../../services/joiner/flush-rows.ts';
import type { Decision } from '../../services/kernel/decision.ts';
import type { Evaluation } from '../../services/kernel/evaluation.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import { partitionOf } from '../../services/kernel/ids.ts';
import { createLinkerState, linkRecord } from '../../services/linker/link.ts';
import { defaultPolicy } from '../../services/redaction/index.ts';
import { createPseudonymizer } from '../../services/redactor/pseudonym.ts';
import {
  type RedactedEvent,
  redactExposure,
  redactInference,
  redactOutcome,
} from '../../services/redactor/redact-event.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';
import { evaluate } from '../../services/statistics/index.ts';
import type { Verdict } from '../../services/kernel/verdict.ts';
import type { Exposure, InferenceEvent, OutcomeEvent, UnitRecord } from '../../schemas/generated.ts';
import { adopted } from './unit-records.ts';

const context = { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 7)) };

export type MemoryPath = {
  apply(revision: ExperimentRevision): void;
  send(arrival: Arrival): void;
  /** A user sees an arm of exp-test; no call follows from it. */
  expose(user: string, variant: string, at: number): void;
  /** What an app's emitter has recorded, as `createTestTripline` keeps it. */
  receive(
    recorded: { readonly record: string; readonly event: unknown },
    receivedAt: number,
    skewMs?: number,
  ): Verdict<RedactedEvent>;
  tick(at: number): void;
  /** `flushEvery` messages the state is taken as a flush would take it. */
  look(experimentId: string): Evaluation;
  decide(experimentId: string): Decision | undefined;
  readonly partitions: readonly PartitionState[];
  /** What was folded, by partition. */
  readonly logs: readonly UnitRecord[][];
};

const anExposure = (user: string, variant: string, at: number): Exposure => ({
  event_id: `exposure-${user}-${at}`,
  occurred_at: at,
  trace_id: '',
  service: 'test',
  environment: 'test',
  unit_type: 'user',
  unit_id: user,
  entity: null,
  experiment_id: 'exp-test',
  phase: 1,
  variant,
  reason: 'SPLIT',
  config_sha: '',
  sdk: { name: 'test', version: '0' },
});

/** What a record of one of the logs is when it is read again; without a log it is what was written. */
export type Carry = <Record>(name: 'unit' | 'entity', record: Record) => Record;

export function createMemoryPath(partitionCount: number, carry: Carry = (_, record) => record): MemoryPath {
  const partitions = Array.from({ length: partitionCount }, (_, partitionId) => createPartitionState(partitionId));
  const offsets = partitions.map(() => 0);
  const linkers = Array.from({ length: partitionCount }, (_, partitionId) => createLinkerState(partitionId));
  const linkOffsets = linkers.map(() => 0);
  const past: Decision[] = [];
  const logs: UnitRecord[][] = partitions.map(() => []);
  const fold = (partitionId: number, record: UnitRecord): void => {
    const partition = partitions[partitionId];
    if (partition === undefined) return;
    foldRecord(partition, record, (offsets[partitionId] ?? 0) * 4096);
    offsets[partitionId] = (offsets[partitionId] ?? 0) + 1;
    logs[partitionId]?.push(record);
  };
  const route = (verdict: Verdict<RedactedEvent>): void => {
    if (verdict.kind !== 'forward') return;
    for (const { bucket, record } of verdict.value.unit)
      fold(partitionOf(bucket, partitionCount), carry('unit', { ...record, bucket }));
    for (const { bucket, record: written } of verdict.value.entity) {
      const record = carry('entity', written);
      const partitionId = partitionOf(bucket, partitionCount);
      const linker = linkers[partitionId];
      if (linker === undefined) continue;
      linkRecord(linker, record, (linkOffsets[partitionId] ?? 0) * 4096);
      linkOffsets[partitionId] = (linkOffsets[partitionId] ?? 0) + 1;
      for (const forward of linker.outgoing.splice(0))
        fold(partitionOf(forward.bucket, partitionCount), carry('unit', { ...forward.record, bucket: forward.bucket }));
    }
  };
  const plain = { trace_id: null, span_id: null };
  const path: MemoryPath = {
    partitions,
    logs,
    apply: (revision) => {
      for (let partitionId = 0; partitionId < partitionCount; partitionId += 1) fold(partitionId, adopted(revision));
    },
    tick: (at) => {
      for (let partitionId = 0; partitionId < partitionCount; partitionId += 1)
        fold(partitionId, { ...plain, received_at: at, body: { 'tripline.v1.Tick': { nothing: null } } });
    },
    send: (arrival) =>
      route(
        arrival.kind === 'inference'
          ? redactInference(arrival.event, arrival.arrivedAt, context)
          : redactOutcome(arrival.event, arrival.arrivedAt, context),
      ),
    receive: ({ record, event }, receivedAt, skewMs) => {
      const verdict =
        record === 'exposure'
          ? redactExposure(event as Exposure, receivedAt, context)
          : record === 'outcome-event'
            ? redactOutcome(event as OutcomeEvent, receivedAt, context)
            : redactInference(event as InferenceEvent, receivedAt, context, skewMs);
      route(verdict);
      return verdict;
    },
    expose: (user, variant, at) => route(redactExposure(anExposure(user, variant, at), at, context)),
    look: (experimentId) => {
      for (const partition of partitions) takeFlushRows(partition, (offsets[partition.partitionId] ?? 0) * 4096);
      const look = lookAt(partitions, experimentId, (partitionId) => (offsets[partitionId] ?? 0) * 4096);
      if (look === undefined) throw new Error(`${experimentId} was never applied`);
      return evaluate(look);
    },
    decide: (experimentId) => {
      const { decision } = decide(path.look(experimentId), past);
      if (decision) past.push(decision);
      return decision;
    },
  };
  return path;
}
