/**
 * Fault 10: three joiners restarted in turn while input keeps coming, then a fourth. The longest gap in freshness of
 * any partition is part of the verdict.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import { watchFreshness } from './freshness.ts';
import type { Deployment } from './deployment.ts';
import { type FaultContext, type FaultResult, inDeployment } from './in-deployment.ts';
import { patienceMs } from './progress.ts';
import type { StagesProcess } from './start-stages-process.ts';

/** Longest time that a partition may go without a newer checkpoint (`test/fault/README.md`), ms. */
const longestGapMs = 5_000;
const loadEveryMs = 250;

/** Sends a little of the input four times a second until it is told to stop. */
function startLoad(deployment: Deployment, step: number): { stop(): Promise<void> } {
  let share = 0;
  let over = false;
  const running = (async () => {
    while (!over && share < 1) {
      share += step;
      await deployment.send(Math.min(1, share));
      await pause(loadEveryMs);
    }
  })();
  return {
    stop: async () => {
      over = true;
      await running;
    },
  };
}

export async function rollingRestart(context: FaultContext): Promise<FaultResult> {
  let gapMs = 0;
  const result = await inDeployment(
    context,
    { partitions: 4, calls: 300, sessionTimeoutMs: 30_000 },
    async (deployment) => {
      await deployment.startStages({ stages: ['redactor', 'linker'] });
      const joiners: StagesProcess[] = [];
      for (let index = 0; index < 3; index += 1) joiners.push(await deployment.startStages({ stages: ['joiner'] }));
      // 60 s of it: longer than three restarts take.
      const load = startLoad(deployment, 1 / 240);
      const everyPart = async (): Promise<boolean> => (await deployment.checkpoints()).size === deployment.partitions;
      await until('every partition to be folded', everyPart, patienceMs);
      const watch = watchFreshness(deployment);
      let drained = 0;
      for (const joiner of joiners) {
        const next = deployment.startStages({ stages: ['joiner'] });
        await joiner.child.stop('SIGTERM', 15_000);
        drained += joiner.lines.includes('drained') ? 1 : 0;
        await next;
      }
      await deployment.startStages({ stages: ['joiner'] });
      // The fourth joins, and the group settles, while input still comes.
      const settled = await deployment.folded();
      await until(
        'folding to go on',
        async () => (await deployment.folded()) > settled + 4 * deployment.partitions,
        patienceMs,
      );
      await load.stop();
      await watch.stop();
      gapMs = watch.longest().ms;
      await deployment.send(1);
      return {
        counts: { 'joiners drained': drained, restarted: joiners.length },
        most: { 's longest freshness gap': gapMs / 1_000 },
      };
    },
  );
  return gapMs < longestGapMs
    ? result
    : { ...result, wrong: [...result.wrong, `freshness gap of ${Math.round(gapMs)} ms, at most ${longestGapMs}`] };
}
