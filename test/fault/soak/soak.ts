/**
 * Fault 12: `npm run fault -- --soak 1200`. Stages as processes on a stack of their own take twice the nominal rate
 * while faults of rows 1 to 5 befall them every 20 to 40 s. Every 10 s memory, parts, lag and freshness are written
 * down; at the end totals = what was sent, recount = aggregates, and every figure has to be flat (`flat.ts`). One
 * redactor, linker and joiner are never killed, so that what leaks in them has the whole soak to show.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type EmbeddedStack, startEmbedded } from '../../../infra/embedded/index.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { hour, monday } from '../../support/build.ts';
import { messageOf } from '../differ.ts';
import { createDeployment, type Deployment } from '../real/deployment.ts';
import { type FreshnessWatch, watchFreshness } from '../real/freshness.ts';
import { harms } from '../real/harms.ts';
import { startProxy, type TcpProxy } from '../real/tcp-proxy.ts';
import type { StagesProcess } from '../real/start-stages-process.ts';
import type { StageName } from '../real/stages-process.ts';
import { figuresText, flatnessTable, type Sample, takeSample } from './figures.ts';
import { createSoakLoad, type SoakLoad } from './load.ts';

/**
 * Events a second, calls and outcomes together, that one machine is meant for, with broker and engine on it.
 */
export const nominal = 1_000;
/** Carried time runs so much faster: windows of an hour and tickets of two open and close again and again. */
const speed = 60;
const allStages = ['redactor', 'linker', 'joiner'] as const;
const [sendEveryMs, sampleEveryMs, sessionTimeoutMs] = [100, 10_000, 6_000] as const;
const settings = {
  flushMs: 250,
  sessionTimeoutMs,
  cacheLimits: { units: 4_000, events: 20_000 },
  limits: { waitMs: 3 * hour, keepMs: 4 * hour, maxWaiting: 100_000 },
} as const;

export type SoakOptions = {
  readonly seconds: number;
  readonly seed: number;
  readonly rate: number;
  print(line: string): void;
};

/**
 * Sends what is due at that rate until it is told to stop; a broker that is away is waited for, and what it missed is
 * made up.
 */
function startSending(deployment: Deployment, load: SoakLoad, rate: number): { sent(): number; stop(): Promise<void> } {
  const began = performance.now();
  let sent = 0;
  let over = false;
  const running = (async () => {
    while (!over) {
      const elapsedMs = performance.now() - began;
      const owed = Math.min(rate, Math.floor((rate * elapsedMs) / 1_000) - sent);
      if (owed > 0) {
        const arrivals = load.next(owed, Math.floor(monday + elapsedMs * speed));
        await deployment.sendArrivals(arrivals);
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

type Soak = SoakOptions & {
  readonly stack: EmbeddedStack;
  readonly proxy: TcpProxy;
  readonly deployment: Deployment;
  readonly load: SoakLoad;
  /** One of each stage that is never killed, and all of them in one process that is. */
  readonly kept: Readonly<Record<StageName, StagesProcess>>;
  victim: StagesProcess;
  readonly freshness: FreshnessWatch;
  /** When it is over, by `performance.now()`. */
  readonly endsAt: number;
};

/** What a soak came to. */
type Outcome = {
  readonly wrong: string[];
  readonly samples: Sample[];
  /** Faults by name. */
  readonly counts: Record<string, number>;
  sent: number;
};

const leftMs = ({ endsAt }: Soak): number => Math.max(0, endsAt - performance.now());
const startStages = (deployment: Deployment, stages: readonly StageName[]): Promise<StagesProcess> =>
  deployment.startStages({ stages, settings });

async function sampleUntilTheEnd(soak: Soak, samples: Sample[]): Promise<void> {
  while (leftMs(soak) > 0) {
    await pause(Math.min(leftMs(soak), sampleEveryMs));
    const sample = await takeSample(soak);
    samples.push(sample);
    soak.print(`${String(samples.length * 10).padStart(5)} s  ${figuresText(sample)}`);
  }
}

async function harmUntilTheEnd(soak: Soak, counts: Record<string, number>): Promise<void> {
  const { stack, proxy, deployment, print } = soak;
  const random = createRandom(soak.seed);
  const replace = async (): Promise<void> => {
    soak.victim = await startStages(deployment, allStages);
  };
  while (leftMs(soak) > 0) {
    await pause(Math.min(leftMs(soak), 20_000 + random() * 20_000));
    const harm = harms[Math.floor(random() * harms.length)] as (typeof harms)[number];
    if (leftMs(soak) < 15_000) continue;
    print(`       ${harm.row}: ${harm.name}`);
    counts[harm.name] = (counts[harm.name] ?? 0) + 1;
    await harm.run({ stack, proxy, victim: () => soak.victim, replace, sessionTimeoutMs });
  }
}

/** Stages started, input and faults until the end, then everything caught up and judged. */
async function play(
  options: SoakOptions,
  around: Pick<Soak, 'stack' | 'proxy' | 'deployment'>,
  outcome: Outcome,
): Promise<void> {
  const { deployment } = around;
  const kept = {
    redactor: await startStages(deployment, ['redactor']),
    linker: await startStages(deployment, ['linker']),
    joiner: await startStages(deployment, ['joiner']),
  };
  const victim = await startStages(deployment, allStages);
  const load = createSoakLoad(options.seed);
  const sending = startSending(deployment, load, options.rate);
  const freshness = watchFreshness(deployment);
  const endsAt = performance.now() + options.seconds * 1_000;
  const soak: Soak = { ...options, ...around, load, kept, victim, freshness, endsAt };
  const sampling = sampleUntilTheEnd(soak, outcome.samples);
  await harmUntilTheEnd(soak, outcome.counts);
  await sampling;
  await sending.stop();
  await freshness.stop();
  outcome.sent = sending.sent();
  await deployment.caughtUp();
  outcome.wrong.push(...(await deployment.totalsWrong(new Map(load.totals()))));
  outcome.wrong.push(...(await deployment.recountWrong()));
}

async function playOnOwnStack(options: SoakOptions, outcome: Outcome): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'tripline-soak-'));
  const stack = await startEmbedded({ home });
  const { brokers, clickhouseUrl, registryUrl } = stack;
  const proxy = await startProxy(clickhouseUrl);
  try {
    const deployment = await createDeployment({
      addresses: { brokers, clickhouseUrl, registryUrl },
      seed: options.seed,
      home,
      calls: 0,
      partitions: 4,
      storeUrl: proxy.url,
      sessionTimeoutMs,
    });
    try {
      await play(options, { stack, proxy, deployment }, outcome);
    } catch (error) {
      outcome.wrong.push(`threw: ${messageOf(error)}`);
    }
    const left = await deployment.close();
    if (left.length > 0) outcome.wrong.push(`processes left: ${left.join(', ')}`);
  } finally {
    await proxy.close();
    await stack.stop().catch(() => {});
    rmSync(home, { recursive: true, force: true });
  }
}

export async function runSoak(options: SoakOptions): Promise<boolean> {
  const { seconds, seed, print } = options;
  const outcome: Outcome = { wrong: [], samples: [], counts: {}, sent: 0 };
  await playOnOwnStack(options, outcome);
  const { wrong, counts, sent } = outcome;
  const { text, rising } = flatnessTable(outcome.samples);
  print(text);
  for (const one of wrong) print(`WRONG  ${one}`);
  const rate = `${(sent / seconds).toFixed(0)} a second (nominal ${nominal})`;
  const faults = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  const flat = rising.length === 0 ? 'everything flat' : `rising: ${rising.join(', ')}`;
  print(
    `soak: ${seconds} s, ${sent} events, ${rate}, faults: ${faults.join(', ')}; ` +
      `${wrong.length} wrong, ${flat}; seed ${seed}`,
  );
  return wrong.length === 0 && rising.length === 0;
}
