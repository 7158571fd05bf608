/**
 * `explain`: a decision as a statistician wants it: sums, bets, every log e, weights, bound, and the statement that
 * fetches the sums.
 */
import type { Decision } from '../kernel/decision.ts';
import { betsOf, type Evidence, sideOf } from './evidence.ts';
import { readDecisions, withConnection } from './read.ts';
import { print, printJson, table } from './terminal.ts';
import { findDecision } from './verify.ts';

const number = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(6));

export async function explain(home: string, id: string, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const { decision } = findDecision(await readDecisions(connection), id);
    const evidence = JSON.parse(decision.evidence) as Evidence;
    if (json) printJson({ ...decision, evidence });
    else for (const line of explanation(decision, evidence)) print(line);
    return 0;
  });
}

/** Lines for a terminal. Everything printed is in the decision itself. */
export function explanation(decision: Decision, evidence: Evidence): string[] {
  const { arms = [], slo } = evidence;
  return [
    `${decision.action} of ${decision.candidate ?? 'every candidate'} in ${decision.experimentId}, phase ${decision.phase}, decision ${decision.seq} by ${decision.actor}`,
    `  why         ${decision.reasonCode}${decision.metric === undefined ? '' : ` on ${decision.metric}`} (rule ${decision.ruleId}, version ${decision.ruleVersion})`,
    ...(evidence.labels ?? []).map(
      (label) => `  careful     ${label}: those who came back differ by arm, the harm may be about them`,
    ),
    ...(decision.testStart === undefined ? [] : [`  counted     from ${decision.testStart}`]),
    ...arms.map(
      ({ arm, units, firstEvents, numerator, denominator, entries }) =>
        `  ${arm.padEnd(11)} ${units} units, ${numerator} / ${denominator} in whole numbers, ${firstEvents} units with an event, ${entries} closed entries`,
    ),
    ...testLines(decision, evidence),
    ...(slo?.test === undefined
      ? []
      : [
          `  limit       ${slo.id}: ${number(slo.test.bad)} bad of ${slo.test.units} units of ${slo.arm}, log e ${slo.test.logE.toFixed(4)}, with the restart's weight ${slo.test.testStart.weight.toPrecision(4)}: ${slo.test.weightedLogE.toFixed(4)} against ${slo.test.threshold.toFixed(4)}${slo.killed ? '; the hard kill was reached' : ''}`,
        ]),
    ...Object.entries(evidence.baselines ?? {}).map(
      ([metric, { mean, sd }]) => `  learned     ${metric}: mean ${number(mean)}, sd ${number(sd)}`,
    ),
    ...intervalLines(evidence),
    ...(evidence.alsoHarmed ?? []).map(
      (other) => `  also harmed ${other.metric}: ${other.weightedLogE.toFixed(4)}, ${other.testStart}`,
    ),
    ...(evidence.srm === undefined
      ? []
      : [
          `  ratio       ${Object.entries(evidence.srm.counts)
            .map(([arm, units]) => `${arm} ${units}`)
            .join(', ')}: log e ${evidence.srm.logE.toFixed(4)}`,
        ]),
    ...(decision.watermark === undefined
      ? []
      : [`  as of       ${new Date(decision.watermark).toISOString()} (event time), ${decision.eventsFolded} events`]),
    ...(decision.note === undefined ? [] : [`  reason      ${decision.note}`]),
    `  log         ${decision.versionVector.map(({ partitionId, position }) => `partition ${partitionId} to ${position}`).join(', ') || '-'}`,
    ...(evidence.metric === undefined ? [] : [`  sums now    npx tripline sql "${sumsStatement(decision, evidence)}"`]),
    `  everything  npx tripline explain ${decision.decisionId} --json`,
    `  same again  npx tripline verify ${decision.decisionId}`,
  ];
}

function testLines(decision: Decision, evidence: Evidence): string[] {
  const { design, control, test, engine, testStart, logE, weightedLogE } = evidence;
  if (control === undefined || test === undefined || logE === undefined || testStart === undefined) return [];
  const side = sideOf(decision.reasonCode);
  const weight = Math.exp((weightedLogE ?? logE) - logE);
  const lines = [
    `  entries     control ${control.n} (${control.s} not 0), candidate ${test.n} (${test.s} not 0), each unit once, with its first entry since then`,
  ];
  if (engine === 'betting' && design) {
    lines.push(
      `  design      q ${number(design.q)}, centre ${number(design.center)}, effect ${number(design.design)}, variance ${number(design.variance)}, tolerance ${number(design.tolerance)} (shares of the cap, harm upwards)`,
      ...table([
        ['lambda', 'prior', 'log of product'],
        ...betsOf(evidence, side).map(({ lambda, weight: prior, log }) => [
          lambda.toPrecision(6),
          String(prior),
          log.toFixed(4),
        ]),
      ])
        .split('\n')
        .map((line) => `              ${line}`),
    );
  }
  const bound =
    decision.threshold === undefined
      ? ''
      : ` against log(1/alpha) ${decision.threshold.toFixed(4)} at alpha ${decision.alpha}`;
  lines.push(
    `  evidence    ${engine}: log e ${logE.toFixed(4)}`,
    side === 'harm'
      ? `  weights     restart ${testStart.weight.toPrecision(4)}, metric ${(weight / testStart.weight).toPrecision(4)}: ${(weightedLogE ?? logE).toFixed(4)}${bound}`
      : `  bound      ${bound}, shared by goals and candidates`,
  );
  return lines;
}

function intervalLines({ interval, conditionalPower }: Evidence): string[] {
  if (interval === undefined) return [];
  if (!interval.ok) return [`  interval    none: ${interval.reason}`];
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  return [
    `  interval    ${number(interval.estimate)} [${number(interval.lower)}, ${number(interval.upper)}] candidate minus control, whole phase, at all looks with ${percent(1 - interval.alpha)} (${interval.engine}, asymptotic; the decision is not made from it)`,
    ...(interval.relative
      ? [
          `              ${percent(interval.relative.estimate)} [${percent(interval.relative.lower)}, ${percent(interval.relative.upper)}] of control's mean`,
        ]
      : []),
    ...(interval.gate === undefined ? [] : [`              not to be relied on yet: ${interval.gate}`]),
    ...(conditionalPower === undefined
      ? []
      : [`              chance of a win by the horizon ${percent(conditionalPower)}`]),
  ];
}

/** Ids in an experiment file hold letters, digits, - and _ only. */
const sumsStatement = ({ experimentId, phase }: Decision, { metric, candidate }: Evidence): string =>
  `SELECT partition_id, arm, slot AS segment, n, x FROM state FINAL WHERE log = 'unit' AND kind = 'entry' AND experiment = '${experimentId}' AND phase = ${phase} AND metric = '${metric}' AND candidate = '${candidate}' ORDER BY segment, arm, partition_id`;
