/** The story's end in figures, and the verdict on it. */
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Pipeline } from '../pipeline/start.ts';
import { pipelineSummary, recountDifferences, totalsOf, unlinkedOutcomes } from '../replay/summary.ts';
import { total } from '../runtime/stage.ts';
import type { Desks } from './desks.ts';
import { judgeStory } from './judge.ts';
import { recountLines } from './recount.ts';
import { storyExperimentId, storyOnset } from './story.ts';
import type { DemoResult, Telling } from './telling.ts';

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** How many values of each entity type were taken out of texts. */
async function replacedValues({ store }: Pipeline): Promise<Readonly<Record<string, number>>> {
  const rows = await store.rows<{ type: string; number: string }>(
    'SELECT type, sum(number) AS number FROM inferences FINAL ' +
      'ARRAY JOIN mapKeys(redactions) AS type, mapValues(redactions) AS number ' +
      'GROUP BY type ORDER BY number DESC',
  );
  return Object.fromEntries(rows.map(({ type, number }) => [type, Number(number)]));
}

async function demoFigures(
  { decidedAt }: Telling,
  pipeline: Pipeline,
  desks: Desks,
  problems: readonly string[],
): Promise<DemoResult['demo']> {
  const done = desks.done();
  const lastCandidateAt = Math.max(0, ...done.map((message) => message.lastCandidateAt));
  const switches = desks.messages.flatMap(({ message }) =>
    message.kind === 'switched' && message.status === 'rolled_back' ? [message.at] : [],
  );
  return {
    ok: problems.length === 0,
    problems,
    onset: new Date(storyOnset).toISOString(),
    decision_to_last_candidate_ms: decidedAt === undefined ? null : lastCandidateAt - decidedAt,
    decision_to_switch_ms: switches.map((at) => at - (decidedAt ?? at)),
    kept_from_candidate: sumOf(done.map(({ kept }) => kept)),
    planted: sumOf(done.map(({ secrets }) => secrets)),
    replaced: await replacedValues(pipeline),
    calls: sumOf(done.map(({ calls }) => calls)),
  };
}

export async function summarize(telling: Telling, pipeline: Pipeline, desks: Desks): Promise<DemoResult> {
  const { options, spec, began } = telling;
  const evaluation = pipeline.statistics.latest(storyExperimentId);
  if (evaluation === undefined) throw new PipelineError('STATE_CORRUPT', 'no look ever happened');
  const { events, outcomes } = desks.ledger();
  const totals = totalsOf(evaluation, spec);
  const rollback = pipeline.statistics.decisions().find(({ action }) => action === 'rollback');
  const differences = await recountDifferences(pipeline);
  const expected = recountLines(spec, events, outcomes);
  const problems = judgeStory({ rollback, totals, expected, differences, done: desks.done() });
  const demo = await demoFigures(telling, pipeline, desks, problems);
  const { decisions, acks, recount } = pipelineSummary(pipeline, differences);
  return {
    experiment: storyExperimentId,
    ended: rollback?.action ?? 'none',
    wall_s: (options.clock.now() - began) / 1000,
    events: {
      read: events.length,
      unique: new Set(events.map(({ event_id: id }) => id)).size,
      folded: evaluation.eventsFolded,
      parked: total(pipeline.redactor.counts.parked),
      skipped: 0,
      texts_left_out: 0,
    },
    outcomes: {
      read: outcomes.length,
      linked: pipeline.linker.forwarded(),
      unlinked: unlinkedOutcomes(pipeline),
      late: 0,
      parked: 0,
    },
    unused: { lines: 0, causes: {}, first: [] },
    totals,
    crossovers: evaluation.crossoverReasons,
    decisions,
    acks,
    recount,
    run: { prefix: options.prefix, database: options.database },
    demo,
  };
}
