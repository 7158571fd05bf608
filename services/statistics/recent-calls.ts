/**
 * Evidence of life: who has called lately, judged by the phase's own rhythm. Ticks move a partition's clock without
 * anything having happened there, so only calls count.
 */
import type { Evaluation } from '../kernel/evaluation.ts';
import type { Look } from '../kernel/evidence.ts';

/**
 * So many usual gaps between two calls without one are silence: by chance once in e^20 gaps. At least so long, for the
 * records of a flush come together.
 */
const silence = { gaps: 20, leastMs: 5_000 };

/** Arms and partitions without recent calls. Of an arm nobody has seen, since the phase began. */
export function quietOf({ experiment: { spec, phaseStartedAt }, partitions }: Look): Evaluation['quiet'] {
  const now = Math.max(0, ...partitions.map(({ clock }) => clock));
  const seen = partitions.map(({ lastSeenAt }) => Math.max(phaseStartedAt, ...Object.values(lastSeenAt ?? {})));
  const elapsed = Math.max(phaseStartedAt, ...seen) - phaseStartedAt;
  const events = partitions.reduce((sum, partition) => sum + partition.events, 0);
  const weights = spec.arms.reduce((sum, { weight }) => sum + weight, 0);
  const isQuiet = (last: number, expected: number, leastMs: number): boolean =>
    now - last > Math.max((silence.gaps * elapsed) / Math.max(expected, 1), leastMs);
  const { noTrafficMs } = spec.health;
  const lastOf = (arm: string): number =>
    Math.max(phaseStartedAt, ...partitions.map(({ lastSeenAt }) => lastSeenAt?.[arm] ?? 0));
  return {
    arms: spec.arms
      .filter(({ id, weight }) =>
        noTrafficMs === undefined
          ? isQuiet(lastOf(id), (events * weight) / weights, silence.leastMs)
          : now - lastOf(id) > noTrafficMs,
      )
      .map(({ id }) => id),
    partitions: partitions.filter(
      ({ events: own }, index) => own > 0 && isQuiet(seen[index] ?? 0, own, spec.analysis.freshnessMs),
    ).length,
  };
}

/**
 * Arms without an inference for longer than `health.no_traffic`, while another has had one: traffic flows, but not
 * there.
 */
export function silentArms({ experiment: { spec, phaseStartedAt }, partitions }: Look): string[] {
  const { noTrafficMs } = spec.health;
  if (noTrafficMs === undefined) return [];
  const latest = spec.arms.map(({ id }) =>
    Math.max(phaseStartedAt, ...partitions.map(({ lastSeenAt }) => lastSeenAt?.[id] ?? 0)),
  );
  const newest = Math.max(...latest);
  return spec.arms.filter((_, arm) => newest - (latest[arm] ?? 0) > noTrafficMs).map(({ id }) => id);
}
