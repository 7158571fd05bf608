/**
 * `verify`: a decision recomputed three times. From the log, folded again from its beginning to the decision's version vector: the same bytes. From the facts in
 * ClickHouse up to that vector: the same totals. From the sums in its own evidence: the same log e.
 */
import { decide, toDecisionRecord } from '../control/index.ts';
import { createPartitionFold, foldRecord, lookAt } from '../joiner/index.ts';
import { takeFlushRows } from '../joiner/rows.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { positionsPerOffset } from '../runtime/run-fold.ts';
import { topicName } from '../runtime/topics.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { evaluate } from '../statistics/index.ts';
import { type Evidence, recomputeLogE } from './evidence.ts';
import { readDecisions, withConnection } from './read.ts';
import { paint, print, printJson } from './terminal.ts';

export const findDecision = (all: readonly { decision: Decision; frame: Buffer }[], id: string): { decision: Decision; frame: Buffer } => {
  const found = all.filter(({ decision }) => decision.decisionId.startsWith(id));
  if (found.length !== 1 || found[0] === undefined) throw new PipelineError('DECISION_UNKNOWN', found.length === 0 ? `no decision begins with ${id}` : `${found.length} decisions begin with ${id}`, { cure: '`npx tripline decisions` lists them' });
  return found[0];
};

/** Same bytes: exit 0. Different bytes: exit 1, and both are shown. */
export async function verify(home: string, id: string, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const { log, codec, prefix } = connection;
    const all = await readDecisions(connection);
    const { decision, frame } = findDecision(all, id);
    if (decision.actor !== 'engine') throw new PipelineError('DECISION_UNKNOWN', `decision ${decision.decisionId} was made by ${decision.actor}, not computed`, { cure: 'its reason is its evidence: `npx tripline explain`' });
    const topic = topicName(prefix, 'unit.v1');
    await codec.register([{ record: 'decision', topic: topicName(prefix, 'control.v1') }]);
    const upTo = new Map(decision.versionVector.map(({ part, ver }) => [part, ver]));
    const until = (await log.endOffsets(topic)).map((_, part) => Math.ceil((upTo.get(part) ?? 0) / positionsPerOffset));
    const partitions = until.map((_, part) => createPartitionFold(part));
    for (const record of await log.readToEnd(topic, until)) {
      const partition = partitions[record.partition];
      if (record.value === null || partition === undefined) continue;
      await codec.prepare([record.value]);
      const decoded = codec.decode(['unit-record'], record.value);
      if (!decoded.ok) continue; // the joiner parked it, the fold never saw it
      for (const [index, unit] of decoded.value.records.entries()) foldRecord(partition, unit, record.offset * positionsPerOffset + index);
    }
    for (const partition of partitions) takeFlushRows(partition, upTo.get(partition.part) ?? 0);
    const look = lookAt(partitions, decision.experimentId, (part) => upTo.get(part) ?? 0);
    const past = all.map((entry) => entry.decision).filter((earlier) => earlier.experimentId === decision.experimentId && earlier.seq < decision.seq);
    const again = look && decide(evaluate(look), past).decision;
    const bytes = again && codec.encode('decision', toDecisionRecord(again));
    // The body is compared; bytes 1 to 4 name the schema that the registry gave it.
    const same = bytes?.subarray(5).equals(frame.subarray(5)) ?? false;
    const evidence = JSON.parse(decision.evidence) as Evidence;
    const facts = look === undefined ? undefined : await recountFacts(connection.store, decision, evidence, look.experiment);
    const arithmetic = recomputeLogE(evidence);
    const sound = same && arithmetic.ok && (facts === undefined || facts.differences.length === 0);
    if (json) printJson({ decision_id: decision.decisionId, same, bytes: frame.length - 5, facts: facts ?? null, arithmetic, published: decision, recomputed: again ?? null });
    else {
      const messages = [...upTo.values()].reduce((sum, ver) => sum + ver / positionsPerOffset, 0);
      print(same ? `${paint.green('same')} ${decision.decisionId}: ${frame.length - 5} bytes recomputed from ${messages} messages of ${upTo.size} partitions` : `${paint.red('different')} ${decision.decisionId}\npublished:  ${JSON.stringify(decision)}\nrecomputed: ${JSON.stringify(again ?? null)}`);
      print(facts === undefined ? '  facts       not recounted: the metric counts outcomes, or the decision names none' : facts.differences.length === 0 ? `  facts       ${paint.green('same')} totals recounted in ClickHouse: ${facts.arms.map(({ arm, units, numerator, denominator }) => `${arm} ${units} units ${numerator}/${denominator}`).join(', ')}` : `  facts       ${paint.red('different')} ${facts.differences.join('; ')}`);
      print(arithmetic.ok ? `  arithmetic  ${arithmetic.said}` : `  arithmetic  ${paint.red('different')} ${arithmetic.said}`);
    }
    return sound ? 0 : 1;
  });
}

type FactRow = { readonly arm: string; readonly units: string; readonly numerator: string; readonly denominator: string };

/** The arms' totals from the facts before the decision's version vector; undefined where facts alone do not tell (outcomes belong to windows of entities). */
async function recountFacts(store: Store, decision: Decision, evidence: Evidence, { spec }: ExperimentRevision): Promise<{ readonly arms: readonly FactRow[]; readonly differences: readonly string[] } | undefined> {
  const ordinal = spec.metrics.findIndex(({ id }) => id === evidence.metric);
  const metric = spec.metrics[ordinal];
  if (metric === undefined || evidence.arms === undefined || metric.numerator.of === 'outcome' || metric.denominator?.of === 'outcome') return undefined;
  const until = Array.from({ length: Math.max(0, ...decision.versionVector.map(({ part }) => part)) + 1 }, (_, part) => decision.versionVector.find((entry) => entry.part === part)?.ver ?? 0);
  const arms = await store.rows<FactRow>(await sqlQuery('recount-decision'), { experiment: spec.id, phase: decision.phase, ordinal, until, crossovers: spec.health.crossovers });
  const differences = evidence.arms.flatMap(({ arm, units, numerator, denominator }) => {
    const row = arms.find((found) => found.arm === arm) ?? { units: '0', numerator: '0', denominator: '0' };
    // Without a denominator each unit counts once; facts do not repeat that.
    const counted = { units: Number(row.units), numerator: row.numerator, denominator: metric.denominator === undefined ? row.units : row.denominator };
    return counted.units === units && counted.numerator === numerator && counted.denominator === denominator ? [] : [`${arm}: evidence says ${units} units ${numerator}/${denominator}, facts say ${counted.units} units ${counted.numerator}/${counted.denominator}`];
  });
  return { arms, differences };
}
