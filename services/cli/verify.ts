/** `explain` and `verify`: a decision recomputed from the log, folded again from its beginning to the decision's version vector. */
import { decide, toDecisionRecord } from '../control/index.ts';
import { createPartitionFold, foldRecord, lookAt } from '../joiner/index.ts';
import { takeFlushRows } from '../joiner/rows.ts';
import type { Decision } from '../kernel/decision.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { positionsPerOffset } from '../runtime/run-fold.ts';
import { topicName } from '../runtime/topics.ts';
import { evaluate } from '../statistics/index.ts';
import { readDecisions, withConnection } from './read.ts';
import { paint, print, printJson } from './terminal.ts';

const find = (all: readonly { decision: Decision; frame: Buffer }[], id: string): { decision: Decision; frame: Buffer } => {
  const found = all.filter(({ decision }) => decision.decisionId.startsWith(id));
  if (found.length !== 1 || found[0] === undefined) throw new PipelineError('DECISION_UNKNOWN', found.length === 0 ? `no decision begins with ${id}` : `${found.length} decisions begin with ${id}`, { cure: '`npx tripline decisions` lists them' });
  return found[0];
};

/** Same bytes: exit 0. Different bytes: exit 1, and both are shown. */
export async function verify(home: string, id: string, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const { log, codec, prefix } = connection;
    const all = await readDecisions(connection);
    const { decision, frame } = find(all, id);
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
    if (json) printJson({ decision_id: decision.decisionId, same, bytes: frame.length - 5, published: decision, recomputed: again ?? null });
    else print(same ? `${paint.green('same')} ${decision.decisionId}: ${frame.length - 5} bytes recomputed from ${[...upTo.values()].reduce((sum, ver) => sum + ver / positionsPerOffset, 0)} messages of ${upTo.size} partitions` : `${paint.red('different')} ${decision.decisionId}\npublished:  ${JSON.stringify(decision)}\nrecomputed: ${JSON.stringify(again ?? null)}`);
    return same ? 0 : 1;
  });
}

export async function explain(home: string, id: string, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const { decision } = find(await readDecisions(connection), id);
    const evidence = JSON.parse(decision.evidence) as Record<string, unknown>;
    if (json) {
      printJson({ ...decision, evidence });
      return 0;
    }
    print(`${decision.action} of ${decision.candidate ?? 'every candidate'} in ${decision.experimentId}, phase ${decision.phase}, decision ${decision.seq} by ${decision.actor}`);
    print(`  why         ${decision.reasonCode}${decision.metric === undefined ? '' : ` on ${decision.metric}`} (rule ${decision.ruleId}, version ${decision.ruleVersion})`);
    if (decision.restart !== undefined) print(`  counted     from ${decision.restart}`);
    if (decision.logE !== undefined) print(`  evidence    log e ${decision.logE.toFixed(4)}; with its weights ${Number(evidence['weightedLogE'] ?? decision.logE).toFixed(4)} against log(1/alpha) ${decision.threshold?.toFixed(4)} at alpha ${decision.alpha}`);
    for (const arm of (evidence['arms'] as { arm: string; units: number; numerator: string; denominator: string; entries: number }[] | undefined) ?? []) print(`  ${arm.arm.padEnd(11)} ${arm.units} units, ${arm.numerator} / ${arm.denominator} in whole numbers, ${arm.entries} closed entries`);
    for (const other of (evidence['alsoHarmed'] as { metric: string; weightedLogE: number; restart: string }[] | undefined) ?? []) print(`  also harmed ${other.metric}: ${other.weightedLogE.toFixed(4)}, ${other.restart}`);
    if (decision.watermark !== undefined) print(`  as of       ${new Date(decision.watermark).toISOString()} (event time), ${decision.eventsFolded} events`);
    if (decision.note !== undefined) print(`  reason      ${decision.note}`);
    print(`  log         ${decision.versionVector.map(({ part, ver }) => `partition ${part} to ${ver}`).join(', ') || '-'}`);
    print(`  sums        npx tripline explain ${decision.decisionId} --json`);
    print(`  same again  npx tripline verify ${decision.decisionId}`);
    return 0;
  });
}
