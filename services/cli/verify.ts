/**
 * `verify`: a decision recomputed three times. From the log, folded again from its beginning to the decision's version
 * vector: the same bytes. From the facts in ClickHouse up to that vector: the same totals. From the sums in its own
 * evidence: the same log e.
 */
import { decide, toDecisionRecord } from '../control/index.ts';
import { lookAt } from '../joiner/index.ts';
import { type RefoldRecord, refold } from '../joiner/refold.ts';
import type { Decision } from '../kernel/decision.ts';
import { chainOf, type Generation, holdsPartition, type PartitionRange } from '../kernel/generations.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { readGenerations } from '../runtime/generations.clickhouse.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { topicName } from '../runtime/topics.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { evaluate } from '../statistics/index.ts';
import { type Evidence, recomputeLogE } from './evidence.ts';
import { readDecisions, withConnection } from './read.ts';
import { paint, print, printJson } from './terminal.ts';

export const findDecision = (
  all: readonly { decision: Decision; frame: Buffer }[],
  id: string,
): { decision: Decision; frame: Buffer } => {
  const found = all.filter(({ decision }) => decision.decisionId.startsWith(id));
  if (found.length !== 1 || found[0] === undefined)
    throw new PipelineError(
      'DECISION_UNKNOWN',
      found.length === 0 ? `no decision begins with ${id}` : `${found.length} decisions begin with ${id}`,
      { hint: '`npx tripline decisions` lists them' },
    );
  return found[0];
};

/** Same bytes: exit 0. Different bytes: exit 1, and both are shown. */
export async function verify(home: string, id: string, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const { log, codec, prefix } = connection;
    const all = await readDecisions(connection);
    const { decision, frame } = findDecision(all, id);
    if (decision.actor !== 'engine')
      throw new PipelineError(
        'DECISION_UNKNOWN',
        `decision ${decision.decisionId} was made by ${decision.actor}, not computed`,
        { hint: 'its reason is its evidence: `npx tripline explain`' },
      );
    await codec.register([{ record: 'decision', topic: topicName(prefix, 'control.v1') }]);
    const upTo = new Map(decision.versionVector.map(({ partitionId, position }) => [partitionId, position]));
    const generations = await readGenerations(connection.store, log, prefix);
    const generation = generations.find((other) => holdsPartition(other, decision.versionVector[0]?.partitionId ?? 0));
    if (generation === undefined)
      throw new PipelineError('VERIFY_MISMATCH', `decision ${decision.decisionId} names parts that no epoch has`, {
        hint: 'verify it against the database it was made on',
      });
    const partitions = await refold(generations, generation, upTo, async (topic, until) => {
      const read: RefoldRecord[] = [];
      for (const { partition, offset, value } of await log.readToEnd(`${prefix}.${topic}`, until)) {
        if (value === null) continue;
        await codec.prepare([value]);
        const decoded = codec.decode(['unit-record'], value);
        // else: the joiner parked it, the fold never saw it
        if (decoded.ok) read.push({ partition, offset, records: decoded.value.records });
      }
      return read;
    });
    const look = lookAt(partitions, decision.experimentId, (partitionId) => upTo.get(partitionId) ?? 0);
    const past = all
      .map((entry) => entry.decision)
      .filter((earlier) => earlier.experimentId === decision.experimentId && earlier.seq < decision.seq);
    const again = look && decide(evaluate(look), past).decision;
    const bytes = again && codec.encode('decision', toDecisionRecord(again));
    // The body is compared; bytes 1 to 4 name the schema that the registry gave it.
    const same = bytes?.subarray(5).equals(frame.subarray(5)) ?? false;
    const evidence = JSON.parse(decision.evidence) as Evidence;
    const facts =
      look === undefined
        ? undefined
        : await recountFacts(
            connection.store,
            ranges(generations, generation, upTo),
            decision,
            evidence,
            look.experiment,
          );
    const arithmetic = recomputeLogE(evidence);
    const sound = same && arithmetic.ok && (facts === undefined || facts.differences.length === 0);
    if (json)
      printJson({
        decision_id: decision.decisionId,
        same,
        bytes: frame.length - 5,
        facts: facts ?? null,
        arithmetic,
        published: decision,
        recomputed: again ?? null,
      });
    else {
      const messages = [...upTo.values()].reduce((sum, position) => sum + position / positionsPerOffset, 0);
      print(
        same
          ? `${paint.green('same')} ${decision.decisionId}: ${frame.length - 5} bytes recomputed from ${messages} messages of ${upTo.size} partitions`
          : `${paint.red('different')} ${decision.decisionId}\npublished:  ${JSON.stringify(decision)}\nrecomputed: ${JSON.stringify(again ?? null)}`,
      );
      print(
        facts === undefined
          ? '  facts       not recounted: the metric counts outcomes, or the decision names none'
          : facts.differences.length === 0
            ? `  facts       ${paint.green('same')} totals recounted in ClickHouse: ${facts.arms.map(({ arm, units, numerator, denominator }) => `${arm} ${units} units ${numerator}/${denominator}`).join(', ')}`
            : `  facts       ${paint.red('different')} ${facts.differences.join('; ')}`,
      );
      print(
        arithmetic.ok
          ? `  arithmetic  ${arithmetic.said}`
          : `  arithmetic  ${paint.red('different')} ${arithmetic.said}`,
      );
    }
    return sound ? 0 : 1;
  });
}

/**
 * Where the facts of a version vector lie: its own parts up to it, and those they were divided from up to their ends.
 */
const ranges = (
  generations: readonly Generation[],
  generation: Generation,
  upTo: ReadonlyMap<number, number>,
): PartitionRange[] => {
  const chain = chainOf(generations, generation);
  return [
    ...chain.slice(1).flatMap((child, index) =>
      child.ends.map((below, partition) => ({
        partitionId: (chain[index]?.firstPartitionId ?? 0) + partition,
        below,
      })),
    ),
    ...[...upTo].map(([partitionId, below]) => ({ partitionId, below })),
  ];
};

type FactRow = {
  readonly arm: string;
  readonly units: string;
  readonly numerator: string;
  readonly denominator: string;
};

/**
 * The arms' totals from the facts before the decision's version vector; undefined where facts alone do not tell
 * (outcomes belong to windows of entities).
 */
async function recountFacts(
  store: Store,
  until: readonly PartitionRange[],
  decision: Decision,
  evidence: Evidence,
  { spec }: ExperimentRevision,
): Promise<{ readonly arms: readonly FactRow[]; readonly differences: readonly string[] } | undefined> {
  const ordinal = spec.metrics.findIndex(({ id }) => id === evidence.metric);
  const metric = spec.metrics[ordinal];
  if (
    metric === undefined ||
    evidence.arms === undefined ||
    metric.numerator.of === 'outcome' ||
    metric.denominator?.of === 'outcome'
  )
    return undefined;
  const arms = await store.rows<FactRow>(await sqlQuery('recount-decision'), {
    experiment: spec.id,
    phase: decision.phase,
    ordinal,
    partitionIds: until.map(({ partitionId }) => partitionId),
    belows: until.map(({ below }) => below),
    crossovers: spec.health.crossovers,
  });
  const differences = evidence.arms.flatMap(({ arm, units, numerator, denominator }) => {
    const row = arms.find((found) => found.arm === arm) ?? { units: '0', numerator: '0', denominator: '0' };
    // Without a denominator each unit counts once; facts do not repeat that.
    const counted = {
      units: Number(row.units),
      numerator: row.numerator,
      denominator: metric.denominator === undefined ? row.units : row.denominator,
    };
    return counted.units === units && counted.numerator === numerator && counted.denominator === denominator
      ? []
      : [
          `${arm}: evidence says ${units} units ${numerator}/${denominator}, facts say ${counted.units} units ${counted.numerator}/${counted.denominator}`,
        ];
  });
  return { arms, differences };
}
