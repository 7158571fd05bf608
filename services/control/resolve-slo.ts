import { binomialUpperTail } from '../kernel/binomial.ts';
import type { MetricSpec, SloSpec } from '../kernel/experiment.ts';
import type { SloInput } from './file-schema.ts';
import { isShare, type ResolveProblem } from './resolve-metrics.ts';

/** An SLO of a settled metric, or what is wrong with it. `arms`: ids, control first or not. */
export function resolveSlo(
  input: SloInput,
  context: {
    unit: string;
    metrics: readonly MetricSpec[];
    arms: readonly { readonly id: string; readonly role: 'control' | 'candidate' }[];
    alphaSlo: number;
  },
): SloSpec | ResolveProblem {
  const { unit, metrics, arms, alphaSlo } = context;
  const metric = metrics.find(({ id }) => id === input.metric);
  const arm = arms.find(({ id }) => id === input.arm);
  if (metric === undefined)
    return { key: 'metric', code: 'unknown-metric', message: `no metric "${input.metric}" in this file` };
  if (arm === undefined) return { key: 'arm', code: 'unknown-arm', message: `no arm "${input.arm}" in this file` };
  const { cap, floor = 0 } = metric;
  if (input.worse_than >= cap || input.worse_than <= floor)
    return {
      key: 'worse_than',
      code: 'beyond-cap',
      message: `values lie between ${floor} and ${cap}: so does the limit`,
    };
  const kill = input.hard_kill;
  let spent = 0;
  if (kill !== undefined) {
    if (unit !== 'request' || !isShare(metric) || cap !== 1 || floor !== 0)
      return {
        key: 'hard_kill',
        code: 'not-binary',
        message: 'a hard kill counts failures one by one: unit request and a metric that is 0 or 1',
      };
    if (kill.fail > kill.of) return { key: 'hard_kill', code: 'impossible', message: 'more failures than units' };
    const limit = metric.better === 'lower' ? input.worse_than : 1 - input.worse_than;
    spent = binomialUpperTail(kill.fail, kill.of, limit);
    if (spent >= alphaSlo)
      return {
        key: 'hard_kill',
        code: 'too-eager',
        message:
          `at the limit ${input.worse_than} this happens by chance more often than alpha_slo ${alphaSlo} allows: ` +
          'ask for more failures',
      };
  }
  return {
    id: input.id,
    arm: arm.id,
    metric: metric.id,
    worseThan: input.worse_than,
    action: input.action ?? (arm.role === 'candidate' ? 'rollback' : 'pause'),
    ...(kill && { hardKill: { ...kill, alpha: spent } }),
  };
}
