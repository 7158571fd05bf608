/** Runs of one plan, and what many of them say. */
import { type ExperimentPlan, prepareExperiment, type PreparedExperiment } from './experiment.ts';
import { createRandom, seedOf } from './random.ts';
import { runExperiment } from './run-experiment.ts';
import { type Room, roomFor, type RunResult } from './run-state.ts';

/** Runs `from`..`to` - 1 of a plan; `seed` and `stream` name their chance. */
export type ExperimentJob = {
  readonly plan: ExperimentPlan;
  readonly seed: number;
  readonly stream: number;
  readonly from: number;
  readonly to: number;
};

/** A thread keeps what it prepared for its last job. */
export function createJobRunner(): (job: ExperimentJob) => RunResult[] {
  let kept: { readonly key: string; readonly prepared: PreparedExperiment; readonly room: Room } | undefined;
  return ({ plan, seed, stream, from, to }) => {
    const key = JSON.stringify(plan);
    if (kept?.key !== key) {
      const prepared = prepareExperiment(plan);
      kept = { key, prepared, room: roomFor(prepared) };
    }
    const { prepared, room } = kept;
    return Array.from({ length: to - from }, (_, index) => {
      const own = seedOf(seed, stream, from + index);
      return runExperiment(prepared, createRandom(own), own, room);
    });
  };
}
