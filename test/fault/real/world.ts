/**
 * One world on the real broker and engine (topics and database of its own): disordered input in, stages as processes
 * that may be harmed, and the oracle's verdict at the end: totals = oracle, every cell = a fold of the unit log from
 * its beginning, recount = cells, parked = injected, lag 0, no process left.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, isAlive, startChild } from '../../../infra/embedded/child.ts';
import { publishRevision } from '../../../services/bot/index.ts';
import { parkedEntries } from '../../../services/cli/replay-parked.ts';
import { createPartitionState, foldRecord } from '../../../services/joiner/index.ts';
import { takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { bucketOf, partitionOf } from '../../../services/kernel/ids.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { type Addresses, connect } from '../../../services/pipeline/connect.ts';
import { prepare } from '../../../services/pipeline/prepare.ts';
import type { OutgoingRecord } from '../../../services/runtime/log.ts';
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import { systemClock } from '../../../services/runtime/system-clock.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { retryUntilAborted } from '../../../services/runtime/retry.ts';
import { auditAggregates } from '../../../services/statistics/audit.clickhouse.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { readStateRows } from '../../support/memory-state.ts';
import {
  comparedColumns,
  type ComparedRow,
  selectCheckpoints,
  selectCompared,
  selectTotals,
  type TotalRow,
} from '../../support/state-sql.ts';
import { until } from '../../support/until.ts';
import { disorderOf } from '../disorder.ts';
import { totalsOf } from '../oracle.ts';
import type { Failpoint } from './failpoints.ts';
import type { StagesSettings } from './stages-process.ts';

export type StagesProcess = {
  readonly child: Child;
  readonly lines: string[];
  fastForwards(): number;
  /** Of its queues: the most bytes at a time, how often a partition was paused, how often a group was joined. */
  queue(): { readonly mostQueuedBytes: number; readonly pauses: number; readonly joins: number };
  freeze(): void;
  thaw(): void;
};
export type WorldOptions = Addresses & {
  readonly seed: number;
  readonly home: string;
  readonly partitions?: number;
  readonly calls?: number;
  readonly bad?: number;
  readonly storeUrl?: string;
  readonly sessionTimeoutMs?: number /** Inferences are this much longer. */;
  readonly paddingBytes?: number;
};

const revision = aRevision();
const processFile = fileURLToPath(new URL('./stages-process.ts', import.meta.url));
const patienceMs = 150_000;

export async function createWorld({
  seed,
  home,
  partitions = 3,
  calls = 150,
  bad = 0,
  storeUrl,
  sessionTimeoutMs = 2_000,
  paddingBytes = 0,
  ...addresses
}: WorldOptions) {
  const run = randomBytes(4).toString('hex');
  const where = { prefix: `fault-${run}`, database: `fault_${run}` };
  const { prefix } = where;
  const connection = await connect({ ...addresses, ...where, clock: systemClock, clientId: prefix });
  const { log, codec, store } = connection;
  await prepare({ ...addresses, prefix, partitions, eventTime: true }, connection);
  const producer = await log.producer();
  /** As every writer does: a broker in trouble is waited for. What is sent twice carries the same ids. */
  const deliver = (records: readonly OutgoingRecord[]): Promise<unknown> =>
    retryUntilAborted(() => producer.send(records), { abandoned: () => false });
  await publishRevision({ prefix, log, producer, codec }, revision);
  const random = createRandom(seed ^ 0xfa17);
  const { arrivals } = disorderOf(seed, { calls, users: 12 });
  const children: StagesProcess[] = [];
  const rawTopics = [topicName(prefix, 'inference.raw.v1'), topicName(prefix, 'outcome.raw.v1')];
  let lastAt = arrivals.at(-1)?.arrivedAt ?? monday;

  const toRecord = (arrival: (typeof arrivals)[number]): OutgoingRecord => {
    const user = arrival.kind === 'inference' ? (arrival.event.units.user_id ?? '') : (arrival.event.entity?.id ?? '');
    return {
      topic: topicName(prefix, arrival.kind === 'inference' ? 'inference.raw.v1' : 'outcome.raw.v1'),
      partition: partitionOf(bucketOf(arrival.kind === 'inference' ? 'user' : 'entity:ticket', user), partitions),
      key: user,
      value:
        arrival.kind === 'inference'
          ? codec.encode(
              'inference-event',
              paddingBytes === 0 ? arrival.event : { ...arrival.event, model_served: model },
            )
          : codec.encode('outcome-event', arrival.event),
      timestamp: arrival.arrivedAt,
      headers: { 'content-type': 'application/avro' },
    };
  };
  /** What can never work: no frame, an id that nobody registered, a body cut short, a body of noise, far too long. */
  const broken = (index: number): OutgoingRecord => {
    const good = toRecord(arrivals[index % arrivals.length] as (typeof arrivals)[number]).value;
    const unknown = Buffer.from(good);
    unknown.writeUInt32BE(999_999, 1);
    const noise = Buffer.concat([good.subarray(0, 5), Buffer.alloc(40, 0xff)]);
    const kinds = [
      Buffer.from('not a frame'),
      unknown,
      good.subarray(0, good.length - 3),
      noise,
      Buffer.alloc((1 << 20) + 1, 1),
      Buffer.alloc(0),
    ];
    return {
      topic: rawTopics[index % 2] ?? '',
      partition: index % partitions,
      value: kinds[index % kinds.length] as Buffer,
      timestamp: monday,
    };
  };
  const model = 'm'.repeat(paddingBytes);
  let sent = 0;
  let badSent = 0;

  const checkpoints = async (): Promise<ReadonlyMap<number, number>> =>
    new Map(
      (await store.rows<{ partitionId: number; position: string }>(selectCheckpoints)).map(
        ({ partitionId, position }) => [partitionId, Math.floor(Number(position) / positionsPerOffset)],
      ),
    );

  const topicsOf = {
    redactor: rawTopics,
    linker: [topicName(prefix, 'entity.v1')],
    joiner: [topicName(prefix, 'unit.v1')],
  } as const;
  /** These stages have committed everything there is. */
  const isConsumed = async (stages: StagesSettings['stages']): Promise<boolean> => {
    const failure = children.flatMap(({ lines }) => lines).find((line) => line.startsWith('failed '));
    if (failure !== undefined) throw new Error(`a stage ${failure}`);
    try {
      for (const stage of stages)
        for (const topic of topicsOf[stage]) {
          const [ends, done] = [await log.endOffsets(topic), await log.committedOffsets(`${prefix}-${stage}`, topic)];
          if (!ends.every((end, partition) => (done[partition] ?? 0) >= end)) return false;
        }
      return true;
    } catch {
      return false; // the broker is on its way back: asked again
    }
  };
  /** One after the other, as records go. */
  const consumed = async (stages: StagesSettings['stages']): Promise<void> => {
    for (const stage of stages) await until(`the ${stage} to read everything`, () => isConsumed([stage]), patienceMs);
  };

  /** `have` and `want` as JSON, or nothing when they are equal. */
  const differ = (what: string, have: unknown, want: unknown): string[] =>
    JSON.stringify(have) === JSON.stringify(want)
      ? []
      : [`${what}: ${JSON.stringify(have)}, expected ${JSON.stringify(want)}`];
  const totalsWrong = async (totals: ReturnType<typeof totalsOf>): Promise<string[]> => {
    const found = await store.rows<TotalRow>(selectTotals());
    return [...totals].flatMap(([key, want]) => {
      const aggregate = found.find(({ metric, arm }) => `${metric}/${arm}` === key);
      return differ(
        `totals of ${key}`,
        {
          units: Number(aggregate?.units ?? 0),
          numerator: Number(aggregate?.numerator ?? 0),
          denominator: Number(aggregate?.denominator ?? 0),
        },
        want,
      );
    });
  };
  /** Every unit and aggregate against a fold of the unit log from its beginning. */
  const rowsWrong = async (): Promise<string[]> => {
    const stored = await store.rows<ComparedRow>(selectCompared());
    const asText = (rows: readonly ComparedRow[]): string[] =>
      rows.map((row) => JSON.stringify([row.partitionId, ...comparedColumns.map((column) => row[column])])).sort();
    const folds = Array.from({ length: partitions }, (_, partitionId) => createPartitionState(partitionId));
    for (const { partition, offset, value } of await log.readToEnd(topicName(prefix, 'unit.v1'))) {
      if (value === null) continue;
      await codec.prepare([value]);
      const decoded = codec.decode(['unit-record'], value);
      if (decoded.ok)
        for (const [index, record] of decoded.value.records.entries())
          foldRecord(folds[partition] as (typeof folds)[number], record, offset * positionsPerOffset + index);
    }
    const again = folds
      .flatMap((fold) => readStateRows(takeFlushRows(fold, fold.position).state))
      .filter(({ kind }) => ['unit', 'metric_aggregate', 'test_aggregate'].includes(kind));
    const [have, want] = [asText(stored), asText(again)];
    const extra = have.filter((row) => !want.includes(row));
    return have.length === want.length && extra.length === 0
      ? []
      : [
          `rows differ from a fold of the log: ${have.length} of ${want.length}, ${extra.length} not in it, ` +
            `first ${extra[0] ?? '-'}`,
        ];
  };
  const recountWrong = async (): Promise<string[]> => {
    const audit = await auditAggregates(store);
    return [
      ...differ('recount', [audit.mismatches, audit.settled], [[], true]),
      ...differ('parked', parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))).length, badSent),
    ];
  };

  const world = {
    ...where,
    log,
    store,
    partitions,
    arrivals,
    /** Sends the next share of the input, bad records in between. */
    send: async (share: number): Promise<void> => {
      const to = Math.min(arrivals.length, Math.ceil(arrivals.length * share));
      while (sent < to) {
        const chunk = arrivals.slice(sent, Math.min(to, sent + 5 + Math.floor(random() * 20)));
        const extra = badSent < (bad * (sent + chunk.length)) / arrivals.length ? [broken(badSent)] : [];
        await deliver([...chunk.map(toRecord), ...extra]);
        sent += chunk.length;
        badSent += extra.length;
      }
    },
    /** Sends what is not part of the world's own input; the caller keeps the count. */
    sendArrivals: async (more: readonly Arrival[]): Promise<void> => {
      await deliver(more.map(toRecord));
      lastAt = Math.max(lastAt, more.at(-1)?.arrivedAt ?? 0);
    },
    startStages: async (
      options: {
        fail?: `${Failpoint}${'' | `*${number}`}`;
        stages?: StagesSettings['stages'];
        settings?: Partial<StagesSettings>;
      } = {},
    ): Promise<StagesProcess> => {
      const settings: StagesSettings = {
        ...addresses,
        ...where,
        clickhouseUrl: storeUrl ?? addresses.clickhouseUrl,
        flushMs: 60,
        sessionTimeoutMs,
        stages: options.stages ?? ['redactor', 'linker', 'joiner'],
        cacheLimits: { units: 4, events: 8 },
        ...options.settings,
      };
      const lines: string[] = [];
      const child = await startChild({
        command: process.execPath,
        args: ['--import', 'tsx', processFile],
        logFile: join(home, `${prefix}.log`),
        onLine: (line) => lines.push(line),
        env: {
          ...process.env,
          KAFKAJS_NO_PARTITIONER_WARNING: '1',
          TRIPLINE_FAULT: JSON.stringify(settings),
          ...(options.fail && { TRIPLINE_FAIL: options.fail }),
        },
      });
      const stages: StagesProcess = {
        child,
        lines,
        fastForwards: () =>
          Math.max(0, ...lines.flatMap((line) => (line.startsWith('fast-forwards ') ? [Number(line.slice(14))] : []))),
        queue: () =>
          JSON.parse(
            lines.findLast((line) => line.startsWith('queue '))?.slice(6) ??
              '{"mostQueuedBytes":0,"pauses":0,"joins":0}',
          ) as ReturnType<StagesProcess['queue']>,
        freeze: () => process.kill(child.pid, 'SIGSTOP'),
        thaw: () => process.kill(child.pid, 'SIGCONT'),
      };
      children.push(stages);
      await until('stages to start', () => lines.includes('ready') || !child.running(), patienceMs);
      return stages;
    },
    /** Next message of the unit log, by partition, before which everything is folded and durable. */
    checkpoints,
    /** Of all partitions together: how many messages are folded and durable. */
    folded: async (): Promise<number> => [...(await checkpoints()).values()].reduce((sum, next) => sum + next, 0),
    /** Messages that some stage has not committed, over all topics. */
    lag: async (): Promise<number> => {
      let lag = 0;
      for (const [stage, names] of Object.entries(topicsOf))
        for (const topic of names) {
          const [ends, done] = [await log.endOffsets(topic), await log.committedOffsets(`${prefix}-${stage}`, topic)];
          for (const [partition, end] of ends.entries()) lag += end - (done[partition] ?? 0);
        }
      return lag;
    },
    unitEnds: (): Promise<readonly number[]> => log.endOffsets(topicName(prefix, 'unit.v1')),
    isConsumed,
    consumed,
    /** Lag 0 at every stage, twice: what the first round brought on is through as well. */
    caughtUp: async (): Promise<void> => {
      await consumed(['redactor', 'linker', 'joiner']);
      const value = codec.encode('unit-record', {
        records: [
          {
            received_at: lastAt + 400 * hour,
            trace_id: null,
            span_id: null,
            body: { 'tripline.v1.Tick': { nothing: null } },
          },
        ],
      });
      await deliver(
        Array.from({ length: partitions }, (_, partition) => ({
          topic: topicName(prefix, 'unit.v1'),
          partition,
          value,
          timestamp: lastAt + 400 * hour,
        })),
      );
      await consumed(['redactor', 'linker', 'joiner']);
    },
    /** Everything that is not as it should be; empty: nothing was lost, repeated or left behind. */
    verdict: async (): Promise<string[]> => [
      ...(await totalsWrong(totalsOf(revision.spec, arrivals))),
      ...(await rowsWrong()),
      ...(await recountWrong()),
    ],
    totalsWrong,
    recountWrong,
    /** Stops every process; which of them are still there. */
    close: async (): Promise<number[]> => {
      for (const { child, thaw } of children) {
        if (child.running()) thaw();
        await child.stop('SIGTERM', 15_000);
      }
      await producer.close().catch(() => {});
      await connection.close();
      return children.map(({ child }) => child.pid).filter(isAlive);
    },
  };
  return world;
}

export type World = Awaited<ReturnType<typeof createWorld>>;
