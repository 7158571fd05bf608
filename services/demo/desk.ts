/**
 * One desk of the story, as a process of its own: it asks the emitter for an arm, answers, records, and reports
 * outcomes later. Its clock runs `speed` times as fast as the wall. It writes down everything it emits (the ledger), so
 * that a plain recount can judge the totals. Messages to its parent: switched, progress, done.
 */
import { createWriteStream } from 'node:fs';
import { type Assignment, assign, createAssignmentTable } from '../assignment/index.ts';
import { type BrokerDeps, createEmitter, createKafkaSink, type Emitter, followExperiments } from '../emitter/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import { createAvroCodec } from '../runtime/avro-codec.ts';
import { createKafka } from '../runtime/kafka-log.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import { systemClock } from '../runtime/system-clock.ts';
import {
  callsBetween,
  createRandom,
  promptInForce,
  type StoryCall,
  storyEnd,
  storyExperimentId,
  storyStart,
} from './story.ts';

export type DeskSettings = {
  readonly app: number;
  readonly seed: number;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly prefix: string;
  readonly speed: number;
  readonly startAt: EpochMs;
  readonly perHour: number;
  readonly ledger: string;
};
export type DeskMessage =
  | {
      readonly kind: 'switched';
      readonly app: number;
      readonly status: string;
      readonly at: EpochMs;
      readonly lastCandidateAt: EpochMs;
    }
  | { readonly kind: 'progress'; readonly app: number; readonly storyNow: EpochMs; readonly calls: number }
  | {
      readonly kind: 'done';
      readonly app: number;
      readonly calls: number;
      readonly kept: number;
      readonly dropped: number;
      readonly flushed: boolean;
      readonly lastCandidateAt: EpochMs;
      readonly secrets: number;
    };

const stepMs = 40;
/** Steps between two reports of progress. */
const stepsPerReport = 6;

/** A desk at work: what it counts, and what it has still to report. */
type Desk = {
  readonly settings: DeskSettings;
  readonly emitter: Emitter;
  readonly tell: (message: DeskMessage) => void;
  readonly write: (line: object) => void;
  /** Outcomes that come later than their call. */
  readonly later: { readonly at: EpochMs; readonly run: () => void }[];
  /** The revision that was last in force while the experiment ran. */
  running: ExperimentRevision | undefined;
  lastCandidateAt: EpochMs;
  calls: number;
  /** Calls that the rollback kept from the candidate. */
  kept: number;
  /** Calls with something planted in them. */
  secrets: number;
};

const isoTime = (at: EpochMs): string => new Date(at).toISOString();

function createStoryEmitter(settings: DeskSettings, clock: Clock, onRevision: BrokerDeps['onRevision']) {
  const { app, brokers, registryUrl, prefix } = settings;
  const log = createKafka({ brokers, clientId: `desk-${app}` });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: registryUrl }), clock: systemClock });
  const broker = { prefix, log, codec, clock: systemClock, ttlMs: 300_000, ...(onRevision && { onRevision }) };
  const experiments = followExperiments(broker);
  const emitter = createEmitter({
    service: `desk-${app}`,
    environment: 'demo',
    clock,
    encode: codec.encodeUnregistered,
    sink: createKafkaSink(broker),
    experiments,
    maxQueued: 20_000,
    maxBytes: 64 << 20,
    lingerMs: 10,
  });
  return { emitter, ready: experiments.ready };
}

function reportOutcome({ emitter, write }: Desk, ticket: string, kind: string, occurredAt: EpochMs): void {
  const outcomeId = `${ticket}-${kind}`;
  emitter.outcome(kind, { entity: { type: 'ticket', id: ticket }, value: 1, outcomeId, occurredAt });
  write({
    outcome_id: outcomeId,
    entity_type: 'ticket',
    entity_id: ticket,
    kind,
    value: 1,
    occurred_at: isoTime(occurredAt),
  });
}

/** True for a call that the candidate would have answered, had it not been rolled back. */
function isKeptFromCandidate({ running }: Desk, arm: Assignment, user: string): boolean {
  if (arm.reason !== 'DISABLED' || running === undefined) return false;
  return assign(createAssignmentTable([running]), storyExperimentId, { userId: user }).variant === 'canary';
}

function assignCall(desk: Desk, call: StoryCall, traceparent: string): Assignment {
  const arm = desk.emitter.assign(storyExperimentId, { userId: call.user, traceparent });
  if (arm.variant === 'canary') desk.lastCandidateAt = systemClock.now();
  if (isKeptFromCandidate(desk, arm, call.user)) desk.kept += 1;
  return arm;
}

/** Answers the call, records it, and writes down what was recorded. */
function answer(desk: Desk, call: StoryCall, arm: Assignment, traceparent: string, at: EpochMs): void {
  const { emitter, write } = desk;
  const promptVersion = promptInForce(arm.variant, at);
  const { prompt, user, secret } = call;
  const { response, tokenIn, tokenOut, costNanoUsd, latencyMs, status } = call.reply(promptVersion);
  const occurredAt = at - call.lateMs;
  const input = {
    arms: [arm],
    userId: user,
    orgId: call.org,
    entity: { type: 'ticket', id: call.ticket },
    traceparent,
    occurredAt,
    provider: 'desk',
    modelRequested: 'desk-small',
    modelServed: 'desk-small',
    promptVersion,
    tokenIn,
    tokenOut,
    costNanoUsd,
    latencyMs,
    status,
    prompt,
    response,
  };
  const eventId = emitter.record(input);
  if (call.duplicated) emitter.record({ ...input, eventId });
  const planted = secret === undefined ? {} : { planted: secret };
  if (secret !== undefined) desk.secrets += 1;
  if (arm.reason === 'SPLIT' || arm.reason === 'STALE')
    write({
      event_id: eventId,
      trace_id: call.traceId,
      occurred_at: isoTime(occurredAt),
      user_id: user,
      ticket_id: call.ticket,
      experiment_id: storyExperimentId,
      variant: arm.variant,
      model: 'desk-small',
      prompt_version: promptVersion,
      cost_usd_est: costNanoUsd / 1e9,
      latency_ms: latencyMs,
      status,
      ingested_at: isoTime(at),
      ...planted,
    });
  else if (secret !== undefined) write(planted);
}

function serve(desk: Desk, call: StoryCall, at: EpochMs): void {
  desk.calls += 1;
  const traceparent = `00-${call.traceId}-${call.traceId.slice(0, 16)}-00`;
  // Some systems report a ticket as resolved before the call that resolved it has been recorded.
  for (const { kind, afterMs, early } of call.outcomes) if (early) reportOutcome(desk, call.ticket, kind, at + afterMs);
  answer(desk, call, assignCall(desk, call, traceparent), traceparent, at);
  for (const { kind, afterMs, early } of call.outcomes) {
    const due = at + afterMs;
    if (!early) desk.later.push({ at: due, run: () => reportOutcome(desk, call.ticket, kind, due) });
  }
}

function runDue({ later }: Desk, now: EpochMs): void {
  for (let index = later.length - 1; index >= 0; index -= 1)
    if ((later[index]?.at ?? Infinity) <= now) later.splice(index, 1)[0]?.run();
}

/** Until the story's end, a step of the story's time every `stepMs` of the wall's. */
function work(desk: Desk, clock: Clock): Promise<void> {
  const { app, seed, perHour } = desk.settings;
  const random = createRandom(seed + app);
  let number = 0;
  let upTo = storyStart;
  let steps = 0;
  return new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = Math.min(clock.now(), storyEnd);
      for (const call of callsBetween(random, upTo, now, app, perHour, () => (number += 1))) serve(desk, call, now);
      upTo = now;
      runDue(desk, now);
      steps += 1;
      if (steps % stepsPerReport === 0) desk.tell({ kind: 'progress', app, storyNow: now, calls: desk.calls });
      if (now < storyEnd) return;
      clearInterval(timer);
      resolve();
    }, stepMs);
  });
}

export async function runDesk(settings: DeskSettings, tell: (message: DeskMessage) => void): Promise<void> {
  const { app, startAt, speed } = settings;
  const clock: Clock = {
    now: () => Math.round(storyStart + Math.max(0, systemClock.now() - startAt) * speed),
  };
  const { emitter, ready } = createStoryEmitter(settings, clock, (revision, at) => {
    if (revision.status === 'running') desk.running = revision;
    else tell({ kind: 'switched', app, status: revision.status, at, lastCandidateAt: desk.lastCandidateAt });
  });
  const ledger = createWriteStream(settings.ledger);
  const desk: Desk = {
    settings,
    emitter,
    tell,
    write: (line) => void ledger.write(`${JSON.stringify(line)}\n`),
    later: [],
    running: undefined,
    lastCandidateAt: 0,
    calls: 0,
    kept: 0,
    secrets: 0,
  };
  await ready;
  await work(desk, clock);
  const flushed = await emitter.flush({ timeoutMs: 10_000 });
  const { dropped, failedCalls } = emitter.stats();
  await emitter.close();
  await new Promise<void>((resolve) => ledger.end(resolve));
  const { calls, kept, lastCandidateAt, secrets } = desk;
  tell({ kind: 'done', app, calls, kept, dropped: dropped + failedCalls, flushed, lastCandidateAt, secrets });
}
