/** What a soak writes down every 10 s, and whether it stayed flat. */
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { table } from '../../../services/cli/terminal.ts';
import type { Deployment } from '../real/deployment.ts';
import type { FreshnessWatch } from '../real/freshness.ts';
import { residentBytes } from '../real/slow-sink.ts';
import type { StagesProcess } from '../real/start-stages-process.ts';
import { bounds, flatness } from './flat.ts';

/** Figures by name; undefined: could not be asked. */
export type Sample = Readonly<Record<string, number | undefined>>;

/** What is looked at. */
export type Observed = {
  readonly deployment: Deployment;
  readonly stack: EmbeddedStack;
  readonly kept: Readonly<Record<string, StagesProcess>>;
  readonly freshness: FreshnessWatch;
  /** Events a second that are sent. */
  readonly rate: number;
};

const countParts = `
  SELECT table, toString(count()) AS n
  FROM system.parts
  WHERE active AND database = currentDatabase() AND table IN ('state', 'facts')
  GROUP BY table`;

async function partsOf({ store }: Deployment): Promise<Sample> {
  const rows = await store.rows<{ table: string; n: string }>(countParts);
  return Object.fromEntries(rows.map(({ table: name, n }) => [`parts ${name}`, Number(n)]));
}

export async function takeSample({ deployment, stack, kept, freshness, rate }: Observed): Promise<Sample> {
  const parts = await stack.status();
  const resident = [
    ...Object.entries(kept).map(([name, { child }]) => [name, child.pid] as const),
    ...parts.flatMap(({ name, pid }) => (name === 'registry' || pid === undefined ? [] : [[name, pid] as const])),
  ];
  // What cannot be asked now, because a part is away, stays unknown.
  const [tables, messages] = await Promise.all([
    partsOf(deployment).catch(() => ({})),
    deployment.lag().catch(() => undefined),
  ]);
  return {
    ...Object.fromEntries(resident.map(([name, pid]) => [`MB ${name}`, residentBytes(pid) || undefined])),
    'MB load and oracle': process.memoryUsage.rss(),
    ...tables,
    's of lag': messages === undefined ? undefined : messages / rate,
    's behind': freshness.now() / 1_000,
  };
}

/** By the beginning of a figure's name, the first that fits: its bound. Undefined: it is not judged. */
const boundByName: readonly (readonly [string, keyof typeof bounds | undefined])[] = [
  // The soak's own process only holds the load and the proxy, and says nothing of the product.
  ['MB load', undefined],
  ['MB', 'resident'],
  ['parts', 'parts'],
  ['s of lag', 'lag'],
  ['', 'freshness'],
];
const boundOf = (name: string): keyof typeof bounds | undefined =>
  boundByName.find(([beginning]) => name.startsWith(beginning))?.[1];

const figure = (name: string, value: number): string =>
  name.startsWith('MB') ? (value / 1e6).toFixed(0) : String(Math.round(value * 10) / 10);

export const figuresText = (sample: Sample): string =>
  Object.entries(sample)
    .map(([name, value]) => `${name} ${value === undefined ? '-' : figure(name, value)}`)
    .join(', ');

const verdictText = (bound: string | undefined, flat: boolean): string => {
  if (bound === undefined) return 'not judged';
  return flat ? 'flat' : 'RISES';
};

/** The last third of the soak against the middle one; `rising`: the figures that are judged and not flat. */
export function flatnessTable(samples: readonly Sample[]): { readonly text: string; readonly rising: string[] } {
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample)))];
  const verdicts = names.map((name) => {
    const bound = boundOf(name);
    const values = samples.map((sample) => sample[name]);
    return { name, bound, ...flatness(values, bounds[bound ?? 'resident']) };
  });
  const text = table([
    ['figure', 'median of the middle third', 'of the last', 'at most', 'highest', 'verdict'],
    ...verdicts.map(({ name, bound, middle, last, limit, most, flat }) => [
      name,
      ...[middle, last, limit, most].map((value) => figure(name, value)),
      verdictText(bound, flat),
    ]),
  ]);
  return {
    text,
    rising: verdicts.filter(({ bound, flat }) => bound !== undefined && !flat).map(({ name }) => name),
  };
}
