/**
 * Plays the story through the pipeline and judges the end: rollback after the onset, on a metric that really broke,
 * totals equal to the oracle's.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { publishRevision } from '../bot/index.ts';
import { parseExperimentFile, planRevision } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import { type ReplaySummary, totalsOf } from '../replay/index.ts';
import type { InferenceLine, OutcomeLine } from '../replay/scenario-lines.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import type { Addresses } from '../pipeline/connect.ts';
import { startPipeline } from '../pipeline/start.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { total } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import type { DeskMessage, DeskSettings } from './desk.ts';
import { recountLines } from './recount.ts';
import {
  brokenMetrics,
  changedPrompt,
  storyEnd,
  storyExperiment,
  storyExperimentId,
  storyOnset,
  storyStart,
} from './story.ts';

export type DemoEvent =
  | {
      readonly kind: 'progress';
      readonly storyNow: EpochMs;
      readonly calls: number;
      readonly perSecond: number;
      readonly evaluation: Evaluation | undefined;
    }
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'ack'; readonly coverage: number; readonly afterMs: number }
  | { readonly kind: 'switched'; readonly app: number; readonly afterMs: number };

export type DemoResult = ReplaySummary & {
  readonly demo: {
    readonly ok: boolean;
    readonly problems: readonly string[];
    readonly onset: string;
    readonly decision_to_last_candidate_ms: number | null;
    readonly decision_to_switch_ms: readonly number[];
    readonly kept_from_candidate: number;
    readonly planted: number;
    readonly replaced: Readonly<Record<string, number>>;
    readonly calls: number;
  };
};

export type DemoOptions = Addresses & {
  readonly home: string;
  readonly prefix: string;
  readonly database: string;
  readonly seed: number;
  readonly clock: Clock;
  readonly pseudonymKey: Uint8Array;
  readonly redaction?: RedactionPolicy;
  readonly onEvent: (event: DemoEvent) => void;
  readonly keep?: Promise<unknown> /** Ends the story early: every process of it is gone when the promise of `runDemo` settles. */;
  readonly interrupted?: Promise<unknown>;
  readonly onFinished?: (result: DemoResult) => void;
};

const desks = 2;
/** Story milliseconds per wall millisecond: two hours a second. */
const speed = 7_200;
const partitions = 4;
const callsPerHour = 130;

/** Undefined when it was interrupted. */
export async function runDemo(options: DemoOptions): Promise<DemoResult | undefined> {
  const { clock, prefix, onEvent } = options;
  const began = clock.now();
  const parsed = parseExperimentFile(storyExperiment, 'story');
  if (!parsed.ok)
    throw new PipelineError('EXPERIMENT_INVALID', parsed.problems.map(({ message }) => message).join('\n'));
  const { spec, sha } = parsed;
  let startAt = Number.POSITIVE_INFINITY;
  const eventClock: Clock = { now: () => Math.round(storyStart + Math.max(0, clock.now() - startAt) * speed) };
  let decidedAt: EpochMs | undefined;
  const path = await startPipeline({
    ...options,
    partitions,
    eventTime: true,
    eventClock,
    flushMs: 150,
    lookMs: 60,
    idleTickMs: 0,
    bot: true,
    onDecision: (decision) => {
      if (decision.action === 'rollback') decidedAt ??= clock.now();
      onEvent({ kind: 'decision', decision });
    },
    onAck: (ack) =>
      onEvent({ kind: 'ack', coverage: ack.new_coverage, afterMs: clock.now() - (decidedAt ?? clock.now()) }),
  });
  const children: ReturnType<typeof fork>[] = [];
  try {
    const { log, codec, producer } = path;
    const revision = planRevision(spec, sha, undefined, storyStart, 'demo', 'the story begins');
    if (revision) await publishRevision({ prefix, log, producer, codec }, revision);
    mkdirSync(join(options.home, 'story'), { recursive: true });
    const messages: { at: EpochMs; message: DeskMessage }[] = [];
    const done: Extract<DeskMessage, { kind: 'done' }>[] = [];
    const calls = new Map<number, number>();
    startAt = clock.now() + 1_200; // the desks' processes are up by then
    const main = join(
      dirname(fileURLToPath(import.meta.url)),
      `main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
    );
    let previous = { at: startAt, calls: 0 };
    const finished = Promise.all(
      Array.from({ length: desks }, (_, app) => {
        const settings: DeskSettings = {
          app,
          seed: options.seed,
          brokers: options.brokers,
          registryUrl: options.registryUrl,
          prefix,
          speed,
          startAt,
          perHour: callsPerHour,
          ledger: join(options.home, 'story', `desk-${app}.ndjson`),
        };
        const child = fork(main, [JSON.stringify(settings)], {
          execArgv: main.endsWith('.ts') ? ['--import', 'tsx'] : [],
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        });
        children.push(child);
        return new Promise<void>((resolve, reject) => {
          child.on('message', (message: DeskMessage) => {
            messages.push({ at: clock.now(), message });
            if (message.kind === 'done') done.push(message);
            if (message.kind === 'switched')
              onEvent({ kind: 'switched', app: message.app, afterMs: message.at - (decidedAt ?? message.at) });
            if (message.kind === 'progress') {
              calls.set(message.app, message.calls);
              const sum = [...calls.values()].reduce((total, number) => total + number, 0);
              const now = clock.now();
              if (message.app === 0 && now - previous.at >= 900) {
                onEvent({
                  kind: 'progress',
                  storyNow: message.storyNow,
                  calls: sum,
                  perSecond: ((sum - previous.calls) * 1000) / (now - previous.at),
                  evaluation: path.statistics.latest(storyExperimentId),
                });
                previous = { at: now, calls: sum };
              }
            }
          });
          child.once('exit', (code) =>
            code === 0 ? resolve() : reject(new PipelineError('STACK_START', `desk ${app} ended with code ${code}`)),
          );
        });
      }),
    );
    const stopped = options.interrupted?.then(() => 'stopped' as const);
    if ((await Promise.race([finished, path.failed, ...(stopped === undefined ? [] : [stopped])])) === 'stopped')
      return undefined;

    // Everything emitted is folded; then the clock is carried past every window.
    const until = async (ready: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await Promise.race([Promise.resolve(ready()), path.failed]))) await wait(15);
    };
    const drained = async (): Promise<void> => {
      for (const [suffix, stage] of [
        ['inference.raw.v1', path.redactor],
        ['outcome.raw.v1', path.redactor],
        ['entity.v1', path.linker],
        ['unit.v1', path.joiner],
      ] as const) {
        const topic = topicName(prefix, suffix);
        const ends = await log.endOffsets(topic);
        await until(() => ends.every((end, partition) => (stage.position(topic, partition) ?? 0) >= end));
      }
    };
    await drained();
    const at = storyEnd + 13 * 3_600_000;
    const tick = codec.encode('unit-record', {
      records: [{ received_at: at, trace_id: null, span_id: null, body: { 'tripline.v1.Tick': { nothing: null } } }],
    });
    await producer.send(
      Array.from({ length: partitions }, (_, partition) => ({
        topic: topicName(prefix, 'unit.v1'),
        partition,
        value: tick,
        timestamp: at,
      })),
    );
    await drained();
    const ends = await log.endOffsets(topicName(prefix, 'unit.v1'));
    await until(() =>
      ends.every((end, partition) => (path.statistics.lookedAt().get(partition) ?? 0) >= end * positionsPerOffset),
    );
    for (const suffix of ['inference.v1', 'outcome.v1'] as const) {
      const clean = await log.endOffsets(topicName(prefix, suffix));
      await until(() =>
        clean.every((end, partition) => (path.sink.position(topicName(prefix, suffix), partition) ?? 0) >= end),
      );
    }

    const evaluation = path.statistics.latest(storyExperimentId);
    if (evaluation === undefined) throw new PipelineError('STATE_CORRUPT', 'no look ever happened');
    const lines = Array.from({ length: desks }, (_, app) =>
      readFileSync(join(options.home, 'story', `desk-${app}.ndjson`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    ).flat();
    const events = lines.filter((line) => 'event_id' in line) as unknown[] as InferenceLine[];
    const outcomes = lines.filter((line) => 'outcome_id' in line) as unknown[] as OutcomeLine[];
    const totals = totalsOf(evaluation, spec);
    const expected = recountLines(spec, events, outcomes);
    const decisions = path.statistics.decisions();
    const rollback = decisions.find(({ action }) => action === 'rollback');
    const different = await path.store.rows(await sqlQuery('recount-metrics'));
    const replaced = await path.store.rows<{ type: string; number: string }>(
      'SELECT type, sum(number) AS number FROM inferences FINAL ARRAY JOIN mapKeys(redactions) AS type, mapValues(redactions) AS number GROUP BY type ORDER BY number DESC',
    );
    const problems: string[] = [];
    if (rollback === undefined) problems.push('no rollback');
    else {
      // The watermark is the clock of the slowest partition; counting from the new prompt proves as much.
      if ((rollback.watermark ?? 0) < storyOnset && !(rollback.testStart ?? '').includes(changedPrompt))
        problems.push('the rollback came before the prompt changed');
      if (!brokenMetrics.includes(rollback.metric ?? ''))
        problems.push(`the rollback names ${rollback.metric}, which did not break`);
    }
    for (const want of expected) {
      const got = totals.find(({ arm, metric }) => arm === want.arm && metric === want.metric);
      if (
        got === undefined ||
        got.units !== want.units ||
        got.numerator !== want.numerator ||
        got.denominator !== want.denominator
      ) {
        problems.push(
          `${want.metric} of ${want.arm}: folded ${got?.numerator}/${got?.denominator} of ${got?.units} units, the recount has ${want.numerator}/${want.denominator} of ${want.units}`,
        );
      }
    }
    if (different.length > 0) problems.push(`the SQL recount differs in ${different.length} cells`);
    const lost = done.reduce((sum, { dropped, flushed }) => sum + dropped + (flushed ? 0 : 1), 0);
    if (lost > 0) problems.push(`the desks' emitters dropped ${lost} events`);
    const lastCandidateAt = Math.max(0, ...done.map((message) => message.lastCandidateAt));
    const unique = new Set(events.map(({ event_id: id }) => id)).size;
    const result: DemoResult = {
      experiment: storyExperimentId,
      ended: rollback?.action ?? 'none',
      wall_s: (clock.now() - began) / 1000,
      events: {
        read: events.length,
        unique,
        folded: evaluation.eventsFolded,
        parked: total(path.redactor.counts.parked),
        skipped: 0,
      },
      outcomes: {
        read: outcomes.length,
        linked: path.linker.forwarded(),
        unlinked: [...path.linker.unlinked().values()].reduce((sum, number) => sum + number, 0),
        late: 0,
      },
      totals,
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
      acks:
        path.bot?.acks().map(({ seq, new_coverage, result: outcome }) => ({ seq, new_coverage, result: outcome })) ??
        [],
      recount: different.length === 0 ? 'equal' : 'different',
      run: { prefix, database: options.database },
      demo: {
        ok: problems.length === 0,
        problems,
        onset: new Date(storyOnset).toISOString(),
        decision_to_last_candidate_ms: decidedAt === undefined ? null : lastCandidateAt - decidedAt,
        decision_to_switch_ms: messages.flatMap(({ message }) =>
          message.kind === 'switched' && message.status === 'rolled_back'
            ? [message.at - (decidedAt ?? message.at)]
            : [],
        ),
        kept_from_candidate: done.reduce((sum, { kept }) => sum + kept, 0),
        planted: done.reduce((sum, { secrets }) => sum + secrets, 0),
        replaced: Object.fromEntries(replaced.map(({ type, number }) => [type, Number(number)])),
        calls: done.reduce((sum, message) => sum + message.calls, 0),
      },
    };
    options.onFinished?.(result);
    if (options.keep !== undefined) await Promise.race([options.keep, path.failed]);
    return result;
  } finally {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(ended);
    await path.close();
  }
}
