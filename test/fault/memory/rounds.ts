/** Everything that needs neither broker nor engine, a round at a time. */
import type { TrialCounts } from '../trial-counts.ts';
import { buildOf, mutations, shipped } from './build.ts';
import { runDecisionTrial } from './decisions.ts';
import { runStagesTrial } from './stages.ts';
import { runTokenOnlyTrial } from './token-only.ts';
import { runTrial } from './trial.ts';

/** Trials of a round: many of what takes milliseconds. */
const perRound = { fold: 20, stages: 4, decisions: 2, broken: 4 } as const;
/** Rounds after which every kind has had so many seeds. */
export const roundsFor = (seeds: number): number => Math.ceil(seeds / perRound.decisions);

export async function createRounds(
  counts: TrialCounts,
  firstSeed: number,
): Promise<{ run(round: number): Promise<void>; dispose(): void }> {
  const broken: { readonly name: string; readonly run: (seed: number) => Promise<readonly string[]> }[] = [
    { name: 'token only', run: async (seed) => runTokenOnlyTrial(seed).wrong },
  ];
  const disposals: (() => void)[] = [];
  for (const mutation of mutations) {
    const { build, dispose } = await buildOf(mutation);
    disposals.push(dispose);
    broken.push({ name: mutation.name, run: async (seed) => (await runTrial(seed, build)).wrong });
  }
  const of = async (
    fault: string,
    what: string,
    round: number,
    count: number,
    run: (
      seed: number,
    ) => Promise<{ readonly wrong: readonly string[]; readonly faults?: Readonly<Record<string, number>> }>,
  ): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const seed = firstSeed + round * count + index;
      const at = performance.now();
      const { wrong, faults = {} } = await run(seed);
      counts.took({ fault, what, seed, wrong, happened: { counts: faults }, ms: performance.now() - at });
    }
  };
  return {
    run: async (round) => {
      await of(
        '1 3 5 6',
        'fold and store in memory: crashes, lost replies, late writes, disorder',
        round,
        perRound.fold,
        (seed) => runTrial(seed, shipped, 1 + (seed % 4)),
      );
      await of(
        '1 3 4 5 6',
        'running stages in memory: rebalances, kills, zombies, lost replies',
        round,
        perRound.stages,
        runStagesTrial,
      );
      await of(
        '11',
        'statistics killed around a publication, control records again, bots restarted',
        round,
        perRound.decisions,
        runDecisionTrial,
      );
      for (const { name, run } of broken)
        await of('broken', name, round, perRound.broken, async (seed) => ({ wrong: await run(seed) }));
    },
    dispose: () => {
      for (const dispose of disposals) dispose();
    },
  };
}
