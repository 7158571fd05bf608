/**
 * Fault 12: `npm run fault -- --soak 1200`. Stages as processes on a stack of their own take twice the nominal rate
 * while faults of rows 1 to 5 befall them every 20 to 40 s. Every 10 s memory, parts, lag and freshness are written
 * down; at the end totals = what was sent, recount = cells, and every figure has to be flat (`flat.ts`). One redactor,
 * linker and joiner are never killed, so that what leaks in them has the whole soak to show.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type EmbeddedStack, startEmbedded } from '../../../infra/embedded/index.ts';
import { table } from '../../../services/cli/terminal.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { hour, monday } from '../../support/build.ts';
import { watchFreshness } from '../real/freshness.ts';
import { harms } from '../real/harms.ts';
import { messageOf } from '../real/in-world.ts';
import { residentBytes } from '../real/slow-sink.ts';
import { startProxy } from '../real/tcp-proxy.ts';
import { createWorld, type StagesProcess, type World } from '../real/world.ts';
import type { StagesSettings } from '../real/stages-process.ts';
import { bounds, flatness } from './flat.ts';
import { createSoakLoad, type SoakLoad } from './load.ts';

/**
 * Events a second, calls and outcomes together, that one machine is meant for, with broker and engine on it.
 */
export const nominal = 1_000;
/** Carried time runs so much faster: windows of an hour and tickets of two open and close again and again. */
const speed = 60;
const [sendEveryMs, sampleEveryMs, sessionTimeoutMs] = [100, 10_000, 6_000] as const;
const settings = {
  flushMs: 250,
  sessionTimeoutMs,
  cacheLimits: { units: 4_000, events: 20_000 },
  limits: { waitMs: 3 * hour, keepMs: 4 * hour },
} as const;

export type SoakOptions = {
  readonly seconds: number;
  readonly seed: number;
  readonly rate: number;
  print(line: string): void;
};
type Sample = Readonly<Record<string, number | undefined>>;

/**
 * Sends what is due at that rate until it is told to stop; a broker that is away is waited for, and what it missed is
 * made up.
 */
function startSending(world: World, load: SoakLoad, rate: number): { sent(): number; stop(): Promise<void> } {
  const began = performance.now();
  let sent = 0;
  let over = false;
  const running = (async () => {
    while (!over) {
      const elapsedMs = performance.now() - began;
      const owed = Math.min(rate, Math.floor((rate * elapsedMs) / 1_000) - sent);
      if (owed > 0) {
        const arrivals = load.next(owed, Math.floor(monday + elapsedMs * speed));
        await world.sendArrivals(arrivals);
        sent += arrivals.length;
      }
      await pause(sendEveryMs);
    }
  })();
  return {
    sent: () => sent,
    stop: async () => {
      over = true;
      await running;
    },
  };
}

const partsOf = async (world: World): Promise<Sample> =>
  Object.fromEntries(
    (
      await world.store.rows<{ table: string; n: string }>(
        "SELECT table, toString(count()) AS n FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('state', 'facts') GROUP BY table",
      )
    ).map(({ table: name, n }) => [`parts ${name}`, Number(n)]),
  );

async function sample(
  world: World,
  stack: EmbeddedStack,
  kept: Readonly<Record<string, StagesProcess>>,
  freshness: ReturnType<typeof watchFreshness>,
  rate: number,
): Promise<Sample> {
  const parts = await stack.status();
  const resident = [
    ...Object.entries(kept).map(([name, { child }]) => [name, child.pid] as const),
    ...parts.flatMap(({ name, pid }) => (name === 'registry' || pid === undefined ? [] : [[name, pid] as const])),
  ];
  // What cannot be asked now, because a part is away, stays unknown.
  const [tables, messages] = await Promise.all([partsOf(world).catch(() => ({})), world.lag().catch(() => undefined)]);
  return {
    ...Object.fromEntries(resident.map(([name, pid]) => [`MB ${name}`, residentBytes(pid) || undefined])),
    'MB load and oracle': process.memoryUsage.rss(),
    ...tables,
    's of lag': messages === undefined ? undefined : messages / rate,
    's behind': freshness.now() / 1_000,
  };
}

/**
 * What is judged, in this order: the soak's own process only holds the load and the proxy, and says nothing of the
 * product.
 */
const judged = (name: string): keyof typeof bounds | undefined =>
  name.startsWith('MB load')
    ? undefined
    : name.startsWith('MB')
      ? 'resident'
      : name.startsWith('parts')
        ? 'parts'
        : name === 's of lag'
          ? 'lag'
          : 'freshness';

export async function runSoak({ seconds, seed, rate, print }: SoakOptions): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), 'tripline-soak-'));
  const stack = await startEmbedded({ home });
  const { brokers, clickhouseUrl, registryUrl } = stack;
  const proxy = await startProxy(clickhouseUrl);
  const wrong: string[] = [];
  const samples: Sample[] = [];
  const counts: Record<string, number> = {};
  let sent = 0;
  try {
    const world = await createWorld({
      brokers,
      clickhouseUrl,
      registryUrl,
      seed,
      home,
      calls: 0,
      partitions: 4,
      storeUrl: proxy.url,
      sessionTimeoutMs,
    });
    try {
      const start = (stages: StagesSettings['stages']): Promise<StagesProcess> =>
        world.startStages({ stages, settings });
      const kept = {
        redactor: await start(['redactor']),
        linker: await start(['linker']),
        joiner: await start(['joiner']),
      };
      let victim = await start(['redactor', 'linker', 'joiner']);
      const replace = async (): Promise<void> => {
        victim = await start(['redactor', 'linker', 'joiner']);
      };
      const random = createRandom(seed);
      const load = createSoakLoad(seed);
      const sending = startSending(world, load, rate);
      const freshness = watchFreshness(world);
      const until = performance.now() + seconds * 1_000;
      const left = (): number => Math.max(0, until - performance.now());
      const sampling = (async () => {
        while (left() > 0) {
          await pause(Math.min(left(), sampleEveryMs));
          samples.push(await sample(world, stack, kept, freshness, rate));
          const at = samples.at(-1) as Sample;
          print(
            `${String(samples.length * 10).padStart(5)} s  ${Object.entries(at)
              .map(
                ([name, value]) =>
                  `${name} ${value === undefined ? '-' : name.startsWith('MB') ? (value / 1e6).toFixed(0) : Math.round(value * 10) / 10}`,
              )
              .join(', ')}`,
          );
        }
      })();
      while (left() > 0) {
        await pause(Math.min(left(), 20_000 + random() * 20_000));
        const harm = harms[Math.floor(random() * harms.length)] as (typeof harms)[number];
        if (left() < 15_000) continue;
        print(`       ${harm.row}: ${harm.name}`);
        counts[harm.name] = (counts[harm.name] ?? 0) + 1;
        await harm.run({ stack, proxy, victim: () => victim, replace, sessionTimeoutMs });
      }
      await sampling;
      await sending.stop();
      await freshness.stop();
      sent = sending.sent();
      await world.caughtUp();
      wrong.push(...(await world.totalsWrong(new Map(load.totals()))), ...(await world.recountWrong()));
    } catch (error) {
      wrong.push(`threw: ${messageOf(error)}`);
    }
    const processes = await world.close();
    if (processes.length > 0) wrong.push(`processes left: ${processes.join(', ')}`);
  } finally {
    await proxy.close();
    await stack.stop().catch(() => {});
    rmSync(home, { recursive: true, force: true });
  }
  const names = [...new Set(samples.flatMap((at) => Object.keys(at)))];
  const verdicts = names.map((name) => {
    const bound = judged(name);
    return {
      name,
      bound,
      ...flatness(
        samples.map((at) => at[name]),
        bounds[bound ?? 'resident'],
      ),
    };
  });
  const figure = (name: string, value: number): string =>
    name.startsWith('MB') ? (value / 1e6).toFixed(0) : String(Math.round(value * 10) / 10);
  print(
    table([
      ['figure', 'median of the middle third', 'of the last', 'at most', 'highest', 'verdict'],
      ...verdicts.map(({ name, bound, middle, last, limit, most, flat }) => [
        name,
        figure(name, middle),
        figure(name, last),
        figure(name, limit),
        figure(name, most),
        bound === undefined ? 'not judged' : flat ? 'flat' : 'RISES',
      ]),
    ]),
  );
  const rising = verdicts.filter(({ bound, flat }) => bound !== undefined && !flat).map(({ name }) => name);
  for (const one of wrong) print(`WRONG  ${one}`);
  print(
    `soak: ${seconds} s, ${sent} events, ${(sent / seconds).toFixed(0)} a second (nominal ${nominal}), faults: ${Object.entries(
      counts,
    )
      .map(([name, count]) => `${count} ${name}`)
      .join(
        ', ',
      )}; ${wrong.length} wrong, ${rising.length === 0 ? 'everything flat' : `rising: ${rising.join(', ')}`}; seed ${seed}`,
  );
  return wrong.length === 0 && rising.length === 0;
}
