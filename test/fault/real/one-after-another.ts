/**
 * Fault 12, small: four faults of rows 1 to 5, drawn from the seed, befall one deployment in turn while input comes.
 * The soak does the same for as long as one likes.
 */
import { type FaultContext, type FaultResult, behindProxy, somethingFolded } from './in-deployment.ts';
import { harms } from './harms.ts';

const howMany = 4;
const sessionTimeoutMs = 2_000;

export const oneAfterAnother = (context: FaultContext): Promise<FaultResult> =>
  behindProxy(context, async (deployment, proxy, random) => {
    await deployment.startStages({ stages: ['redactor', 'linker', 'joiner'] });
    let victim = await deployment.startStages();
    await deployment.send(0.2);
    await somethingFolded(deployment);
    const counts: Record<string, number> = {};
    for (let index = 1; index <= howMany; index += 1) {
      const harm = harms[Math.floor(random() * harms.length)] as (typeof harms)[number];
      counts[harm.name] = (counts[harm.name] ?? 0) + 1;
      const replace = async (): Promise<void> => {
        victim = await deployment.startStages();
      };
      await Promise.all([
        deployment.send(0.2 + (0.7 * index) / howMany),
        harm.run({ stack: context.stack, proxy, victim: () => victim, replace, sessionTimeoutMs }),
      ]);
    }
    await deployment.send(1);
    return { counts };
  });
