/** `slices`: where a candidate is worse. For people: no decision is made from it. */
import type { Decision } from '../kernel/decision.ts';
import { candidatesOf, controlOf, type ExperimentRevision, type MetricSpec } from '../kernel/experiment.ts';
import { type Generation, holdsPartition, partitionIdsOf } from '../kernel/generations.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { findReversals, findSlices } from '../statistics/index.ts';
import { readSlices, type SliceRead } from '../statistics/slices.clickhouse.ts';
import { rangesOf } from './fact-ranges.ts';
import { type Connection, withConnection } from './read.ts';
import { readRevisions } from './read-revisions.ts';
import { type SliceReport, sliceLines } from './slice-lines.ts';
import { print, printJson } from './terminal.ts';

export async function slices(
  home: string,
  experiment: string,
  { metric, json }: { readonly metric: string | undefined; readonly json: boolean },
): Promise<number> {
  return withConnection(home, async (connection) => {
    const revision = (await readRevisions(connection)).findLast(({ spec }) => spec.id === experiment);
    if (revision === undefined)
      throw new PipelineError('DECISION_UNKNOWN', `no experiment ${experiment}`, {
        hint: '`npx tripline apply FILE` makes one',
      });
    const report = await lookAtSlices(connection, revision, metricsOf(revision, metric));
    if (json) printJson(report);
    else for (const line of sliceLines(report)) print(line);
    return 0;
  });
}

function metricsOf({ spec }: ExperimentRevision, id: string | undefined): readonly MetricSpec[] {
  const metrics = spec.metrics.filter((metric) => id === undefined || metric.id === id);
  if (metrics.length === 0 && id !== undefined)
    throw new PipelineError('CONFIG_INVALID', `experiment ${spec.id} has no metric ${id}`, {
      hint: `it has ${spec.metrics.map((metric) => metric.id).join(', ')}`,
    });
  return metrics;
}

/** The slices that a decision's calls were in, up to its version vector, or why they cannot be looked at. */
export type DecisionSlices =
  | { readonly ok: true; readonly report: SliceReport }
  | { readonly ok: false; readonly reason: string };

/** Never throws for what the store or the topic cannot tell: what the decision rests on is shown in any case. */
export async function slicesOfDecision(connection: Connection, decision: Decision): Promise<DecisionSlices> {
  const { experimentId, phase, candidate, versionVector } = decision;
  try {
    const revision = (await readRevisions(connection)).findLast(
      (other) => other.spec.id === experimentId && other.phase === phase,
    );
    if (revision === undefined)
      return { ok: false, reason: `the experiment has gone on from phase ${phase}, its metrics are no longer known` };
    const upTo = new Map(versionVector.map(({ partitionId, position }) => [partitionId, position]));
    return { ok: true, report: await lookAtSlices(connection, revision, revision.spec.metrics, { upTo, candidate }) };
  } catch (error) {
    if (error instanceof PipelineError) return { ok: false, reason: error.message };
    throw error;
  }
}

/** `until`: the version vector of a decision; absent: up to where the joiner is now. */
async function lookAtSlices(
  connection: Connection,
  { spec, phase }: ExperimentRevision,
  metrics: readonly MetricSpec[],
  until?: { readonly upTo: ReadonlyMap<number, number>; readonly candidate: string | undefined },
): Promise<SliceReport> {
  const { store, log, prefix } = connection;
  const generations = await readGenerations(store, log, prefix);
  const open = requireOpen(generations);
  const upTo = until?.upTo ?? (await checkpointsOf(connection, open));
  const generation = generations.find((other) => holdsPartition(other, [...upTo.keys()][0] ?? open.firstPartitionId));
  const read = await readSlices(store, {
    spec,
    phase,
    metrics,
    until: rangesOf(generations, generation ?? open, upTo),
    openIds: partitionIdsOf(open),
  });
  const candidates = candidatesOf(spec).flatMap(({ id }) =>
    until?.candidate === undefined || id === until.candidate ? [id] : [],
  );
  return report({ experiment: spec.id, phase, asOf: until ? 'decision' : 'now' }, spec, metrics, candidates, read);
}

/** Facts past a checkpoint belong to a flush that never completed. */
async function checkpointsOf({ store }: Connection, open: Generation): Promise<ReadonlyMap<number, number>> {
  const rows = await store.rows<{ partitionId: number; position: string }>(await sqlQuery('checkpoints'));
  return new Map(
    rows.flatMap(({ partitionId, position }) =>
      holdsPartition(open, partitionId) ? [[partitionId, Number(position)] as const] : [],
    ),
  );
}

function report(
  of: Pick<SliceReport, 'experiment' | 'phase' | 'asOf'>,
  spec: ExperimentRevision['spec'],
  metrics: readonly MetricSpec[],
  candidates: readonly string[],
  { names, distinctNames, sums, missing }: SliceRead,
): SliceReport {
  const control = controlOf(spec).id;
  return {
    ...of,
    control,
    metrics: metrics.map(({ id, numerator, denominator }) => ({
      id,
      ofOutcomes: numerator.of === 'outcome' || denominator?.of === 'outcome',
    })),
    names,
    distinctNames,
    missing,
    candidates: candidates.map((candidate) => ({
      candidate,
      ...findSlices(sums, metrics, control, candidate),
      reversals: findReversals(sums, metrics, control, candidate),
    })),
  };
}
