/**
 * One desk of the story, as a process of its own: it asks the emitter for an arm, answers, records, and reports
 * outcomes later. Its clock runs `speed` times as fast as the wall. It writes down everything it emits (the ledger), so
 * that a plain recount can judge the totals. Messages to its parent: switched, progress, done.
 */
import { createWriteStream } from 'node:fs';
import { assign, createAssignmentTable } from '../assignment/index.ts';
import { createEmitter, createKafkaSink, followExperiments } from '../emitter/index.ts';
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

export async function runDesk(settings: DeskSettings, tell: (message: DeskMessage) => void): Promise<void> {
  const { app } = settings;
  const storyClock: Clock = {
    now: () => Math.round(storyStart + Math.max(0, systemClock.now() - settings.startAt) * settings.speed),
  };
  const log = createKafka({ brokers: settings.brokers, clientId: `desk-${app}` });
  const codec = createAvroCodec({ registry: createRegistryClient({ url: settings.registryUrl }), clock: systemClock });
  let lastCandidateAt = 0;
  let running: ExperimentRevision | undefined;
  const broker = {
    prefix: settings.prefix,
    log,
    codec,
    clock: systemClock,
    ttlMs: 300_000,
    onRevision: (revision: ExperimentRevision, at: EpochMs) => {
      if (revision.status === 'running') running = revision;
      else tell({ kind: 'switched', app, status: revision.status, at, lastCandidateAt });
    },
  };
  const experiments = followExperiments(broker);
  await experiments.ready;
  const emitter = createEmitter({
    service: `desk-${app}`,
    environment: 'demo',
    clock: storyClock,
    encode: codec.encodeUnregistered,
    sink: createKafkaSink(broker),
    experiments,
    maxQueued: 20_000,
    maxBytes: 64 << 20,
    lingerMs: 10,
  });
  const ledger = createWriteStream(settings.ledger);
  const write = (line: object): void => void ledger.write(`${JSON.stringify(line)}\n`);
  const random = createRandom(settings.seed + app);
  let number = 0;
  let calls = 0;
  let kept = 0;
  let secrets = 0;
  const later: { at: EpochMs; run: () => void }[] = [];

  const serve = (call: StoryCall, at: EpochMs): void => {
    calls += 1;
    const entity = { type: 'ticket', id: call.ticket };
    const traceparent = `00-${call.traceId}-${call.traceId.slice(0, 16)}-00`;
    const outcome = (kind: string, occurredAt: EpochMs): void => {
      const outcomeId = `${call.ticket}-${kind}`;
      emitter.outcome(kind, { entity, value: 1, outcomeId, occurredAt });
      write({
        outcome_id: outcomeId,
        entity_type: 'ticket',
        entity_id: call.ticket,
        kind,
        value: 1,
        occurred_at: new Date(occurredAt).toISOString(),
      });
    };
    // Some systems report a ticket as resolved before the call that resolved it has been recorded.
    for (const { kind, afterMs, early } of call.outcomes) if (early) outcome(kind, at + afterMs);
    const arm = emitter.assign(storyExperimentId, { userId: call.user, traceparent });
    if (arm.variant === 'canary') lastCandidateAt = systemClock.now();
    if (
      arm.reason === 'DISABLED' &&
      running &&
      assign(createAssignmentTable([running]), storyExperimentId, { userId: call.user }).variant === 'canary'
    )
      kept += 1;
    const promptVersion = promptInForce(arm.variant, at);
    const reply = call.reply(promptVersion);
    if (call.secret !== undefined) secrets += 1;
    const occurredAt = at - call.lateMs;
    const input = {
      arms: [arm],
      userId: call.user,
      orgId: call.org,
      entity,
      traceparent,
      occurredAt,
      provider: 'desk',
      modelRequested: 'desk-small',
      modelServed: 'desk-small',
      promptVersion,
      tokenIn: reply.tokenIn,
      tokenOut: reply.tokenOut,
      costNanoUsd: reply.costNanoUsd,
      latencyMs: reply.latencyMs,
      status: reply.status,
      prompt: call.prompt,
      response: reply.response,
    };
    const eventId = emitter.record(input);
    if (call.duplicated) emitter.record({ ...input, eventId });
    if (arm.reason === 'SPLIT' || arm.reason === 'STALE') {
      write({
        event_id: eventId,
        trace_id: call.traceId,
        occurred_at: new Date(occurredAt).toISOString(),
        user_id: call.user,
        ticket_id: call.ticket,
        experiment_id: storyExperimentId,
        variant: arm.variant,
        model: 'desk-small',
        prompt_version: promptVersion,
        cost_usd_est: reply.costNanoUsd / 1e9,
        latency_ms: reply.latencyMs,
        status: reply.status,
        ingested_at: new Date(at).toISOString(),
        ...(call.secret !== undefined && { planted: call.secret }),
      });
    } else if (call.secret !== undefined) write({ planted: call.secret });
    for (const { kind, afterMs, early } of call.outcomes)
      if (!early) later.push({ at: at + afterMs, run: () => outcome(kind, at + afterMs) });
  };

  let upTo = storyStart;
  await new Promise<void>((resolve) => {
    let steps = 0;
    const timer = setInterval(() => {
      const now = Math.min(storyClock.now(), storyEnd);
      for (const call of callsBetween(random, upTo, now, app, settings.perHour, () => (number += 1))) serve(call, now);
      upTo = now;
      for (let index = later.length - 1; index >= 0; index -= 1)
        if ((later[index]?.at ?? Infinity) <= now) later.splice(index, 1)[0]?.run();
      steps += 1;
      if (steps % 6 === 0) tell({ kind: 'progress', app, storyNow: now, calls });
      if (now < storyEnd) return;
      clearInterval(timer);
      resolve();
    }, stepMs);
  });
  const flushed = await emitter.flush({ timeoutMs: 10_000 });
  const { dropped, failedCalls } = emitter.stats();
  await emitter.close();
  await new Promise<void>((resolve) => ledger.end(resolve));
  tell({ kind: 'done', app, calls, kept, dropped: dropped + failedCalls, flushed, lastCandidateAt, secrets });
}
