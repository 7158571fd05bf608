/** What every running stage shows of itself, whichever loop drives it. */
import type { ClockSkew } from '../kernel/clock-skew.ts';
import type { Waiting } from './retry.ts';

export type StageCounts = {
  in: number;
  forwarded: number;
  readonly dropped: Map<string, number>;
  readonly parked: Map<string, number>;
  /** Taken in, without a verdict yet. */
  waiting: number;
  /** What a redacting stage took out: `TYPE tier policy` -> how many. Never a value. */
  readonly redactions?: Map<string, number>;
  /** Of the stage that meets everybody's events: services' clocks against the broker's, times that were clamped. */
  readonly clocks?: { readonly skews: ReadonlyMap<string, ClockSkew>; readonly clamped: ReadonlyMap<string, number> };
};

export const createStageCounts = (): StageCounts => ({
  in: 0,
  forwarded: 0,
  dropped: new Map(),
  parked: new Map(),
  waiting: 0,
});

export const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

export function count(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

export type RunningStage = {
  readonly name: string;
  readonly counts: StageCounts;
  /**
   * Next offset whose predecessors are all done with, durable where the stage keeps state; undefined before the first
   * record.
   */
  position(topic: string, partition: number): number | undefined;
  /** `topic/partition` of what its group has given to it; empty: it stands by. Undefined: not in the group just now. */
  owned(): ReadonlySet<string> | undefined;
  /** What records came to count for nothing, or less than they say, by reason; of a stage that folds. */
  leftOut?(): ReadonlyMap<string, number>;
  /** What it waits for, when a dependency is away. */
  waitingFor(): Waiting | undefined;
  /** Rejects when the stage cannot go on. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
};

/** Spans, as far as stages need them; `traceparent` is the W3C header of the new span. */
export type StageTracer = {
  span(
    name: string,
    options: { parent?: string; attributes?: Readonly<Record<string, string | number>> },
  ): { readonly traceparent: string; end(): void; fail(error: unknown): void };
};
