/**
 * One deployment on the real broker and engine (topics and database of its own): disordered input in, stages as
 * processes that may be harmed, and the oracle's verdict at the end: totals = oracle, every aggregate = a fold of the
 * unit log from its beginning, recount = aggregates, parked = injected, lag 0, no process left.
 */
import { isAlive } from '../../../infra/embedded/child.ts';
import type { Addresses } from '../../../services/pipeline/connect.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import type { OutgoingRecord } from '../../../services/runtime/log.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { hour } from '../../support/build.ts';
import { until } from '../../support/until.ts';
import { disorderOf } from '../disorder.ts';
import { type Total, totalsOf } from '../oracle.ts';
import { createInput } from './input.ts';
import { createPlace, type Place, revision } from './place.ts';
import { createProgress, patienceMs } from './progress.ts';
import { type StageOptions, type StagesProcess, startStagesProcess } from './start-stages-process.ts';
import type { StageName } from './stages-process.ts';
import { recountWrong, rowsWrong, totalsWrong } from './verdict.ts';

export type DeploymentOptions = {
  readonly addresses: Addresses;
  readonly seed: number;
  /** Folder of its logs. */
  readonly home: string;
  readonly partitions?: number;
  readonly calls?: number;
  readonly bad?: number;
  /** Where stages reach the store, when that is not where the judge does. */
  readonly storeUrl?: string;
  readonly sessionTimeoutMs?: number;
  /** Inferences are this much longer. */
  readonly paddingBytes?: number;
};

export type Deployment = Pick<Place, 'prefix' | 'database' | 'partitions'> &
  Pick<Place['connection'], 'log' | 'store'> & {
    readonly arrivals: readonly Arrival[];
    /** Sends the next share of the input, bad records in between. */
    send(share: number): Promise<void>;
    /** Sends what is not part of the deployment's own input; the caller keeps the count. */
    sendArrivals(more: readonly Arrival[]): Promise<void>;
    startStages(options?: StageOptions): Promise<StagesProcess>;
    /** Next message of the unit log, by partition, before which everything is folded and durable. */
    checkpoints(): Promise<ReadonlyMap<number, number>>;
    /** Of all partitions together: how many messages are folded and durable. */
    folded(): Promise<number>;
    /** Messages that some stage has not committed, over all topics. */
    lag(): Promise<number>;
    unitEnds(): Promise<readonly number[]>;
    /** These stages have committed everything there is. */
    isConsumed(stages: readonly StageName[]): Promise<boolean>;
    /** One after the other, as records go. */
    consumed(stages: readonly StageName[]): Promise<void>;
    /** Lag 0 at every stage, twice: what the first round brought on is through as well. */
    caughtUp(): Promise<void>;
    /** Everything that is not as it should be; empty: nothing was lost, repeated or left behind. */
    verdict(): Promise<string[]>;
    totalsWrong(totals: ReadonlyMap<string, Total>): Promise<string[]>;
    recountWrong(): Promise<string[]>;
    /** Stops every process; which of them are still there. */
    close(): Promise<number[]>;
  };

const stageNames = ['redactor', 'linker', 'joiner'] as const;

/** A tick at the end of every partition of the unit log: windows close. */
function ticks({ prefix, partitions, connection }: Place, at: number): OutgoingRecord[] {
  const value = connection.codec.encode('unit-record', {
    records: [{ received_at: at, trace_id: null, span_id: null, body: { 'tripline.v1.Tick': { nothing: null } } }],
  });
  const topic = topicName(prefix, 'unit.v1');
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, value, timestamp: at }));
}

/** Disorder is about what comes when; times past the broker's are corrected, which is another test's concern. */
function notInTheFuture(arrival: Arrival): Arrival {
  const occurred_at = Math.min(arrival.event.occurred_at, arrival.arrivedAt);
  return arrival.kind === 'inference'
    ? { ...arrival, event: { ...arrival.event, occurred_at } }
    : { ...arrival, event: { ...arrival.event, occurred_at } };
}

async function stopAll(processes: readonly StagesProcess[]): Promise<void> {
  for (const { child, thaw } of processes) {
    if (child.running()) thaw();
    await child.stop('SIGTERM', 15_000);
  }
}

export async function createDeployment({
  addresses,
  seed,
  home,
  partitions = 3,
  calls = 150,
  bad = 0,
  storeUrl = addresses.clickhouseUrl,
  sessionTimeoutMs = 2_000,
  paddingBytes = 0,
}: DeploymentOptions): Promise<Deployment> {
  const place = await createPlace(addresses, partitions);
  const { prefix, database, connection } = place;
  const arrivals = disorderOf(seed, { calls, users: 12 }).arrivals.map(notInTheFuture);
  const input = createInput(place, { arrivals, bad, paddingBytes, seed });
  const processes: StagesProcess[] = [];
  const progress = createProgress(place, () => {
    const failure = processes.flatMap(({ lines }) => lines).find((line) => line.startsWith('failed '));
    if (failure !== undefined) throw new Error(`a stage ${failure}`);
  });
  const settings = { ...addresses, clickhouseUrl: storeUrl, prefix, database, sessionTimeoutMs };
  const recount = () => recountWrong(place, input.badSent());
  return {
    prefix,
    database,
    partitions,
    log: connection.log,
    store: connection.store,
    arrivals,
    send: input.send,
    sendArrivals: input.sendArrivals,
    startStages: async (options = {}) => {
      const stages = await startStagesProcess(home, settings, options);
      processes.push(stages);
      await until('stages to start', () => stages.lines.includes('ready') || !stages.child.running(), patienceMs);
      return stages;
    },
    ...progress,
    caughtUp: async () => {
      await progress.consumed(stageNames);
      await input.deliver(ticks(place, input.lastAt() + 400 * hour));
      await progress.consumed(stageNames);
    },
    verdict: async () => [
      ...(await totalsWrong(place, totalsOf(revision.spec, arrivals))),
      ...(await rowsWrong(place)),
      ...(await recount()),
    ],
    totalsWrong: (totals) => totalsWrong(place, totals),
    recountWrong: recount,
    close: async () => {
      await stopAll(processes);
      await place.producer.close().catch(() => {});
      await connection.close();
      return processes.map(({ child }) => child.pid).filter(isAlive);
    },
  };
}
