/**
 * Rows of looks (sql/queries/look.sql) to the looks of the experiments in them. A look fetches what changed since the
 * last one; what has been read is kept parsed, so that its cost follows the changes. Pure: the query is the caller's.
 */
import { assembleLook, type PartitionEvidence } from '../kernel/assemble-look.ts';
import type { Look, MetricAggregate, TestAggregate } from '../kernel/evidence.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import {
  type ExperimentState,
  type LookRow,
  readExperimentBody,
  readMetricAggregate,
  readTestAggregate,
} from '../kernel/state/read.ts';
import type { EpochMs } from '../kernel/time.ts';

export type { LookRow } from '../kernel/state/read.ts';

/** A value with the position that its row was true of. */
type Placed<T> = { readonly position: number; readonly value: T };
/** One phase of one experiment in one partition. */
type PartitionPhase = {
  state?: Placed<ExperimentState>;
  readonly metricAggregates: Map<string, Placed<MetricAggregate>>;
  readonly testAggregates: Map<string, Placed<TestAggregate>>;
};
/** By partition id. */
type Phase = Map<number, PartitionPhase>;

export type LookReader = {
  /** Takes rows in; of several rows of a key the highest position counts, in whatever order they come. */
  apply(rows: readonly LookRow[]): void;
  /**
   * The newest phase of every experiment. Partitions that have not adopted it stand at revision 0 and keep it
   * unsettled.
   */
  looks(isLeftOut?: (experiment: ExperimentRevision) => boolean): Map<string, Look>;
};

const isNewer = <T>(held: Placed<T> | undefined, position: number): boolean =>
  held === undefined || held.position < position;

function keep<K, T>(into: Map<K, Placed<T>>, key: K, position: number, make: () => T): void {
  if (isNewer(into.get(key), position)) into.set(key, { position, value: make() });
}

const valuesOf = <T>(placed: ReadonlyMap<string, Placed<T>> | undefined): T[] =>
  [...(placed?.values() ?? [])].map(({ value }) => value);

const hasBegun = (phase: Phase | undefined): boolean =>
  [...(phase?.values() ?? [])].some(({ state }) => state !== undefined);

/** The revision that the partition which is furthest has adopted. */
function newestRevision(phase: Phase): ExperimentRevision | undefined {
  let newest: ExperimentRevision | undefined;
  for (const { state } of phase.values()) {
    const revision = state?.value.revision;
    if (revision && revision.revision > (newest?.revision ?? -1)) newest = revision;
  }
  return newest;
}

/** Phases of the experiments that rows tell of. Once a phase has begun, earlier ones are history. */
function createPhases() {
  const experiments = new Map<string, Map<number, Phase>>();
  return {
    experiments,
    /** Where a row belongs; undefined for one of an earlier phase. */
    placeOf: ({ experiment, phase, partitionId }: LookRow): PartitionPhase | undefined => {
      const phases = experiments.get(experiment) ?? new Map<number, Phase>();
      experiments.set(experiment, phases);
      if ([...phases].some(([other, held]) => other > phase && hasBegun(held))) return undefined;
      const partitions: Phase = phases.get(phase) ?? new Map();
      phases.set(phase, partitions);
      const held = partitions.get(partitionId) ?? { metricAggregates: new Map(), testAggregates: new Map() };
      partitions.set(partitionId, held);
      return held;
    },
    forgetBefore: ({ experiment, phase }: LookRow): void => {
      const phases = experiments.get(experiment);
      for (const older of phases?.keys() ?? []) if (older < phase) phases?.delete(older);
    },
  };
}

/** `partitions` of the unit log; `firstPartitionId`: the id of partition 0 in the open generation. */
export function createLookReader(partitions: number, firstPartitionId = 0): LookReader {
  const checkpoints = new Map<number, Placed<EpochMs>>();
  const { experiments, placeOf, forgetBefore } = createPhases();
  const take = (row: LookRow): void => {
    const position = Number(row.position);
    if (row.kind === 'checkpoint') return keep(checkpoints, row.partitionId, position, () => Number(row.eventClock));
    const into = placeOf(row);
    if (into === undefined) return;
    if (row.kind === 'metric_aggregate') keep(into.metricAggregates, row.key, position, () => readMetricAggregate(row));
    else if (row.kind === 'test_aggregate') keep(into.testAggregates, row.key, position, () => readTestAggregate(row));
    else if (row.kind === 'experiment') {
      if (isNewer(into.state, position)) into.state = { position, value: readExperimentBody(row.body) };
      forgetBefore(row);
    }
  };
  const evidenceOf = (phase: Phase, partitionId: number): PartitionEvidence => {
    const checkpoint = checkpoints.get(partitionId);
    const { state, metricAggregates, testAggregates } = phase.get(partitionId) ?? {};
    const changes = state?.value.configurationChanges.map(([, change]) => change) ?? [];
    return {
      partitionId,
      position: checkpoint?.position ?? 0,
      clock: checkpoint?.value ?? 0,
      ...(state && { experiment: { ...state.value, configurationChanges: changes } }),
      metricAggregates: valuesOf(metricAggregates),
      testAggregates: valuesOf(testAggregates),
    };
  };
  const lookOf = (phase: Phase, isLeftOut: (experiment: ExperimentRevision) => boolean): Look | undefined => {
    const experiment = newestRevision(phase);
    if (experiment === undefined || isLeftOut(experiment)) return undefined;
    const evidence = Array.from({ length: partitions }, (_, index) => evidenceOf(phase, firstPartitionId + index));
    return assembleLook(experiment, evidence);
  };
  return {
    apply: (rows) => rows.forEach(take),
    looks: (isLeftOut = () => false) =>
      new Map(
        [...experiments].flatMap(([id, phases]) => {
          const newest = phases.get(Math.max(...phases.keys()));
          const look = newest && lookOf(newest, isLeftOut);
          return look ? [[id, look] as const] : [];
        }),
      ),
  };
}
