/** Claims G2, G3 and G4 as tables: how soon each rule finds a harm, at equal error and on the same visits. */
import { chunksOf } from '../../services/simulation/index.ts';
import { clopperPearson } from '../../services/simulation/limits.ts';
import type { SimulationJob } from './jobs.ts';
import { columns, flags, onThreads, percent, print, seed } from './output.ts';
import { costCases, prepareCase, rateCases, type SpeedCase } from './speed.ts';

type Claim = {
  readonly claim: string;
  readonly got: number;
  readonly bar: number;
  readonly atLeast?: boolean;
  readonly limits?: { readonly lower: number; readonly upper: number };
};
/** What the runs of every case say about a rule. */
type Measured = {
  readonly rejected: (of: SpeedCase, rule: string) => number;
  /** In units; a run that never stopped counts with its horizon. */
  readonly mean: (of: SpeedCase, rule: string) => number;
};

const betting = 'betting, design prior, exact';
const budget = 'budget mode, 10k pairs';
/** Units in the horizon of `budget`: 10,000 pairs. */
const budgetUnits = 20_000;

const runsOf = ({ kind, factor }: SpeedCase): number =>
  Math.ceil((kind === 'rate' ? 2_400 : factor === 1 ? 2_000 : 400) / (flags.quick ? 8 : 1));

async function measure(cases: readonly SpeedCase[]): Promise<Measured> {
  const jobs = cases.flatMap((of, index) =>
    chunksOf(runsOf(of), 25).map(({ from, to }): SimulationJob => ({ kind: 'speed', of, seed, index, from, to })),
  );
  const results = await onThreads<number[][]>('speed', jobs);
  const timesOf = (of: SpeedCase, rule: string): number[] => {
    const at = prepareCase(of).names.indexOf(rule);
    return jobs.flatMap((job, place) => (job.kind === 'speed' && job.of === of ? (results[place]?.[at] ?? []) : []));
  };
  const horizonOf = (of: SpeedCase, rule: string): number => (rule === budget ? budgetUnits : of.visits);
  return {
    rejected: (of, rule) => timesOf(of, rule).filter((time) => time > 0).length / runsOf(of),
    mean: (of, rule) =>
      timesOf(of, rule).reduce((sum, time) => sum + (time > 0 ? time : horizonOf(of, rule)), 0) / runsOf(of),
  };
}

function rateClaims({ rejected, mean }: Measured): Claim[] {
  const [none, design, large] = rateCases as [SpeedCase, SpeedCase, SpeedCase];
  const timesOracle = (of: SpeedCase, rule: string): number => mean(of, rule) / mean(of, 'oracle');
  print(
    '\nSpeed at equal harm-side error 5%, 1:1, mean pairs (times the oracle), ' +
      `${runsOf(design)} runs; the oracle knows both rates`,
  );
  columns([
    ['rule', 'false alarms to 50k pairs', design.id, large.id, `found, ${design.id}`],
    ...prepareCase(design).names.map((rule) => [
      rule,
      percent(rejected(none, rule), 1),
      ...[design, large].map(
        (of) => `${Math.round(mean(of, rule) / 2).toLocaleString('en')} (${timesOracle(of, rule).toFixed(2)})`,
      ),
      percent(rejected(design, rule), 1),
    ]),
  ]);
  const power = rejected(design, budget);
  return [
    { claim: 'G2 betting at the design harm, times the oracle', got: timesOracle(design, betting), bar: 1.15 },
    { claim: 'G2 betting at 2.5 times the design harm', got: timesOracle(large, betting), bar: 1.3 },
    { claim: 'G3 budget mode at the design harm', got: timesOracle(design, budget), bar: 1.1 },
    { claim: 'G3 budget mode at 2.5 times the design harm', got: timesOracle(large, budget), bar: 1.1 },
    {
      claim: 'G3 budget mode, power at the horizon',
      got: power,
      bar: 0.97,
      atLeast: true,
      limits: clopperPearson(Math.round(power * runsOf(design)), runsOf(design)),
    },
  ];
}

function costClaims(costs: readonly SpeedCase[], { rejected, mean }: Measured): Claim[] {
  const rules = prepareCase(costs[0] as SpeedCase).names;
  print(
    '\nSpeed on heavy-tailed cost, 10% canary, lognormal(1.5) capped: mean units, ' +
      `${runsOf(costs[1] as SpeedCase)} runs (x1: false alarms to 100k units)`,
  );
  const shown = (of: SpeedCase, rule: string): string => {
    if (of.factor === 1) return percent(rejected(of, rule), 1);
    return rule.endsWith('win side') ? '-' : Math.round(mean(of, rule)).toLocaleString('en');
  };
  columns([
    ['rule', ...costs.map(({ id }) => id.replace(', cap', ''))],
    ...rules.map((rule) => [rule, ...costs.map((of) => shown(of, rule))]),
  ]);
  const rivals = rules.filter((rule) => !rule.startsWith('betting') && !rule.endsWith('win side'));
  return costs
    .filter(({ factor }) => factor === 1.2)
    .map((of) => {
      const rival = [...rivals].sort((a, b) => mean(of, a) - mean(of, b))[0] ?? '';
      return {
        claim: `G4 ${of.id}: betting / best rival (${rival}, chosen afterwards)`,
        got: mean(of, betting) / mean(of, rival),
        bar: 0.8,
      };
    });
}

/** A share within chance of its bar is not refuted, and not called held either. */
function verdictOf({ got, bar, atLeast, limits }: Claim): 'holds' | 'within chance' | 'FAILS' {
  if (atLeast ? got >= bar : got <= bar) return 'holds';
  return limits && limits.lower <= bar && limits.upper >= bar ? 'within chance' : 'FAILS';
}

/** Whether the claims hold. */
export async function speed(): Promise<boolean> {
  const cases = [...rateCases, ...costCases.filter(({ factor }) => !flags.quick || factor === 1 || factor === 1.2)];
  const measured = await measure(cases);
  const claims = [
    ...rateClaims(measured),
    ...costClaims(
      cases.filter(({ kind }) => kind === 'cost'),
      measured,
    ),
  ];
  print('\nClaims');
  columns([
    ['claim', 'measured', 'limits', 'bar', ''],
    ...claims.map((claim) => [
      claim.claim,
      claim.got.toFixed(3),
      claim.limits ? `${claim.limits.lower.toFixed(3)} - ${claim.limits.upper.toFixed(3)}` : '',
      `${claim.atLeast ? '>=' : '<='} ${claim.bar}`,
      verdictOf(claim),
    ]),
  ]);
  return claims.every((claim) => verdictOf(claim) !== 'FAILS');
}
