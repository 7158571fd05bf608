/**
 * Evidence of life: who has called lately, judged by the phase's own rhythm. Ticks move a partition's clock without
 * anything having happened there, so only calls count.
 */
import { worstSkews } from '../kernel/clock-skew.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import type { Look } from '../kernel/evidence.ts';
import type { EpochMs } from '../kernel/time.ts';

/**
 * So many usual gaps between two calls without one are silence: by chance once in e^20 gaps. At least so long, for the
 * records of a flush come together.
 */
const silence = { gaps: 20, leastMs: 5_000 };

/** Of an arm nobody has seen: when the phase began. */
const lastCallOf = ({ experiment, partitions }: Look, arm: string): EpochMs =>
  Math.max(experiment.phaseStartedAt, ...partitions.map(({ lastSeenAt }) => lastSeenAt?.[arm] ?? 0));

/** Arms and partitions without recent calls. */
export function quietOf(look: Look): Evaluation['quiet'] {
  const {
    experiment: { spec, phaseStartedAt },
    partitions,
  } = look;
  const now = Math.max(0, ...partitions.map(({ clock }) => clock));
  const seen = partitions.map(({ lastSeenAt }) => Math.max(phaseStartedAt, ...Object.values(lastSeenAt ?? {})));
  const elapsed = Math.max(phaseStartedAt, ...seen) - phaseStartedAt;
  const events = partitions.reduce((sum, partition) => sum + partition.events, 0);
  const weights = spec.arms.reduce((sum, { weight }) => sum + weight, 0);
  const isQuiet = (last: number, expected: number, leastMs: number): boolean =>
    now - last > Math.max((silence.gaps * elapsed) / Math.max(expected, 1), leastMs);
  const { noTrafficMs } = spec.health;
  return {
    arms: spec.arms
      .filter(({ id, weight }) =>
        noTrafficMs === undefined
          ? isQuiet(lastCallOf(look, id), (events * weight) / weights, silence.leastMs)
          : now - lastCallOf(look, id) > noTrafficMs,
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
export function silentArms(look: Look): string[] {
  const { spec } = look.experiment;
  const { noTrafficMs } = spec.health;
  if (noTrafficMs === undefined) return [];
  const latest = spec.arms.map(({ id }) => lastCallOf(look, id));
  const newest = Math.max(...latest);
  return spec.arms.filter((_, arm) => newest - (latest[arm] ?? 0) > noTrafficMs).map(({ id }) => id);
}

/** Clocks of the services that have called lately. */
export function clocksOf({ partitions }: Look): Pick<Evaluation, 'clocks'> {
  const noted = partitions.flatMap(({ clocks = [] }) => clocks);
  if (noted.length === 0) return {};
  return { clocks: worstSkews(noted, Math.max(...partitions.map(({ clock }) => clock))) };
}
