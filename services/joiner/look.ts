/**
 * One look at folded partitions in memory: what `verify` and tests compare with the look that statistics read from
 * ClickHouse.
 */
import type { EntryCell, FingerprintMark, Look, PartitionMark, ReportCell, SegmentMark } from '../kernel/evidence.ts';
import { type PartitionFold, readCellKey } from './fold-state.ts';

/** Report cells must be up to date: call after `takeFlushRows`. `position` by partition: where each was cut. */
export function lookAt(
  partitions: readonly PartitionFold[],
  experimentId: string,
  position: (part: number) => number,
): Look | undefined {
  const newest = partitions
    .flatMap(({ experiments }) => experiments.get(experimentId) ?? [])
    .sort((a, b) => b.revision.revision - a.revision.revision)[0];
  if (newest === undefined) return undefined;
  const marks: PartitionMark[] = [];
  const segments: SegmentMark[] = [];
  const fingerprints: FingerprintMark[] = [];
  const reports: ReportCell[] = [];
  const entries: EntryCell[] = [];
  for (const { part, clock, experiments } of partitions) {
    const fold = experiments.get(experimentId);
    const live = fold?.revision.phase === newest.revision.phase ? fold : undefined;
    marks.push({
      part,
      clock,
      ver: position(part),
      revision: live?.revision.revision ?? 0,
      events: live?.events ?? 0,
      crossovers: live?.crossovers ?? 0,
      ...(live && {
        lastSeenAt: Object.fromEntries(live.arms.map((arm, index) => [arm, live.lastSeenAt[index] ?? 0])),
      }),
      assigned: Object.fromEntries(live?.arms.map((arm, index) => [arm, live.assigned[index] ?? 0]) ?? []),
    });
    if (live === undefined) continue;
    segments.push(...live.segments.map((segment) => ({ ...segment, part })));
    fingerprints.push(...live.fingerprints.values());
    for (const [arm, cells] of live.reports.entries()) {
      for (const [metric, cell] of cells.entries()) {
        const { units, firstEvents, numerator, denominator, numerator2, denominator2, product } = cell;
        reports.push({
          part,
          arm: live.arms[arm] ?? '',
          metric: live.metrics[metric]?.spec.id ?? '',
          units,
          firstEvents,
          numerator,
          denominator,
          numerator2,
          denominator2,
          product,
        });
      }
    }
    for (const [key, sums] of live.cells) {
      const { segment, candidate, side, metric } = readCellKey(live, key);
      const candidateArm = live.arms[live.candidates[candidate] ?? -1] ?? '';
      entries.push({
        part,
        candidate: candidateArm,
        arm: side === 1 ? candidateArm : (live.arms[live.control] ?? ''),
        metric: live.metrics[metric]?.spec.id ?? '',
        segment,
        sums,
      });
    }
  }
  return { experiment: newest.revision, partitions: marks, segments, fingerprints, reports, entries };
}
