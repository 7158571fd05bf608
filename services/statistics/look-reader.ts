/** Rows of one look (sql/queries/look.sql) to the looks of the experiments in them. Pure: the query is the caller's. */
import type { EntryCell, FingerprintMark, Look, PartitionMark, ReportCell, SegmentMark } from '../kernel/evidence.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { parseRevision } from '../kernel/experiment-json.ts';

/** 64- and 128-bit integers come as text. */
export type LookRow = {
  readonly part: number; readonly kind: string; readonly experiment: string; readonly phase: number; readonly key: string; readonly ver: string; readonly arm: string; readonly metric: string;
  readonly candidate: string; readonly slot: number; readonly clock: string; readonly n: string; readonly x: readonly string[]; readonly xx: readonly string[]; readonly body: string;
};

type ExperimentBody = {
  readonly revision: string; readonly segments: readonly SegmentMark[]; readonly fingerprints: readonly (readonly [string, FingerprintMark])[];
  readonly assigned: readonly number[]; readonly events: number; readonly crossovers: number; readonly lateOutcomes: number;
};

/** `partitions` of the unit log, folded or not: those without a checkpoint stand at 0 and keep the experiment unsettled. */
export function readLooks(rows: readonly LookRow[], partitions: number): Map<string, Look> {
  const checkpoints = new Map<number, { ver: number; clock: number }>();
  const bodies = new Map<string, { part: number; phase: number; revision: ExperimentRevision; body: ExperimentBody }[]>();
  for (const row of rows) {
    if (row.kind === 'checkpoint') checkpoints.set(row.part, { ver: Number(row.ver), clock: Number(row.clock) });
    if (row.kind !== 'experiment') continue;
    const body = JSON.parse(row.body) as ExperimentBody;
    const known = bodies.get(row.experiment) ?? [];
    known.push({ part: row.part, phase: row.phase, revision: parseRevision(body.revision), body });
    bodies.set(row.experiment, known);
  }
  const looks = new Map<string, Look>();
  for (const [id, all] of bodies) {
    const newest = all.reduce((best, next) => (next.revision.revision > best.revision.revision ? next : best)).revision;
    const live = new Map(all.filter(({ phase }) => phase === newest.phase).map((entry) => [entry.part, entry]));
    const marks: PartitionMark[] = Array.from({ length: partitions }, (_, part) => {
      const entry = live.get(part);
      return {
        part, ver: checkpoints.get(part)?.ver ?? 0, clock: checkpoints.get(part)?.clock ?? 0, revision: entry?.revision.revision ?? 0,
        events: entry?.body.events ?? 0, crossovers: entry?.body.crossovers ?? 0,
        assigned: Object.fromEntries(entry?.revision.spec.arms.map((arm, index) => [arm.id, entry.body.assigned[index] ?? 0]) ?? []),
      };
    });
    const reports: ReportCell[] = [];
    const entries: EntryCell[] = [];
    for (const row of rows) {
      if (row.experiment !== id || row.phase !== newest.phase) continue;
      if (row.kind === 'report') {
        const [numerator = 0n, denominator = 0n, numerator2 = 0n, denominator2 = 0n, product = 0n] = row.xx.map(BigInt);
        reports.push({ part: row.part, arm: row.arm, metric: row.metric, units: Number(row.n), firstEvents: Number(row.x[0] ?? 0), numerator, denominator, numerator2, denominator2, product });
      } else if (row.kind === 'entry') {
        const [s = 0, sv = 0, svv = 0, ...bets] = row.x.map(Number);
        entries.push({ part: row.part, candidate: row.candidate, arm: row.arm, metric: row.metric, segment: row.slot, sums: { n: Number(row.n), s, sv, svv, harm: bets.slice(0, 7), win: bets.slice(7, 14) } });
      }
    }
    looks.set(id, {
      experiment: newest, partitions: marks, reports, entries,
      segments: [...live.values()].flatMap(({ part, body }) => body.segments.map((segment) => ({ ...segment, part }))),
      fingerprints: [...live.values()].flatMap(({ body }) => body.fingerprints.map(([, mark]) => mark)),
    });
  }
  return looks;
}
