/**
 * `verify`: a decision recomputed three times. From the log, folded again from its beginning to the decision's version
 * vector: the same bytes. From the facts in ClickHouse up to that vector: the same totals. From the sums in its own
 * evidence: the same log e.
 */
import { type ControlView, decide, toDecisionRecord } from '../control/index.ts';
import { boundByLog, lookAt } from '../joiner/index.ts';
import { type RefoldRecord, refold } from '../joiner/refold.ts';
import type { Decision } from '../kernel/decision.ts';
import { holdsPartition, type PartitionRange } from '../kernel/generations.ts';
import type { ExperimentRevision, MetricSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { readGenerations } from '../runtime/generations.clickhouse.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { topicName } from '../runtime/topics.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { evaluate } from '../statistics/index.ts';
import { type Evidence, recomputeLogE } from './evidence.ts';
import { rangesOf } from './fact-ranges.ts';
import { type Connection, type ReadDecision, readDecisions, withConnection } from './read.ts';
import { readControl } from './read-control.ts';
import { paint, print, printJson } from './terminal.ts';

export const findDecision = (all: readonly ReadDecision[], id: string): ReadDecision => {
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
    const { codec, prefix } = connection;
    const all = await readDecisions(connection);
    const found = findDecision(all, id);
    requireComputed(found.decision);
    await codec.register([{ record: 'decision', topic: topicName(prefix, 'control.v1') }]);
    const verified = await recompute(connection, found, await pastOf(connection, found, all));
    if (json) printJson(verifiedRecord(verified));
    else for (const line of verifiedLines(verified)) print(line);
    const { same, arithmetic, facts } = verified;
    return same && arithmetic.ok && (facts === undefined || facts.differences.length === 0) ? 0 : 1;
  });
}

function requireComputed({ decisionId, actor }: Decision): void {
  if (actor !== 'engine')
    throw new PipelineError('DECISION_UNKNOWN', `decision ${decisionId} was made by ${actor}, not computed`, {
      hint: 'its reason is its evidence: `npx tripline explain`',
    });
}

type Verified = {
  readonly published: Decision;
  readonly recomputed: Decision | undefined;
  readonly same: boolean;
  /** Of the record's body. */
  readonly bytes: number;
  /** By partition id: up to where the log was read. */
  readonly upTo: ReadonlyMap<number, number>;
  readonly facts: Recount | undefined;
  readonly arithmetic: { readonly ok: boolean; readonly said: string };
};

/** Byte 0 and four bytes that name the schema as the registry numbered it: not compared. */
const frameHeader = 5;

/** What whoever decided knew of the control topic. */
type Past = { readonly past: readonly Decision[]; readonly control?: ControlView };

/** One that names no control offset was decided when nobody obeyed: everything before it had happened. */
async function pastOf(connection: Connection, { decision, number }: ReadDecision, all: readonly ReadDecision[]) {
  const { experimentId, controlOffset: offset } = decision;
  if (offset === undefined)
    return { past: all.filter((earlier) => earlier.number < number).map((earlier) => earlier.decision) };
  const { table, records } = await readControl(connection, offset);
  const past = records.flatMap(({ record, answer }) =>
    record.kind === 'decision' && answer.result === 'applied' ? [record.decision] : [],
  );
  return { past, control: { revision: table.get(experimentId)?.revision, offset } };
}

async function recompute(
  connection: Connection,
  { decision: published, frame }: ReadDecision,
  { past, control }: Past,
): Promise<Verified> {
  const { log, codec, prefix, store } = connection;
  const { decisionId, experimentId, versionVector } = published;
  const upTo = new Map(versionVector.map(({ partitionId, position }) => [partitionId, position]));
  const generations = await readGenerations(store, log, prefix);
  const generation = generations.find((other) => holdsPartition(other, versionVector[0]?.partitionId ?? 0));
  if (generation === undefined)
    throw new PipelineError('VERIFY_MISMATCH', `decision ${decisionId} names partitions that no generation has`, {
      hint: 'verify it against the database it was made on',
    });
  const partitions = await refold(generations, generation, upTo, (topic, until) => readTopic(connection, topic, until));
  const look = lookAt(partitions, experimentId, (partitionId) => upTo.get(partitionId) ?? 0);
  const recomputed = look && decide(evaluate(look), past, control).decision;
  const body = recomputed && codec.encode('decision', toDecisionRecord(recomputed)).subarray(frameHeader);
  // A frame of an older version lacks fields: what it says is compared then, written as this version writes it.
  const said = codec.encode('decision', toDecisionRecord(published)).subarray(frameHeader);
  const evidence = JSON.parse(published.evidence) as Evidence;
  const ranges = rangesOf(generations, generation, upTo);
  return {
    published,
    recomputed,
    same: body !== undefined && (body.equals(frame.subarray(frameHeader)) || body.equals(said)),
    bytes: frame.length - frameHeader,
    upTo,
    facts: look && (await recountFacts(store, ranges, published, evidence, look.experiment)),
    arithmetic: recomputeLogE(evidence),
  };
}

async function readTopic(
  { log, codec, prefix }: Connection,
  topic: string,
  until: readonly number[],
): Promise<RefoldRecord[]> {
  const read: RefoldRecord[] = [];
  for (const { partition, offset, timestamp, value } of await log.readToEnd(`${prefix}.${topic}`, until)) {
    if (value === null) continue;
    await codec.prepare([value]);
    const decoded = codec.decode(['unit-record'], value);
    // else: the joiner parked it and never counted it
    if (decoded.ok) read.push({ partition, offset, records: boundByLog(decoded.value.records, timestamp) });
  }
  return read;
}

const verifiedRecord = ({ published, recomputed, same, bytes, facts, arithmetic }: Verified) => ({
  decision_id: published.decisionId,
  same,
  bytes,
  facts: facts ?? null,
  arithmetic,
  published,
  recomputed: recomputed ?? null,
});

function verifiedLines(verified: Verified): string[] {
  const { published, recomputed, same, bytes, upTo, arithmetic } = verified;
  const messages = [...upTo.values()].reduce((sum, position) => sum + position / positionsPerOffset, 0);
  const from = `${bytes} bytes recomputed from ${messages} messages of ${upTo.size} partitions`;
  return [
    same
      ? `${paint.green('same')} ${published.decisionId}: ${from}`
      : [
          `${paint.red('different')} ${published.decisionId}`,
          `published:  ${JSON.stringify(published)}`,
          `recomputed: ${JSON.stringify(recomputed ?? null)}`,
        ].join('\n'),
    factsLine(verified.facts),
    `  arithmetic  ${arithmetic.ok ? '' : `${paint.red('different')} `}${arithmetic.said}`,
  ];
}

function factsLine(facts: Recount | undefined): string {
  if (facts === undefined) return '  facts       not recounted: the metric counts outcomes, or the decision names none';
  const { arms, differences } = facts;
  if (differences.length > 0) return `  facts       ${paint.red('different')} ${differences.join('; ')}`;
  const totals = arms.map(
    ({ arm, units, numerator, denominator }) => `${arm} ${units} units ${numerator}/${denominator}`,
  );
  return `  facts       ${paint.green('same')} totals recounted in ClickHouse: ${totals.join(', ')}`;
}

type FactRow = {
  readonly arm: string;
  readonly units: string;
  readonly numerator: string;
  readonly denominator: string;
};

type Recount = { readonly arms: readonly FactRow[]; readonly differences: readonly string[] };

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
): Promise<Recount | undefined> {
  const ordinal = spec.metrics.findIndex(({ id }) => id === evidence.metric);
  const metric = spec.metrics[ordinal];
  if (metric === undefined || evidence.arms === undefined || countsOutcomes(metric)) return undefined;
  const arms = await store.rows<FactRow>(await sqlQuery('recount-decision'), {
    experiment: spec.id,
    phase: decision.phase,
    ordinal,
    partitionIds: until.map(({ partitionId }) => partitionId),
    belows: until.map(({ below }) => below),
    crossovers: spec.health.crossovers,
  });
  const differences = evidence.arms.flatMap((said) => {
    const row = arms.find(({ arm }) => arm === said.arm) ?? { units: '0', numerator: '0', denominator: '0' };
    // Without a denominator each unit counts once; facts do not repeat that.
    const denominator = metric.denominator === undefined ? row.units : row.denominator;
    const [have, want] = [
      `${said.units} units ${said.numerator}/${said.denominator}`,
      `${Number(row.units)} units ${row.numerator}/${denominator}`,
    ];
    return have === want ? [] : [`${said.arm}: evidence says ${have}, facts say ${want}`];
  });
  return { arms, differences };
}

const countsOutcomes = ({ numerator, denominator }: MetricSpec): boolean =>
  numerator.of === 'outcome' || denominator?.of === 'outcome';
