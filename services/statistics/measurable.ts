/** Whether a metric can be judged at all: how much of it is not known, why, and what to do about it. */
import { type ValueRule, valueRuleOf } from '../kernel/entry-value.ts';
import type { ArmTotals, MetricEvaluation, MissingEvaluation } from '../kernel/evaluation.ts';
import { type Look, type UnknownReason, unknownReasons } from '../kernel/evidence.ts';
import type { MetricSpec } from '../kernel/experiment.ts';

/** Above this share of entries that are not fully known a metric is not measured. */
export const mostUnknown = 0.2;

const hints: Readonly<Record<UnknownReason, string>> = {
  unpriced: 'give the model a price, or send the cost with the call',
  'timed out': 'calls that time out report nothing: look why they do',
  filtered: 'blocked calls report nothing: measure it on the others, by a slice',
  'not reported': 'send the field with every call',
};

type Kind = Pick<ValueRule, 'needsCalls' | 'isSampled'>;

/** Share of an arm's entries that are not or not fully known; of a metric of the checked calls, of those. */
export function unknownShareOf({ entries, incomplete, uncalled }: ArmTotals, { needsCalls, isSampled }: Kind): number {
  return entries === 0 ? 0 : ((isSampled ? 0 : incomplete) + (needsCalls ? uncalled : 0)) / entries;
}

/** Whether the arms differ in how many of the metric's values are not known. */
export const differsInMissing = ({ id }: MetricSpec, needsCalls: boolean, missing: readonly MissingEvaluation[]) =>
  missing.some(
    ({ step, metric, action, differs }) =>
      differs &&
      (step === 'called' || step === 'called again'
        ? needsCalls
        : metric === id && (step === 'measured' || (step === 'resolved' && action === 'pause'))),
  );

/** Why the metric cannot be measured, or undefined. */
export function cannotMeasure(
  look: Look,
  metric: MetricSpec,
  arms: MetricEvaluation['arms'],
  missing: readonly MissingEvaluation[],
): string | undefined {
  const rule = valueRuleOf(metric);
  if (arms.some(({ entries }) => entries === 0)) return undefined;
  const [worst] = [...arms].sort((a, b) => unknownShareOf(b, rule) - unknownShareOf(a, rule));
  if (worst === undefined) return undefined;
  const share = unknownShareOf(worst, rule);
  const isBlind = arms.some(({ known, none, entries }) => known === 0 && (rule.perCall || none < entries));
  const differs = differsInMissing(metric, rule.needsCalls, missing);
  if (!isBlind && !differs && share <= mostUnknown) return undefined;
  const percent = Number((100 * share).toPrecision(3));
  const what = `not known for ${percent}% of ${worst.arm}'s entries`;
  return `${what}${differs ? ', and the arms differ in it' : ''}: ${hintOf(look, metric.id, worst)}`;
}

function hintOf(look: Look, metric: string, { arm, entries, uncalled, incomplete }: ArmTotals): string {
  if (uncalled > incomplete)
    return `${uncalled} of ${entries} were exposed and never called; look between assign() and record()`;
  const calls = new Map<UnknownReason, number>();
  for (const held of look.partitions.flatMap(({ unknown }) => unknown ?? []))
    if (held.arm === arm && held.metric === metric) calls.set(held.reason, (calls.get(held.reason) ?? 0) + held.calls);
  const [reason] = [...unknownReasons].sort((a, b) => (calls.get(b) ?? 0) - (calls.get(a) ?? 0));
  if (reason === undefined || !calls.has(reason)) return 'nothing was measured in both arms';
  return `${calls.get(reason)} calls ${reason}; ${hints[reason]}`;
}
