/**
 * The fault plan on the real broker and engine (design, streaming 5): one function a row, each a whole trial with a world of its own. What they return is
 * everything that was wrong; that the fault happened at all is checked on the way.
 */
import { createRandom } from '../../../services/demo/story.ts';
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { until } from '../../support/until.ts';
import { epochBump } from './epoch-bump.ts';
import { failpoints } from './failpoints.ts';
import { withFullDisk } from './full-disk.ts';
import { startProxy } from './tcp-proxy.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

export type FaultContext = { readonly stack: EmbeddedStack; readonly home: string; readonly seed: number };
export type FaultResult = { readonly wrong: readonly string[]; readonly note: string };
export type Fault = { readonly row: number; readonly name: string; /** Part of the short run. */ readonly short: boolean; run(context: FaultContext): Promise<FaultResult> };

const patienceMs = 150_000;


/** A world, what happens in it, its verdict; its processes are gone afterwards, or that is said. */
async function inWorld(context: FaultContext, options: Partial<WorldOptions>, happen: (world: World, random: () => number) => Promise<string>): Promise<FaultResult> {
  const { brokers, clickhouseUrl, registryUrl } = context.stack;
  const world = await createWorld({ brokers, clickhouseUrl, registryUrl, seed: context.seed, home: context.home, ...options });
  let note = '';
  const wrong: string[] = [];
  try {
    note = await happen(world, createRandom(context.seed));
    await world.caughtUp();
    wrong.push(...(await world.verdict()));
  } catch (error) {
    wrong.push(`threw: ${error instanceof Error ? error.message : String(error)}`);
  }
  const left = await world.close();
  if (left.length > 0) wrong.push(`processes left: ${left.join(', ')}`);
  return { wrong, note };
}

const ended = (child: { running(): boolean }): Promise<boolean> => until('a process to end', () => !child.running(), patienceMs);

const killedAt = (points: readonly (typeof failpoints)[number][]): Fault['run'] => (context) =>
  inWorld(context, {}, async (world, random) => {
    let killed = 0;
    for (const [index, point] of points.entries()) {
      await world.send((index + 1) / (points.length + 1));
      const stages = await world.startStages({ fail: `${point}*${1 + Math.floor(random() * 2)}` });
      // It dies there, or has nothing to do that leads there: then outright.
      await until('it to die', () => !stages.child.running(), 8_000).catch(() => stages.child.stop('SIGKILL'));
      killed += stages.lines.some((line) => line.startsWith('failpoint')) ? 1 : 0;
    }
    await world.send(1);
    await world.startStages();
    if (killed === 0) throw new Error('no failpoint was reached');
    return `${killed} of ${points.length} died at their point`;
  });

const throughProxy = (harm: (proxy: Awaited<ReturnType<typeof startProxy>>, world: World, random: () => number) => Promise<string>): Fault['run'] => async (context) => {
  const proxy = await startProxy(context.stack.clickhouseUrl);
  try {
    return await inWorld(context, { storeUrl: proxy.url }, async (world, random) => {
      await world.startStages();
      await world.send(0.3);
      await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
      const note = await harm(proxy, world, random);
      proxy.mode = { kind: 'pass' };
      await world.send(1);
      return note;
    });
  } finally {
    await proxy.close();
  }
};

const during = (harm: (stack: EmbeddedStack) => Promise<void>): Fault['run'] => (context) =>
  inWorld(context, {}, async (world) => {
    await world.startStages();
    await world.send(0.4);
    await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
    await Promise.all([world.send(0.7), harm(context.stack)]);
    await until('every part to answer', async () => (await context.stack.status()).every(({ ready }) => ready), patienceMs);
    await world.send(1);
    return '';
  });

const pauseFor = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const frozen = async (stack: EmbeddedStack, name: 'broker' | 'store', ms: number): Promise<void> => {
  const pid = (await stack.status()).find((part) => part.name === name)?.pid ?? -1;
  process.kill(pid, 'SIGSTOP');
  await pauseFor(ms);
  process.kill(pid, 'SIGCONT');
};

const inserts = /INSERT INTO (state|facts)/;

export const faults: readonly Fault[] = [
  { row: 1, name: 'stages killed between any two steps', short: false, run: killedAt(failpoints) },
  { row: 1, name: 'stages killed around the state insert', short: true, run: killedAt(['before:state', 'after:state', 'before:commit']) },
  { row: 2, name: 'engine killed -9', short: true, run: during((stack) => stack.killPart('store')) },
  { row: 3, name: 'engine away', short: false, run: throughProxy(async (proxy, world) => { proxy.mode = { kind: 'cut' }; await world.send(0.7); await pauseFor(1_500); return `${proxy.counts.reset} connections reset`; }) },
  {
    row: 3, name: 'engine answers 500 and "no space left" (9)', short: true,
    run: throughProxy(async (proxy, world) => {
      proxy.mode = { kind: 'answer', request: inserts, status: 500, code: 243 };
      await world.send(0.7);
      await until('an answer in its place', () => proxy.counts.answered > 2, patienceMs);
      return `${proxy.counts.answered} inserts refused`;
    }),
  },
  {
    row: 3, name: 'reply lost after the engine committed', short: true,
    run: throughProxy(async (proxy, world) => {
      proxy.mode = { kind: 'swallow', request: inserts };
      await world.send(0.7);
      await until('lost replies', () => proxy.counts.swallowed > 3, patienceMs);
      return `${proxy.counts.swallowed} replies lost`;
    }),
  },
  { row: 3, name: 'engine slow', short: false, run: throughProxy(async (proxy, world) => { proxy.mode = { kind: 'delay', ms: 400 }; await world.send(0.8); await pauseFor(2_000); return ''; }) },
  {
    row: 3, name: 'told to stop while the engine is away', short: false,
    run: async (context) => {
      const proxy = await startProxy(context.stack.clickhouseUrl);
      try {
        return await inWorld(context, { storeUrl: proxy.url }, async (world) => {
          const first = await world.startStages();
          await world.send(0.4);
          await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
          proxy.mode = { kind: 'cut' };
          await world.send(0.7);
          const at = Date.now();
          // SIGKILL would follow after 15 s, and no last word.
          await first.child.stop('SIGTERM', 15_000);
          if (!first.lines.includes('drained')) throw new Error('it had to be killed');
          const tookMs = Date.now() - at;
          proxy.mode = { kind: 'pass' };
          await world.startStages();
          await world.send(1);
          return `${(tookMs / 1_000).toFixed(1)} s to stop`;
        });
      } finally {
        await proxy.close();
      }
    },
  },
  { row: 4, name: 'broker stopped and started', short: false, run: during(async (stack) => { await stack.stopPart('broker'); await stack.startPart('broker'); }) },
  { row: 4, name: 'broker killed -9', short: true, run: during((stack) => stack.killPart('broker')) },
  { row: 4, name: 'partitions doubled twice, everything folded again, killed meanwhile', short: false, run: epochBump },
  { row: 4, name: 'broker frozen', short: false, run: during((stack) => frozen(stack, 'broker', 4_000)) },
  {
    row: 5, name: 'zombie: frozen past its session, overtaken, woken', short: true,
    run: (context) =>
      inWorld(context, { sessionTimeoutMs: 6_000 }, async (world) => {
        const zombie = await world.startStages();
        await world.send(0.4);
        await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
        zombie.freeze();
        const other = await world.startStages();
        const before = await world.folded();
        await world.send(0.8);
        await until('the other to run ahead', async () => (await world.folded()) > before, patienceMs);
        zombie.thaw();
        await world.send(1);
        await world.caughtUp();
        return `${zombie.fastForwards() + other.fastForwards()} fast-forwards`;
      }),
  },
  { row: 7, name: 'corrupt records', short: false, run: (context) => inWorld(context, { bad: 25 }, async (world) => { await world.startStages(); await world.send(1); return '25 bad records'; }) },
  {
    row: 7, name: 'corrupt records, stages killed meanwhile', short: true,
    run: (context) =>
      inWorld(context, { bad: 15 }, async (world) => {
        const first = await world.startStages();
        await world.send(0.6);
        await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
        await first.child.stop('SIGKILL');
        await ended(first.child);
        await world.startStages();
        await world.send(1);
        return '15 bad records';
      }),
  },
  { row: 9, name: 'disk of the engine full', short: false, run: ({ seed }) => withFullDisk(seed, 'store') },
  { row: 9, name: 'disk of the broker full', short: false, run: ({ seed }) => withFullDisk(seed, 'broker') },
  {
    row: 10, name: 'three joiners restarted in turn under load, a fourth added', short: true,
    run: (context) =>
      inWorld(context, { partitions: 4, calls: 250 }, async (world) => {
        await world.startStages({ stages: ['redactor', 'linker'] });
        const joiners = [];
        for (let index = 0; index < 3; index += 1) joiners.push(await world.startStages({ stages: ['joiner'] }));
        let longest = 0;
        let last = Date.now();
        let over = false;
        let folded = await world.folded();
        const watching = (async () => {
          while (!over) {
            const now = await world.folded();
            // A gap counts while there is something to fold.
            if (now > folded) {
              longest = Math.max(longest, Date.now() - last);
              last = Date.now();
            }
            folded = now;
            await pauseFor(100);
          }
        })();
        let share = 0;
        const load = (async () => {
          for (; share < 1; share += 0.01) {
            await world.send(share);
            await pauseFor(250);
          }
        })();
        let drained = 0;
        for (const joiner of joiners) {
          const next = world.startStages({ stages: ['joiner'] });
          await joiner.child.stop('SIGTERM', 15_000);
          drained += joiner.lines.includes('drained') ? 1 : 0;
          await next;
        }
        await world.startStages({ stages: ['joiner'] });
        share = Math.max(share, 0.9);
        await load;
        over = true;
        await watching;
        await world.send(1);
        return `${drained} of 3 drained, longest freshness gap ${(longest / 1_000).toFixed(1)} s`;
      }),
  },
];
