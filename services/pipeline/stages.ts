/**
 * The one place that wires a stage: a row per stage says what it is given. A stage's code is loaded when it is started,
 * so that a process holds the stages it runs and no others. To add a stage: a name in config.ts, a row here.
 */
import type { BotDeps, RunningBot } from '../bot/index.ts';
import type { Clock } from '../kernel/time.ts';
import type { startLinker } from '../linker/index.ts';
import type { JoinerDeps, startJoiner } from '../joiner/index.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import type { UnitKeys } from '../redactor/unit-keys.ts';
import type { LogProducer } from '../runtime/log.ts';
import { defaultParkedLimit } from '../runtime/parked-limit.ts';
import type { RunningStage, StageTracer } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import type { RunningStatistics, StatisticsDeps } from '../statistics/look-loop.clickhouse.ts';
import type { Settings, StageName } from './config.ts';
import type { Connection } from './connect.ts';
import { deploymentTokens } from './deployment-tokens.ts';

/** Whose pseudonyms and tokens the redactor makes, and what it takes out. */
export type RedactionContext = {
  readonly pseudonymKey: Uint8Array | UnitKeys;
  /** Writes down what is left of the keys after units were erased; absent where keys last as long as the process. */
  readonly keepKeys?: (keys: UnitKeys) => void;
  /** Absent: the built-in policy, tokens under the pseudonym key. */
  readonly policy?: RedactionPolicy;
};

export type StageContext = Pick<Connection, 'log' | 'codec' | 'store'> & {
  readonly prefix: string;
  readonly settings: Settings;
  readonly clock: Clock;
  /** The time that traffic carries: that of control records, where the topic keeps the producer's. */
  readonly eventClock: Clock;
  /** Nobody obeys: decisions are recorded alone. */
  readonly isObserved?: boolean;
  /** Several processes may run these stages: one of them looks and one obeys. */
  readonly shared: boolean;
  /** Absent only where no redactor runs. */
  readonly redaction?: RedactionContext;
  readonly tracer?: StageTracer;
  /** The joiner folds a topic that is not the open one: a change of partitions, a rebuild. */
  readonly change?: JoinerDeps['change'];
  /** Statistics looks when it is asked to, and not by itself. */
  readonly lockstep?: boolean;
  readonly onLook?: StatisticsDeps['onLook'];
  readonly onDecision?: StatisticsDeps['onDecision'];
  readonly onAck?: BotDeps['onAck'];
};

export type Stages = {
  readonly redactor: RunningStage;
  readonly linker: Awaited<ReturnType<typeof startLinker>>;
  readonly joiner: Awaited<ReturnType<typeof startJoiner>>;
  readonly sink: RunningStage;
  readonly statistics: RunningStatistics;
  readonly bot: RunningBot;
};

type Wiring = {
  readonly [N in StageName]: (context: StageContext, producer: LogProducer) => Promise<Stages[N]>;
};

/** What every stage is given. */
const givenToAll = ({ prefix, log, codec, store, clock, tracer, settings }: StageContext, producer: LogProducer) => ({
  prefix,
  log,
  codec,
  store,
  clock,
  producer,
  parkedLimit: { ...defaultParkedLimit, share: settings.TRIPLINE_PARKED_SHARE },
  ...(tracer && { tracer }),
});

const wiring: Wiring = {
  redactor: async (context, producer) => {
    const { redaction, settings } = context;
    if (redaction === undefined) throw new RangeError('a redactor without keys');
    const [{ createPseudonymizer, startRedactor }, { defaultPolicy }] = await Promise.all([
      import('../redactor/index.ts'),
      import('../redaction/index.ts'),
    ]);
    const { pseudonymKey, keepKeys, policy } = redaction;
    return startRedactor({
      ...givenToAll(context, producer),
      lingerMs: settings.REDACTOR_LINGER_MS,
      context: {
        policy: policy ?? { ...defaultPolicy, tokens: deploymentTokens(pseudonymKey) },
        pseudonym: createPseudonymizer(pseudonymKey),
      },
      ...(keepKeys && { keepKeys }),
    });
  },
  linker: async (context, producer) => {
    const { startLinker } = await import('../linker/index.ts');
    return startLinker({
      ...givenToAll(context, producer),
      flushMs: context.settings.LINKER_FLUSH_MS,
      flushRecords: context.settings.LINKER_FLUSH_RECORDS,
    });
  },
  joiner: async (context, producer) => {
    const { settings, change } = context;
    const { startJoiner } = await import('../joiner/index.ts');
    return startJoiner({
      ...givenToAll(context, producer),
      flushMs: settings.JOINER_FLUSH_MS,
      flushRecords: settings.JOINER_FLUSH_RECORDS,
      idleTickMs: settings.JOINER_IDLE_TICK_MS,
      cacheLimits: { units: settings.JOINER_CACHE_UNITS, events: settings.JOINER_CACHE_EVENTS },
      ...(change && { change }),
    });
  },
  sink: async (context, producer) => {
    const { startSink } = await import('../sink/index.ts');
    return startSink({ ...givenToAll(context, producer), lingerMs: context.settings.SINK_LINGER_MS });
  },
  statistics: async (context, producer) => {
    const { log, prefix, settings, shared, lockstep, eventClock, isObserved, onLook, onDecision } = context;
    const [{ startStatistics }, { joinSingleton }] = await Promise.all([
      import('../statistics/look-loop.clickhouse.ts'),
      import('../runtime/singleton.ts'),
    ]);
    const singleton = shared
      ? await joinSingleton({ log, group: `${prefix}-statistics`, topic: topicName(prefix, 'control.v1') })
      : undefined;
    try {
      return await startStatistics({
        ...givenToAll(context, producer),
        eventClock,
        ...(isObserved && { isObserved }),
        lookMs: lockstep ? 0 : settings.STATISTICS_LOOK_MS,
        auditMs: settings.STATISTICS_AUDIT_MS,
        ...(singleton && { singleton }),
        ...(onLook && { onLook }),
        ...(onDecision && { onDecision }),
      });
    } catch (error) {
      await singleton?.close();
      throw error;
    }
  },
  bot: async (context, producer) => {
    const { eventClock, onAck } = context;
    const { startBot } = await import('../bot/index.ts');
    return startBot({ ...givenToAll(context, producer), clock: eventClock, ...(onAck && { onAck }) });
  },
};

/** Under a producer of its own: one stage's wait for the broker is no other's. It closes with the stage. */
export async function startStage<N extends StageName>(name: N, context: StageContext): Promise<Stages[N]> {
  const producer = await context.log.producer();
  try {
    const stage = await wiring[name](context, producer);
    return {
      ...stage,
      close: async () => {
        await stage.close();
        await producer.close();
      },
    };
  } catch (error) {
    await producer.close().catch(() => {});
    throw error;
  }
}
