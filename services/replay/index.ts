/**
 * Replays an experiment's events and outcomes through the pipeline, in a world of its own (topics and database by
 * run), at the times that the lines carry. In lockstep every chunk is folded and looked at before the next is sent, so
 * the events to a decision are exact and repeatable.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { planRevision } from '../control/index.ts';
import { publishRevision } from '../bot/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { candidatesOf, type ExperimentSpec } from '../kernel/experiment.ts';
import { bucketOf, partitionOf } from '../kernel/ids.ts';
import { scaleOf } from '../kernel/measures.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { OutgoingRecord } from '../runtime/log.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { total } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { type Arrival, readInferenceLine, readOutcomeLine } from './scenario-lines.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import type { Addresses } from '../pipeline/connect.ts';
import { startPipeline, type Pipeline } from '../pipeline/start.ts';

export type ReplayOptions = Addresses & {
  readonly run: string;
  readonly spec: ExperimentSpec;
  readonly configSha: string;
  readonly eventsFile: string;
  readonly outcomesFile?: string;
  readonly partitions: number;
  /** Record decisions and go on sending; else candidate traffic stops when a decision is obeyed. */
  readonly observe: boolean;
  /** Lines between looks in lockstep; 0: not in lockstep. */
  readonly lookEvery: number;
  /** Times faster than the lines' own clock; Infinity: as fast as it is folded. */
  readonly speed: number;
  readonly pseudonymKey: Uint8Array;
  readonly redaction?: RedactionPolicy;
  readonly clock: Clock;
  readonly onProgress?: (progress: {
    readonly sent: number;
    readonly lines: number;
    readonly at: EpochMs;
    readonly evaluation: Evaluation | undefined;
  }) => void;
  readonly onDecision?: (decision: Decision) => void;
  readonly onPath?: (path: Pipeline) => void;
};

export type ReplaySummary = {
  readonly experiment: string;
  readonly ended: string;
  readonly wall_s: number;
  readonly events: {
    readonly read: number;
    readonly unique: number;
    readonly folded: number;
    readonly parked: number;
    readonly skipped: number;
  };
  readonly outcomes: {
    readonly read: number;
    readonly linked: number;
    readonly unlinked: number;
    readonly late: number;
  };
  readonly totals: readonly {
    readonly arm: string;
    readonly metric: string;
    readonly units: number;
    readonly numerator: number;
    readonly denominator: number;
  }[];
  readonly decisions: readonly {
    readonly seq: number;
    readonly action: string;
    readonly metric?: string;
    readonly reason_code: string;
    readonly restart?: string;
    readonly watermark?: string;
    readonly events_folded: number;
    readonly decision_id: string;
  }[];
  readonly acks: readonly { readonly seq: number; readonly new_coverage: number; readonly result: string }[];
  readonly recount: 'equal' | 'different';
  readonly run: { readonly prefix: string; readonly database: string };
};

/**
 * Lines sent and not yet folded when nothing paces the replay: bounds memory, and how far outcomes run ahead of their
 * events.
 */
const maxInFlight = 2_000;

async function readLines(file: string, read: (line: string) => ReturnType<typeof readOutcomeLine>): Promise<Arrival[]> {
  const source = createReadStream(file);
  const lines = createInterface({
    input: file.endsWith('.gz') ? source.pipe(createGunzip()) : source,
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const arrivals: Arrival[] = [];
  const opened = new Promise<never>((_, reject) =>
    source.once('error', (cause) =>
      reject(new PipelineError('INPUT_UNREADABLE', `${file} cannot be read`, { cause, hint: 'check the path' })),
    ),
  );
  opened.catch(() => {});
  await Promise.race([
    opened,
    (async () => {
      let number = 0;
      for await (const line of lines) {
        number += 1;
        if (line.trim() === '') continue;
        const result = read(line);
        if (!result.ok)
          throw new PipelineError('INPUT_UNREADABLE', `${file}:${number}: ${result.reason}`, {
            hint: 'correct or take out the line',
          });
        arrivals.push(result.arrival);
      }
    })(),
  ]);
  return arrivals;
}

/** Events by ingested_at and outcomes by occurred_at, as they arrived; of equal times in file order, events first. */
function inArrivalOrder(events: readonly Arrival[], outcomes: readonly Arrival[]): Arrival[] {
  const all = [...events, ...outcomes].map((arrival, index) => ({ arrival, index }));
  return all
    .sort((a, b) => a.arrival.arrivedAt - b.arrival.arrivedAt || a.index - b.index)
    .map(({ arrival }) => arrival);
}

export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const began = options.clock.now();
  const { spec, partitions } = options;
  const events = await readLines(options.eventsFile, (line) =>
    readInferenceLine(line, { phase: 1, unitType: spec.unit }),
  );
  const outcomes = options.outcomesFile === undefined ? [] : await readLines(options.outcomesFile, readOutcomeLine);
  const arrivals = inArrivalOrder(events, outcomes);
  const first = arrivals[0];
  const last = arrivals.at(-1);
  if (first === undefined || last === undefined)
    throw new PipelineError('INPUT_UNREADABLE', `${options.eventsFile} holds no line`);
  const prefix = `tripline-replay-${options.run}`;
  const database = `tripline_replay_${options.run}`;
  let carried = first.arrivedAt;
  const lockstep = options.lookEvery > 0;
  const path = await startPipeline({
    ...options,
    prefix,
    database,
    partitions,
    eventTime: true,
    eventClock: { now: () => carried },
    flushMs: lockstep ? 20 : 250,
    lookMs: lockstep ? 0 : 100,
    idleTickMs: 0,
    bot: !options.observe,
    ...(options.onDecision && { onDecision: options.onDecision }),
  });
  const broken = path.failed;
  try {
    options.onPath?.(path);
    const { log, codec, producer } = path;
    const revision = planRevision(
      spec,
      options.configSha,
      undefined,
      first.arrivedAt,
      'replay',
      `replay of ${spec.id}`,
    );
    if (revision === undefined) throw new PipelineError('EXPERIMENT_INVALID', 'nothing to apply');
    await publishRevision({ prefix, log, producer, codec }, revision);

    const sentTo = new Map<string, number>();
    const candidates = new Set(candidatesOf(spec).map(({ id }) => id));
    const stopped = (): boolean => {
      const status = path.bot?.experiments().get(spec.id)?.status;
      return status === 'rolled_back' || status === 'stopped';
    };
    let skipped = 0;
    const sentEvents = new Set<string>();
    const send = async (chunk: readonly Arrival[]): Promise<void> => {
      const outgoing: OutgoingRecord[] = [];
      for (const arrival of chunk) {
        carried = Math.max(carried, arrival.arrivedAt);
        if (arrival.kind === 'inference') {
          // The app asks before each call: after a rollback nobody is given the candidate any more.
          if (stopped() && candidates.has(arrival.variant)) {
            skipped += 1;
            continue;
          }
          const unit = arrival.event.units.user_id ?? arrival.event.event_id;
          sentEvents.add(arrival.event.event_id);
          outgoing.push({
            topic: topicName(prefix, 'inference.raw.v1'),
            partition: partitionOf(bucketOf('user', unit), partitions),
            key: unit,
            value: codec.encode('inference-event', arrival.event),
            timestamp: arrival.arrivedAt,
            headers: {
              'content-type': 'application/avro',
              'tripline-schema': 'inference-event',
              ...(/^[0-9a-f]{32}$/.test(arrival.event.trace_id) && {
                traceparent: `00-${arrival.event.trace_id}-${arrival.event.trace_id.slice(0, 16)}-00`,
              }),
            },
          });
        } else {
          const entity = arrival.event.entity;
          const key = entity ? `${entity.type}\u001f${entity.id}` : arrival.event.outcome_id;
          outgoing.push({
            topic: topicName(prefix, 'outcome.raw.v1'),
            partition: partitionOf(
              bucketOf(entity ? `entity:${entity.type}` : 'outcome', entity?.id ?? arrival.event.outcome_id),
              partitions,
            ),
            key,
            value: codec.encode('outcome-event', arrival.event),
            timestamp: arrival.arrivedAt,
            headers: { 'content-type': 'application/avro', 'tripline-schema': 'outcome-event' },
          });
        }
      }
      for (const [at, next] of await producer.send(outgoing)) sentTo.set(at, next);
    };

    /** Resolves when `done` says so; ends with the path when a stage cannot go on. */
    const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await Promise.race([Promise.resolve(done()), broken]))) await wait(lockstep ? 4 : 20);
    };
    const rawConsumed = (): boolean =>
      [...sentTo].every(([at, next]) => {
        const [topic = '', partition = ''] = [at.slice(0, at.lastIndexOf('/')), at.slice(at.lastIndexOf('/') + 1)];
        return (path.redactor.position(topic, Number(partition)) ?? 0) >= next;
      });
    const caughtUp = async (
      topic: string,
      stage: Pipeline['linker'] | Pipeline['joiner'],
    ): Promise<readonly number[]> => {
      const ends = await log.endOffsets(topic);
      await until(() => ends.every((end, partition) => (stage.position(topic, partition) ?? 0) >= end));
      return ends;
    };
    const folded = async (): Promise<readonly number[]> => {
      await until(rawConsumed);
      await caughtUp(topicName(prefix, 'entity.v1'), path.linker);
      return caughtUp(topicName(prefix, 'unit.v1'), path.joiner);
    };
    const tick = async (at: EpochMs): Promise<void> => {
      carried = Math.max(carried, at);
      const value = codec.encode('unit-record', {
        records: [{ received_at: at, trace_id: null, span_id: null, body: { 'tripline.v1.Tick': { nothing: null } } }],
      });
      await producer.send(
        Array.from({ length: partitions }, (_, partition) => ({
          topic: topicName(prefix, 'unit.v1'),
          partition,
          value,
          timestamp: at,
        })),
      );
    };
    /** Everything sent is folded, a tick has carried the clock everywhere, and statistics has looked at all of it. */
    const lookNow = async (at: EpochMs): Promise<void> => {
      await folded();
      await tick(at);
      const ends = await folded();
      if (lockstep) await path.statistics.look();
      await until(() =>
        ends.every((end, partition) => (path.statistics.lookedAt().get(partition) ?? 0) >= end * positionsPerOffset),
      );
      const decided = path.statistics.decisions().length;
      if (path.bot) await until(() => (path.bot?.acks().length ?? 0) >= decided);
    };

    const chunkSize = lockstep ? options.lookEvery : 500;
    const paced = Number.isFinite(options.speed);
    const startedAt = options.clock.now();
    for (let from = 0; from < arrivals.length; from += chunkSize) {
      const chunk = arrivals.slice(from, from + chunkSize);
      const newest = chunk.at(-1)?.arrivedAt ?? carried;
      if (paced) {
        const due = startedAt + (newest - first.arrivedAt) / options.speed;
        const early = due - options.clock.now();
        if (early > 0) await Promise.race([wait(early), broken]);
      }
      await send(chunk);
      if (lockstep) await lookNow(newest);
      else if (from % maxInFlight === 0) {
        await until(rawConsumed);
        await tick(newest);
      }
      options.onProgress?.({
        sent: from + chunk.length,
        lines: arrivals.length,
        at: newest,
        evaluation: path.statistics.latest(spec.id),
      });
    }
    // Past the last line the clock goes on until every window has closed.
    const longest = Math.max(...spec.metrics.map(({ windowMs }) => windowMs));
    await lookNow(last.arrivedAt + longest + 1);
    await lookNow(last.arrivedAt + longest + 2);

    const evaluation = path.statistics.latest(spec.id);
    if (evaluation === undefined) throw new PipelineError('STATE_CORRUPT', `no look at ${spec.id} ever happened`);
    const different = await path.store.rows(await sqlQuery('recount-metrics'));
    const decisions = path.statistics.decisions();
    const acting = decisions.filter(({ action }) => action !== 'conclude' && action !== 'advance').at(0);
    return {
      experiment: spec.id,
      ended:
        decisions.find(({ action }) => action === 'rollback' || action === 'stop' || action === 'promote')?.action ??
        acting?.action ??
        decisions.at(0)?.action ??
        'none',
      wall_s: (options.clock.now() - began) / 1000,
      events: {
        read: events.length,
        unique: sentEvents.size,
        folded: evaluation.eventsFolded,
        parked: total(path.redactor.counts.parked),
        skipped,
      },
      outcomes: {
        read: outcomes.length,
        linked: path.linker.forwarded(),
        unlinked: [...path.linker.unlinked().values()].reduce((sum, number) => sum + number, 0),
        late: lateOutcomes(path, spec.id),
      },
      totals: totalsOf(evaluation, spec),
      decisions: decisions.map((decision) => ({
        seq: decision.seq,
        action: decision.action,
        ...(decision.metric !== undefined && { metric: decision.metric }),
        reason_code: decision.reasonCode,
        ...(decision.testStart !== undefined && { restart: decision.testStart }),
        ...(decision.watermark !== undefined && { watermark: new Date(decision.watermark).toISOString() }),
        events_folded: decision.eventsFolded,
        decision_id: decision.decisionId,
      })),
      acks: path.bot?.acks().map(({ seq, new_coverage, result }) => ({ seq, new_coverage, result })) ?? [],
      recount: different.length === 0 ? 'equal' : 'different',
      run: { prefix, database },
    };
  } finally {
    await path.close();
  }
}

const lateOutcomes = (path: Pipeline, experiment: string): number =>
  [...path.joiner.states().values()].reduce(
    (sum, { experiments }) => sum + (experiments.get(experiment)?.lateOutcomes ?? 0),
    0,
  );

/** Totals in the metrics' own units; money stays nano-USD. */
export function totalsOf(evaluation: Evaluation, spec: ExperimentSpec): ReplaySummary['totals'] {
  const seen = new Set<string>();
  const totals: ReplaySummary['totals'][number][] = [];
  for (const metric of evaluation.metrics) {
    const known = spec.metrics.find(({ id }) => id === metric.metric);
    if (known === undefined) continue;
    for (const { arm, units, numerator, denominator } of metric.arms) {
      if (seen.has(`${metric.metric}/${arm}`)) continue;
      seen.add(`${metric.metric}/${arm}`);
      totals.push({
        arm,
        metric: metric.metric,
        units,
        numerator: Number(numerator) / scaleOf(known.numerator),
        denominator: Number(denominator) / scaleOf(known.denominator),
      });
    }
  }
  return totals;
}
