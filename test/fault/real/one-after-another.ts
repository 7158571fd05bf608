/**
 * Fault 12, small: four faults of rows 1 to 5, drawn from the seed, befall one world in turn while input comes. The
 * soak does the same for as long as one likes.
 */
import { type FaultContext, type FaultResult, behindProxy, somethingFolded } from './in-world.ts';
import { harms } from './harms.ts';

const howMany = 4;
const sessionTimeoutMs = 2_000;

export const oneAfterAnother = (context: FaultContext): Promise<FaultResult> =>
  behindProxy(context, async (world, proxy, random) => {
    await world.startStages({ stages: ['redactor', 'linker', 'joiner'] });
    let victim = await world.startStages();
    await world.send(0.2);
    await somethingFolded(world);
    const counts: Record<string, number> = {};
    for (let index = 1; index <= howMany; index += 1) {
      const harm = harms[Math.floor(random() * harms.length)] as (typeof harms)[number];
      counts[harm.name] = (counts[harm.name] ?? 0) + 1;
      const replace = async (): Promise<void> => {
        victim = await world.startStages();
      };
      await Promise.all([
        world.send(0.2 + (0.7 * index) / howMany),
        harm.run({ stack: context.stack, proxy, victim: () => victim, replace, sessionTimeoutMs }),
      ]);
    }
    await world.send(1);
    return { counts };
  });
