/**
 * Rows of looks (sql/queries/look.sql) to the looks of the experiments in them. A look fetches what changed since the
 * last one; what is known is kept parsed, so that its cost follows the changes. Pure: the query is the caller's.
 */
import type {
  TestAggregate,
  ConfigurationChange,
  Look,
  PartitionPosition,
  MetricAggregate,
  SegmentStart,
} from '../kernel/evidence.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { parseRevision } from '../kernel/experiment-json.ts';
import type { EpochMs } from '../kernel/time.ts';

/** 64- and 128-bit integers come as text. */
export type LookRow = {
  readonly partitionId: number;
  readonly kind: string;
  readonly experiment: string;
  readonly phase: number;
  readonly key: string;
  readonly position: string;
  readonly arm: string;
  readonly metric: string;
  readonly candidate: string;
  readonly slot: number;
  readonly clock: string;
  readonly n: string;
  readonly x: readonly string[];
  readonly xx: readonly string[];
  readonly body: string;
};

type ExperimentBody = {
  readonly revision: string;
  readonly segments: readonly SegmentStart[];
  readonly configurationChanges: readonly (readonly [string, ConfigurationChange])[];
  readonly assigned: readonly number[];
  readonly events: number;
  readonly crossovers: number;
  readonly lateOutcomes: number;
  readonly lastSeenAt?: readonly EpochMs[];
};

type Versioned<T> = { readonly position: number; readonly value: T };
type Phase = {
  readonly bodies: Map<number, Versioned<{ readonly revision: ExperimentRevision; readonly body: ExperimentBody }>>;
  readonly metricAggregates: Map<string, Versioned<MetricAggregate>>;
  readonly entries: Map<string, Versioned<TestAggregate>>;
};

export type LookReader = {
  /** Takes rows in; of several versions of a key the highest counts, in whatever order they come. */
  apply(rows: readonly LookRow[]): void;
  /**
   * The newest phase of every experiment. Partitions that have not folded it stand at revision 0 and keep it unsettled.
   */
  looks(): Map<string, Look>;
};

function keep<K, T>(into: Map<K, Versioned<T>>, key: K, position: number, make: () => T): void {
  const known = into.get(key);
  if (known === undefined || known.position < position) into.set(key, { position, value: make() });
}

const toMetricAggregate = (row: LookRow): MetricAggregate => {
  const [numerator = 0n, denominator = 0n, numerator2 = 0n, denominator2 = 0n, product = 0n] = row.xx.map(BigInt);
  return {
    partitionId: row.partitionId,
    arm: row.arm,
    metric: row.metric,
    units: Number(row.n),
    firstEvents: Number(row.x[0] ?? 0),
    numerator,
    denominator,
    numerator2,
    denominator2,
    product,
  };
};

const toTestAggregate = (row: LookRow): TestAggregate => {
  const [s = 0, sv = 0, svv = 0, ...bets] = row.x.map(Number);
  return {
    partitionId: row.partitionId,
    candidate: row.candidate,
    arm: row.arm,
    metric: row.metric,
    segment: row.slot,
    sums: { n: Number(row.n), s, sv, svv, harm: bets.slice(0, 7), win: bets.slice(7, 14) },
  };
};

const byArm = (revision: ExperimentRevision, values: readonly number[]): Record<string, number> =>
  Object.fromEntries(revision.spec.arms.map((arm, index) => [arm.id, values[index] ?? 0]));

/** `partitions` of the unit log, folded or not; `firstPart`: the part of partition 0 in the open generation. */
export function createLookReader(partitions: number, firstPartitionId = 0): LookReader {
  const checkpoints = new Map<number, Versioned<EpochMs>>();
  const experiments = new Map<string, Map<number, Phase>>();
  const phaseOf = ({ experiment, phase }: LookRow): Phase | undefined => {
    const phases = experiments.get(experiment) ?? new Map<number, Phase>();
    experiments.set(experiment, phases);
    // A later phase has begun: what an earlier one still writes is history.
    if ([...phases.keys()].some((known) => known > phase && (phases.get(known)?.bodies.size ?? 0) > 0))
      return undefined;
    const known = phases.get(phase) ?? { bodies: new Map(), metricAggregates: new Map(), entries: new Map() };
    phases.set(phase, known);
    return known;
  };
  const take = (row: LookRow): void => {
    const position = Number(row.position);
    if (row.kind === 'checkpoint') return keep(checkpoints, row.partitionId, position, () => Number(row.clock));
    const phase = phaseOf(row);
    if (phase === undefined) return;
    if (row.kind === 'experiment') {
      keep(phase.bodies, row.partitionId, position, () => {
        const body = JSON.parse(row.body) as ExperimentBody;
        return { body, revision: parseRevision(body.revision) };
      });
      for (const older of experiments.get(row.experiment)?.keys() ?? [])
        if (older < row.phase) experiments.get(row.experiment)?.delete(older);
    } else if (row.kind === 'report')
      keep(phase.metricAggregates, `${row.partitionId}/${row.key}`, position, () => toMetricAggregate(row));
    else if (row.kind === 'entry')
      keep(phase.entries, `${row.partitionId}/${row.key}`, position, () => toTestAggregate(row));
  };
  const lookOf = ({ bodies, metricAggregates, entries }: Phase): Look => {
    const known = [...bodies.values()].map(({ value }) => value);
    const experiment = known.reduce(
      (best, next) => (next.revision.revision > best.revision ? next.revision : best),
      known[0]?.revision as ExperimentRevision,
    );
    const marks = Array.from({ length: partitions }, (_, partition): PartitionPosition => {
      const partitionId = firstPartitionId + partition;
      const { revision, body } = bodies.get(partitionId)?.value ?? {};
      const checkpoint = checkpoints.get(partitionId);
      return {
        partitionId,
        position: checkpoint?.position ?? 0,
        clock: checkpoint?.value ?? 0,
        revision: revision?.revision ?? 0,
        events: body?.events ?? 0,
        crossovers: body?.crossovers ?? 0,
        assigned: revision && body ? byArm(revision, body.assigned) : {},
        ...(revision && body?.lastSeenAt && { lastSeenAt: byArm(revision, body.lastSeenAt) }),
      };
    });
    return {
      experiment,
      partitions: marks,
      metricAggregates: [...metricAggregates.values()].map(({ value }) => value),
      entries: [...entries.values()].map(({ value }) => value),
      segments: [...bodies].flatMap(([partitionId, { value }]) =>
        value.body.segments.map((segment) => ({ ...segment, partitionId })),
      ),
      configurationChanges: known.flatMap(({ body }) => body.configurationChanges.map(([, mark]) => mark)),
    };
  };
  return {
    apply: (rows) => rows.forEach(take),
    looks: () =>
      new Map(
        [...experiments].flatMap(([id, phases]) => {
          const newest = phases.get(Math.max(...phases.keys()));
          return newest && newest.bodies.size > 0 ? [[id, lookOf(newest)] as const] : [];
        }),
      ),
  };
}
