/**
 * `explain`: a decision as a statistician wants it: sums, bets, every log e, weights, bound, and the statement that
 * fetches the sums.
 */
import type { Decision } from '../kernel/decision.ts';
import { betsOf, type Evidence, sideOf } from './evidence.ts';
import { readDecisions, withConnection } from './read.ts';
import { stepWords } from './results.ts';
import { promotionLines } from './slice-lines.ts';
import { slicesOfDecision } from './slices.ts';
import { print, printJson, table } from './terminal.ts';
import { findDecision } from './verify.ts';

const number = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(6));

export async function explain(home: string, id: string, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const { decision } = findDecision(await readDecisions(connection), id);
    const evidence = JSON.parse(decision.evidence) as Evidence;
    // Next to the evidence, not part of it: a promotion says where the candidate is worse.
    const slices = decision.action === 'promote' ? await slicesOfDecision(connection, decision) : undefined;
    if (json) printJson({ ...decision, evidence, ...(slices !== undefined && { slices }) });
    else
      for (const line of [...explanation(decision, evidence), ...(slices === undefined ? [] : promotionLines(slices))])
        print(line);
    return 0;
  });
}

/** Lines for a terminal. Everything printed is in the decision itself. */
export function explanation(decision: Decision, evidence: Evidence): string[] {
  return [
    ...headLines(decision, evidence),
    ...armLines(evidence),
    ...missingLines(evidence),
    ...testLines(decision, evidence),
    ...limitLines(evidence),
    ...baselineLines(evidence),
    ...intervalLines(evidence),
    ...otherLines(evidence),
    ...footLines(decision, evidence),
  ];
}

function headLines(decision: Decision, { labels = [] }: Evidence): string[] {
  const { action, candidate = 'every candidate', experimentId, phase, actor } = decision;
  const { reasonCode, metric, ruleId, ruleVersion, testStart } = decision;
  const onMetric = metric === undefined ? '' : ` on ${metric}`;
  return [
    `${action} of ${candidate} in ${experimentId}, phase ${phase}, by ${actor}`,
    `  why         ${reasonCode}${onMetric} (rule ${ruleId}, version ${ruleVersion})`,
    ...labels.map((label) => `  careful     ${label}: those who came back differ by arm, the harm may be about them`),
    ...(testStart === undefined ? [] : [`  counted     from ${testStart}`]),
  ];
}

const armLines = ({ arms = [] }: Evidence): string[] =>
  arms.map(({ arm, units, firstEvents, numerator, denominator, entries, known = entries, unknownCalls = 0 }) => {
    const totals = `${units} units, ${numerator} / ${denominator} in whole numbers`;
    const unknown = unknownCalls === 0 ? '' : `, ${unknownCalls} calls without a value`;
    const closed = `${entries} closed entries, ${known} of them known`;
    return `  ${arm.padEnd(11)} ${totals}, ${firstEvents} units with an event, ${closed}${unknown}`;
  });

function missingLines({ missing }: Evidence): string[] {
  if (missing === undefined) return [];
  const { step, metric, arms, test } = missing;
  const counted = arms.map(({ arm, entries, missing: lost }) => `${arm} ${lost} of ${entries}`).join(', ');
  const about = step === 'measured' || step === 'resolved' ? ` of ${metric}` : '';
  const evidence =
    test === undefined
      ? ''
      : `; log e ${test.logE.toFixed(4)}, with the test start's weight ${test.testStart.weight.toPrecision(4)}: ` +
        `${test.weightedLogE.toFixed(4)} against ${test.threshold.toFixed(4)}`;
  return [`  missing     ${stepWords[step]}${about}: ${counted}${evidence}`];
}

function limitLines({ slo }: Evidence): string[] {
  if (slo?.test === undefined) return [];
  const { bad, units, logE, testStart, weightedLogE, threshold } = slo.test;
  const weighted = `with the test start's weight ${testStart.weight.toPrecision(4)}: ${weightedLogE.toFixed(4)}`;
  return [
    `  limit       ${slo.id}: ${number(bad)} bad of ${units} units of ${slo.arm}, log e ${logE.toFixed(4)}, ` +
      `${weighted} against ${threshold.toFixed(4)}${slo.killed ? '; the hard kill was reached' : ''}`,
  ];
}

const baselineLines = ({ baselines = {} }: Evidence): string[] =>
  Object.entries(baselines).map(
    ([metric, { mean, sd }]) => `  learned     ${metric}: mean ${number(mean)}, sd ${number(sd)}`,
  );

function otherLines({ alsoHarmed = [], srm }: Evidence): string[] {
  const harmed = alsoHarmed.map(
    ({ metric, weightedLogE, testStart }) => `  also harmed ${metric}: ${weightedLogE.toFixed(4)}, ${testStart}`,
  );
  if (srm === undefined) return harmed;
  const counts = Object.entries(srm.counts).map(([arm, units]) => `${arm} ${units}`);
  return [...harmed, `  ratio       ${counts.join(', ')}: log e ${srm.logE.toFixed(4)}`];
}

function footLines(decision: Decision, evidence: Evidence): string[] {
  const { watermark, eventsFolded, note, versionVector, decisionId } = decision;
  const log = versionVector.map(({ partitionId, position }) => `partition ${partitionId} to ${position}`).join(', ');
  const asOf = watermark === undefined ? undefined : new Date(watermark).toISOString();
  return [
    ...(asOf === undefined ? [] : [`  as of       ${asOf} (event time), ${eventsFolded} events`]),
    ...(note === undefined ? [] : [`  reason      ${note}`]),
    `  log         ${log || '-'}`,
    ...(evidence.metric === undefined ? [] : [`  sums now    npx tripline sql "${sumsStatement(decision, evidence)}"`]),
    `  everything  npx tripline explain ${decisionId} --json`,
    `  same again  npx tripline verify ${decisionId}`,
  ];
}

function testLines(decision: Decision, evidence: Evidence): string[] {
  const { control, test, engine, testStart, logE, weightedLogE } = evidence;
  if (control === undefined || test === undefined || logE === undefined || testStart === undefined) return [];
  const weighted = weightedLogE ?? logE;
  const weight = Math.exp(weighted - logE);
  const bound =
    decision.threshold === undefined
      ? ''
      : ` against log(1/alpha) ${decision.threshold.toFixed(4)} at alpha ${decision.alpha}`;
  const metricWeight = (weight / testStart.weight).toPrecision(4);
  const startWeight = testStart.weight.toPrecision(4);
  const weights = `test start ${startWeight}, metric ${metricWeight}: ${weighted.toFixed(4)}${bound}`;
  return [
    `  entries     control ${control.n} (${control.s} not 0), candidate ${test.n} (${test.s} not 0), ` +
      'each unit once, with its first entry since then',
    ...designLines(decision, evidence),
    `  evidence    ${engine}: log e ${logE.toFixed(4)}`,
    sideOf(decision.reasonCode) === 'harm'
      ? `  weights     ${weights}`
      : `  bound      ${bound}, shared by goals and candidates`,
  ];
}

function designLines({ reasonCode }: Decision, evidence: Evidence): string[] {
  const { design, engine } = evidence;
  if (engine !== 'betting' || design === undefined) return [];
  const { q, center, variance, tolerance } = design;
  const shares = `q ${number(q)}, centre ${number(center)}, effect ${number(design.design)}`;
  const bets = betsOf(evidence, sideOf(reasonCode)).map(({ lambda, weight, log }) => [
    lambda.toPrecision(6),
    String(weight),
    log.toFixed(4),
  ]);
  return [
    `  design      ${shares}, variance ${number(variance)}, tolerance ${number(tolerance)} ` +
      '(shares of the cap, harm upwards)',
    ...table([['lambda', 'prior', 'log of product'], ...bets])
      .split('\n')
      .map((line) => `              ${line}`),
  ];
}

function intervalLines({ interval, conditionalPower }: Evidence): string[] {
  if (interval === undefined) return [];
  if (!interval.ok) return [`  interval    none: ${interval.reason}`];
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const { estimate, lower, upper, alpha, engine, relative, gate } = interval;
  return [
    `  interval    ${number(estimate)} [${number(lower)}, ${number(upper)}] candidate minus control, whole phase, ` +
      `at all looks with ${percent(1 - alpha)} (${engine}, asymptotic; the decision is not made from it)`,
    ...(relative
      ? [
          `              ${percent(relative.estimate)} [${percent(relative.lower)}, ${percent(relative.upper)}] ` +
            "of control's mean",
        ]
      : []),
    ...(gate === undefined ? [] : [`              not to be relied on yet: ${gate}`]),
    ...(conditionalPower === undefined
      ? []
      : [`              chance of a win by the horizon ${percent(conditionalPower)}`]),
  ];
}

/** Ids in an experiment file hold letters, digits, - and _ only. */
const sumsStatement = ({ experimentId, phase }: Decision, { metric, candidate }: Evidence): string =>
  'SELECT partition_id, arm, segment, units, test_sums FROM state FINAL ' +
  `WHERE log = 'unit' AND kind = 'test_aggregate' AND experiment = '${experimentId}' AND phase = ${phase} ` +
  `AND metric = '${metric}' AND candidate = '${candidate}' ORDER BY segment, arm, partition_id`;
