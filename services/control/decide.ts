/**
 * From a look to at most one decision: the first rule that holds (`rules.ts`), written down with the evidence it rests
 * on and an id that is a digest of its content.
 */
import { betDesignOf, betMultiples, betWeights, ownValue } from '../kernel/bets.ts';
import { canonicalJson, type Json, sha256Hex } from '../kernel/canonical-json.ts';
import type { Decision } from '../kernel/decision.ts';
import type {
  Evaluation,
  MetricEvaluation,
  MissingEvaluation,
  SloEvaluation,
  TestResult,
} from '../kernel/evaluation.ts';
import type { TestSums } from '../kernel/evidence.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { missingId } from './conditions.ts';
import { breachingMetrics } from './breaching-metrics.ts';
import { concludeWords } from './control-words.ts';
import type { Finding } from './finding.ts';
import { ruleVersion, rules } from './rules.ts';

/** What the fold of the control topic says of the experiment, up to an offset. */
export type ControlView = { readonly revision: ExperimentRevision | undefined; readonly offset: number };
export type Judgement = { readonly state: string; readonly ruleId: string; readonly decision?: Decision };

/**
 * At most one decision for a look. `past`: decisions of the control topic that were applied, oldest first; what was
 * published and not obeyed has happened nowhere. Nothing is decided before every partition carries the same revision.
 * The decision depends on nothing but its inputs.
 */
export function decide(evaluation: Evaluation, past: readonly Decision[], control?: ControlView): Judgement {
  if (!evaluation.settled || isOfAnotherPhase(evaluation, control)) return { state: 'UNSETTLED', ruleId: 'unsettled' };
  for (const rule of rules) {
    const finding = rule.when({ evaluation, past, ...(control?.revision && { table: control.revision }) });
    if (finding === undefined) continue;
    const { action } = finding;
    if (action === undefined || !isTimely(evaluation, action, control)) return { state: rule.state, ruleId: rule.id };
    return {
      state: rule.state,
      ruleId: rule.id,
      decision: toDecision(evaluation, control, rule.id, { ...finding, action }),
    };
  }
  return { state: 'CONTINUE', ruleId: 'continue' };
}

const isOfAnotherPhase = ({ experiment }: Evaluation, control: ControlView | undefined): boolean =>
  control?.revision !== undefined && control.revision.phase !== experiment.phase;

/** While the unit log has not heard of the table's revision, only stopping is sure to be meant for what runs. */
const isTimely = ({ experiment }: Evaluation, action: Decision['action'], control: ControlView | undefined): boolean =>
  action === 'rollback' || control?.revision === undefined || control.revision.revision === experiment.revision;

function toDecision(
  evaluation: Evaluation,
  control: ControlView | undefined,
  ruleId: string,
  finding: Finding & { action: Decision['action'] },
): Decision {
  const { experiment, versionVector } = evaluation;
  const { breaching, slo, missing, alpha } = finding;
  const metric = slo ? `slo:${slo.id}` : missing ? missingId(missing) : breaching?.metric;
  const identity = canonicalJson({
    experiment: experiment.spec.id,
    phase: experiment.phase,
    rule: ruleId,
    candidate: finding.candidate,
    metric,
    versionVector,
  });
  const digest = sha256Hex(identity);
  const tested = slo?.test ?? missing?.test ?? testOf(finding);
  const estimate = slo
    ? sloMean(experiment, slo)
    : missing
      ? lostShare(missing)
      : (testOf(finding)?.estimate ?? breaching?.arms[1]?.estimate);
  return {
    decisionId: digest.slice(0, 32),
    experimentId: experiment.spec.id,
    phase: experiment.phase,
    action: finding.action,
    reasonCode: finding.reasonCode,
    ruleId,
    ruleVersion,
    ...(finding.candidate !== undefined && { candidate: finding.candidate }),
    ...(metric !== undefined && { metric }),
    ...(tested && { testStart: tested.testStart.label, logE: tested.logE }),
    ...(estimate !== undefined && { estimate }),
    ...(alpha !== undefined && {
      alpha,
      threshold: slo?.test?.threshold ?? missing?.test?.threshold ?? Math.log(1 / alpha),
    }),
    ...(evaluation.watermark !== undefined && { watermark: evaluation.watermark }),
    eventsFolded: evaluation.eventsFolded,
    versionVector,
    configSha: experiment.configSha,
    revision: experiment.revision,
    evidence: evidenceOf(evaluation, finding),
    actor: 'engine',
    ...(finding.action === 'conclude' && { note: concludeWords(experiment) }),
    ...(control && { controlOffset: control.offset }),
    traceId: digest.slice(32, 64),
  };
}

/** The test that the finding rests on; futility rests on an interval. */
const testOf = ({ reasonCode, breaching }: Finding): TestResult | undefined =>
  reasonCode === 'WIN' ? breaching?.win : reasonCode === 'FUTILITY' ? undefined : breaching?.harm;

/** Mean of the arm's capped values in the metric's own unit. */
function sloMean({ spec }: ExperimentRevision, { metric, test }: SloEvaluation): number | undefined {
  const known = spec.metrics.find(({ id }) => id === metric);
  if (known === undefined || test === undefined) return undefined;
  return ownValue(known, test.bad / test.units);
}

/** Of the candidate's entries. */
function lostShare({ arms }: MissingEvaluation): number | undefined {
  const [, candidate] = arms;
  return candidate && candidate.entries > 0 ? candidate.missing / candidate.entries : undefined;
}

const sums = ({ harm, win, ...counts }: TestSums): Json => ({ ...counts, harm, win });

/**
 * Everything that the decision rests on: the sums, the frozen constants that turn them into evidence, and what else
 * stood past the bound.
 */
function evidenceOf(evaluation: Evaluation, finding: Finding): string {
  const { experiment, srm, attrition, learned, silent } = evaluation;
  const { breaching, slo, missing, alpha } = finding;
  const spec = breaching && experiment.spec.metrics.find(({ id }) => id === breaching.metric);
  const test = testOf(finding);
  const family = evaluation.metrics.filter(
    ({ candidate, role }) =>
      candidate === breaching?.candidate && (role === 'signal') === (breaching.role === 'signal'),
  );
  const also =
    alpha === undefined || finding.reasonCode === 'WIN'
      ? []
      : breachingMetrics(experiment.spec, family, alpha).filter((metric) => metric !== breaching);
  const arms = (metric: MetricEvaluation): Json =>
    metric.arms.map(({ estimate, ...counted }) => ({ ...counted, ...(estimate !== undefined && { estimate }) }));
  const design = breaching && spec ? betDesignOf(experiment.spec, spec, breaching.candidate) : undefined;
  const signs = attrition.find(({ candidate }) => candidate === finding.candidate);
  const differ =
    finding.reasonCode === 'HARM' && test !== undefined && test.testStart.kind !== 'whole' && signs !== undefined;
  return canonicalJson({
    srm: { logE: srm.logE, counts: srm.counts },
    ...(silent.length > 0 && { silent }),
    ...(differ && { labels: ['ATTRITION_MAY_DIFFER'], attrition: signs as never as Json }),
    ...(slo && { slo: slo as never as Json }),
    ...(missing && { missing: missing as never as Json }),
    ...(finding.reasonCode === 'BASELINE_LEARNED' &&
      learned?.ok && { baselines: learned.baselines as never as Json, units: learned.units }),
    ...(breaching && {
      metric: breaching.metric,
      candidate: breaching.candidate,
      arms: arms(breaching),
      interval: breaching.interval as never as Json,
      ...(breaching.conditionalPower !== undefined && { conditionalPower: breaching.conditionalPower }),
      ...(test && {
        engine: test.engine,
        testStart: { ...test.testStart },
        logE: test.logE,
        weightedLogE: test.weightedLogE,
        agreement: test.agreement,
        control: sums(test.control),
        test: sums(test.candidate),
      }),
      ...(design && {
        design: {
          q: design.q,
          center: design.center,
          design: design.design,
          variance: design.variance,
          tolerance: design.tolerance,
          isRatio: design.isRatio,
          mostWeight: { harm: [...design.mostWeight.harm], win: [...design.mostWeight.win] },
          harm: [...design.harm],
          win: [...design.win],
          multiples: [...betMultiples],
          weights: [...betWeights],
        },
      }),
      ...(also.length > 0 && {
        alsoHarmed: also.map((metric) => ({
          metric: metric.metric,
          weightedLogE: metric.harm?.weightedLogE ?? 0,
          testStart: metric.harm?.testStart.label ?? '',
        })),
      }),
    }),
  });
}
