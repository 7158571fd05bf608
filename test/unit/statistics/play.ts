/** A story of visitors through all of the pipeline in memory, with the decisions that it leads to. */
import { decide } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';
import { anExperimentFile, anInference, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath, type MemoryPath } from '../../support/memory-path.ts';
import { metricLine } from '../../support/metric-line.ts';

export type Visitor = {
  readonly user: string;
  readonly variant: 'A' | 'B';
  readonly at: number;
  readonly chance: () => number;
};
type Story = {
  readonly metrics: string;
  readonly extra?: string;
  readonly users?: number;
  readonly everyMs?: number;
  readonly seed?: number;
  readonly visit: (path: MemoryPath, visitor: Visitor) => void;
};

/** A look every 50 users, and a day of ticks at the end; decisions as they come. */
export function play({ metrics, extra = '', users = 1_200, everyMs = 3 * 60_000, seed = 1, visit }: Story) {
  const path = createMemoryPath(2);
  path.apply(
    aRevision({}, anExperimentFile({ metrics, extra: `  analysis: { min_run: 24h, horizon: 30d }\n${extra}` })),
  );
  const decisions: Decision[] = [];
  const look = (): void => void decisions.push(...[path.decide('exp-test')].flatMap((found) => found ?? []));
  let at = monday;
  for (let user = 0; user < users; user += 1) {
    const random = createRandom(seedOf(seed, user));
    const chance = (): number => random.next() / 2 ** 32;
    at = monday + user * everyMs;
    visit(path, { user: `user-${user}`, variant: chance() < 0.5 ? 'A' : 'B', at, chance });
    if (user % 50 === 49) look();
  }
  for (let hours = 1; hours <= 24; hours += 8) {
    path.tick(at + hours * hour);
    look();
  }
  const evaluation = path.look('exp-test');
  return { decisions, evaluation, state: decide(evaluation, decisions).state };
}
export const metricOf = ({ evaluation }: ReturnType<typeof play>, id: string) => {
  const found = evaluation.metrics.find(({ metric }) => metric === id);
  if (found === undefined) throw new Error(`no metric ${id}`);
  return found;
};

export const errorRate = metricLine({
  id: 'error_rate',
  numerator: 'errors',
  harm: 0.05,
  margin: 0.05,
  baseline: { mean: 0.05, sd: 0.218 },
  cap: 1,
});
export const call = ({ user, variant, at }: Visitor, fields: Parameters<typeof anInference>[0] = {}) =>
  anInference({ user, variant, at, ticket: `T-${user}`, ...fields });
