/**
 * The running stages themselves in one process: redactor, linker and joiner loops over the log and a store in memory,
 * while their partitions are taken back, sends are refused or answered to nobody, flushes fail before or after they are
 * durable, and instances die or are frozen, overtaken and woken.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { topics, type UnitRecord } from '../../../schemas/generated.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { foldRecord } from '../../../services/joiner/fold.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { loadPartition, prefetch } from '../../../services/joiner/load-partition.ts';
import { type FlushRows, takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import { formatRevision } from '../../../services/kernel/experiment-json.ts';
import { bucketOf, partitionOf } from '../../../services/kernel/ids.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import { linkRecord, type LinkerState } from '../../../services/linker/link.ts';
import { type LinkFlush, restoreLinks, takeLinkRows } from '../../../services/linker/link-rows.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer, startRedactor } from '../../../services/redactor/index.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { batchUnits } from '../../../services/runtime/batches.ts';
import type { LogClient, OutgoingRecord } from '../../../services/runtime/log.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import { runStatefulStage } from '../../../services/runtime/stateful-stage.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryState, readStateRows, type StateRowRead } from '../../support/memory-state.ts';
import { until } from '../../support/until.ts';
import { disorderOf } from '../disorder.ts';
import { foldEagerly } from '../../support/joiner-driver.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';
import { totalsOf } from '../oracle.ts';

const revision = aRevision();
const prefix = 'trial';
const name = (suffix: string): string => `${prefix}.${suffix}`;
const plain = { trace_id: null, span_id: null };

/** An instance's hold on the world: while frozen its calls wait, once dead they never return. */
type Gate = { open: Promise<void>; freeze(): () => void; kill(): void };
function createGate(): Gate {
  const gate: Gate = {
    open: Promise.resolve(),
    freeze: () => {
      let thaw: () => void = () => {};
      gate.open = new Promise((resolve) => {
        thaw = resolve;
      });
      return thaw;
    },
    kill: () => {
      gate.open = new Promise(() => {});
    },
  };
  return gate;
}

export type StagesVerdict = {
  readonly wrong: readonly string[];
  readonly faults: { rebalances: number; refused: number; repliesLost: number; kills: number; frozen: number };
  readonly fastForwards: number;
};

export async function runStagesTrial(seed: number): Promise<StagesVerdict> {
  const random = createRandom(seed ^ 0x57a6e);
  const partitions = 2;
  const broker = createMemoryBroker();
  const codec = createAvroCodec({ clock: { now: () => 0 }, registry: createMemoryRegistry() });
  await codec.register(
    topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: name(suffix) }))),
  );
  const outside = broker.client();
  await outside.createTopics(
    topics.map(({ suffix, partitions: count }) => ({
      topic: name(suffix),
      partitions: count === 'P' ? partitions : count,
      config: {},
    })),
  );
  const memory = createMemoryState();
  const links = new Map<string, StateRowRead>();
  const faults = { rebalances: 0, refused: 0, repliesLost: 0, kills: 0, frozen: 0 };
  let calm = false;
  const upset = (): 'none' | 'refused' | 'reply-lost' => {
    if (calm) return 'none';
    const drawn = random();
    if (drawn < 0.05) {
      faults.refused += 1;
      return 'refused';
    }
    if (drawn < 0.1) {
      faults.repliesLost += 1;
      return 'reply-lost';
    }
    return 'none';
  };
  const storeCall = async (run: () => void): Promise<void> => {
    const fault = upset();
    if (fault !== 'refused') run();
    if (fault !== 'none') throw new PipelineError('STORE_UNAVAILABLE', 'injected', { retriable: true });
  };

  const start = async (): Promise<{
    gate: Gate;
    close(): Promise<void>;
    fastForwards(): number;
    failed: Promise<never>;
    suspend(): () => void;
  }> => {
    const gate = createGate();
    const through = async <T>(run: () => Promise<T>): Promise<T> => {
      await gate.open;
      const result = await run();
      await gate.open;
      return result;
    };
    const client = broker.client();
    const sender = await client.producer();
    const producer = { ...sender, send: (records: readonly OutgoingRecord[]) => through(() => sender.send(records)) };
    const log: LogClient = {
      ...client,
      consume: async (options) => {
        let rejoined = (): number => 0;
        const consumer = await client.consume({
          ...options,
          handler: {
            ...options.handler,
            records: (topic, partition, records) => {
              // Records that were on their way when their partition was taken back reach nobody: the client drops what
              // an earlier generation fetched.
              const fetchedIn = rejoined();
              return through(async () =>
                rejoined() === fetchedIn ? options.handler.records(topic, partition, records) : undefined,
              );
            },
            load: (topic, partition) => through(() => options.handler.load(topic, partition)),
          },
        });
        rejoined = () => consumer.stats().rejoins;
        return {
          ...consumer,
          commit: async (topic, partition, next) => {
            const { rejoins } = consumer.stats();
            await gate.open;
            // A request that was frozen on its way carries the generation it began in, and is refused.
            return consumer.stats().rejoins === rejoins && consumer.commit(topic, partition, next);
          },
        };
      },
    };
    const common = {
      log,
      producer,
      codec,
      clock: { now: () => Date.now() },
      parkedTopic: name('parked.v1'),
      flushMs: 2,
      flushRecords: 40,
      idleMs: 0,
      onIdle: async () => {},
    };
    const redactor = await startRedactor({
      ...common,
      prefix,
      lingerMs: 0,
      context: { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 7)) },
    });
    const linker = await runStatefulStage<'entity-record', LinkerState, LinkFlush>({
      ...common,
      name: 'linker',
      group: `${prefix}-linker`,
      topic: name('entity.v1'),
      record: 'entity-record',
      take: takeLinkRows,
      checkpoints: () =>
        through(
          async () =>
            new Map(
              [...links.values()]
                .filter(({ kind }) => kind === 'checkpoint')
                .map(({ partitionId, position }) => [partitionId, Number(position)]),
            ),
        ),
      load: (partitionId) =>
        through(async () => {
          const state = restoreLinks(
            partitionId,
            [...links.values()].filter((row) => row.partitionId === partitionId),
          );
          return { state, offset: Math.floor(state.position / positionsPerOffset) };
        }),
      fold: (fold, { records }, offset) => {
        for (const [index, record] of records.entries()) linkRecord(fold, record, offset * positionsPerOffset + index);
        return records.length;
      },
      write: async (flushes) => {
        await producer.send(
          flushes.flatMap(({ outgoing, clock: timestamp }) =>
            batchUnits({ topic: name('unit.v1'), partitions, codec, timestamp }, outgoing),
          ),
        );
        await through(() =>
          storeCall(() => {
            for (const row of flushes.flatMap(({ rows }) => readStateRows(rows))) {
              const key = `${row.partitionId}/${row.kind}/${row.key}`;
              if (Number(links.get(key)?.position ?? -1) <= Number(row.position)) links.set(key, row);
            }
          }),
        );
      },
    });
    const cacheLimits = { units: 3, events: 6 };
    const joiner = await runStatefulStage<'unit-record', PartitionState, FlushRows>({
      ...common,
      name: 'joiner',
      group: `${prefix}-joiner`,
      topic: name('unit.v1'),
      record: 'unit-record',
      take: takeFlushRows,
      checkpoints: () => through(() => memory.checkpoints()),
      load: (partitionId) =>
        through(async () => {
          const state = await loadPartition(memory, partitionId);
          return { state, offset: Math.floor(state.position / positionsPerOffset) };
        }),
      present: (state, batches, position) =>
        prefetch(
          memory,
          state,
          batches.flatMap(({ records }) => records),
          position,
          cacheLimits,
        ),
      durable: (state, { taken }) => {
        state.durable = taken;
      },
      fold: (state, { records }, offset) => {
        for (const [index, record] of records.entries()) foldRecord(state, record, offset * positionsPerOffset + index);
        return records.length;
      },
      write: async (flushes) => {
        await through(() => storeCall(() => flushes.forEach(memory.writeFacts)));
        await through(() =>
          storeCall(() => {
            for (const flush of flushes) memory.writeState(flush);
          }),
        );
      },
    });
    return {
      gate,
      suspend: () => broker.suspend(client),
      failed: Promise.race([redactor.failed, linker.failed, joiner.failed]),
      fastForwards: joiner.fastForwards,
      close: async () => {
        await Promise.all([redactor.close(), linker.close(), joiner.close()]);
        await client.close();
      },
    };
  };

  const outer = await outside.producer();
  const tickAll = (body: UnitRecord['body'], at: number) =>
    outer.send(
      Array.from({ length: partitions }, (_, partition) => ({
        topic: name('unit.v1'),
        partition,
        value: codec.encode('unit-record', { records: [{ ...plain, received_at: at, body }] }),
        timestamp: at,
      })),
    );
  await tickAll(
    {
      'tripline.v1.ExperimentAdopted': {
        experiment_id: revision.spec.id,
        revision: revision.revision,
        document: formatRevision(revision),
      },
    },
    monday,
  );
  const { arrivals } = disorderOf(seed, { calls: 80 });
  const instances = [await start()];
  broker.fault = upset;
  const wrong: string[] = [];
  const thaws: (() => void)[] = [];
  const groups = ['redactor', 'linker', 'joiner'].map((stage) => `${prefix}-${stage}`);
  try {
    for (let sent = 0; sent < arrivals.length; ) {
      const chunk = arrivals.slice(sent, sent + 1 + Math.floor(random() * 12));
      sent += chunk.length;
      const records = chunk.map(
        (arrival): OutgoingRecord => ({
          topic: name(arrival.kind === 'inference' ? 'inference.raw.v1' : 'outcome.raw.v1'),
          partition: partitionOf(
            bucketOf(
              'any',
              arrival.kind === 'inference' ? (arrival.event.units.user_id ?? '') : (arrival.event.entity?.id ?? ''),
            ),
            partitions,
          ),
          value:
            arrival.kind === 'inference'
              ? codec.encode('inference-event', arrival.event)
              : codec.encode('outcome-event', arrival.event),
          timestamp: arrival.arrivedAt,
        }),
      );
      // An emitter repeats what it has no answer for.
      for (let done = false; !done; )
        done = await outer.send(records).then(
          () => true,
          () => false,
        );
      await wait(random() < 0.5 ? 0 : Math.floor(random() * 8));
      const what = random();
      const current = instances.at(-1);
      if (what < 0.15) {
        faults.rebalances += 1;
        broker.rebalance(groups[Math.floor(random() * groups.length)] as string);
      } else if (what < 0.25 && current) {
        faults.kills += 1;
        current.gate.kill();
        current.suspend();
        instances.splice(instances.length - 1, 1, await start());
      } else if (what < 0.35 && current && thaws.length < 2) {
        faults.frozen += 1;
        const thaw = current.gate.freeze();
        const back = current.suspend();
        thaws.push(() => {
          thaw();
          back();
        });
        instances.push(await start());
      } else if (what < 0.45) thaws.shift()?.();
    }
    for (const thaw of thaws.splice(0)) thaw();
    calm = true;
    broker.fault = undefined;
    const caughtUp = (group: string, topic: string) =>
      until(`${group} to catch up`, async () => {
        const [ends, done] = [
          await outside.endOffsets(name(topic)),
          await outside.committedOffsets(`${prefix}-${group}`, name(topic)),
        ];
        return ends.every((end, partition) => (done[partition] ?? 0) >= end);
      });
    for (let round = 0; round < 2; round += 1) {
      await Promise.race([
        Promise.all([caughtUp('redactor', 'inference.raw.v1'), caughtUp('redactor', 'outcome.raw.v1')]),
        ...instances.map(({ failed }) => failed),
      ]);
      await Promise.race([caughtUp('linker', 'entity.v1'), ...instances.map(({ failed }) => failed)]);
      await Promise.race([caughtUp('joiner', 'unit.v1'), ...instances.map(({ failed }) => failed)]);
      if (round === 0)
        await tickAll({ 'tripline.v1.Tick': { nothing: null } }, (arrivals.at(-1)?.arrivedAt ?? monday) + 400 * hour);
    }
  } catch (error) {
    wrong.push(`threw: ${error instanceof Error ? error.message : String(error)}`);
  }
  const fastForwards = instances.reduce((sum, instance) => sum + instance.fastForwards(), 0);
  await Promise.all(instances.map((instance) => instance.close()));
  const rows = [...memory.rows.values()];
  for (const [key, want] of totalsOf(revision.spec, arrivals)) {
    const [metric, arm] = key.split('/');
    const mine = rows.filter((row) => row.kind === 'metric_aggregate' && row.metric === metric && row.arm === arm);
    const sum = (read: (row: StateRowRead) => string | undefined): number =>
      mine.reduce((total, row) => total + Number(read(row) ?? 0), 0);
    const have = {
      units: sum(({ units }) => units),
      numerator: sum(({ sums }) => sums[0]),
      denominator: sum(({ sums }) => sums[1]),
    };
    if (JSON.stringify(have) !== JSON.stringify(want))
      wrong.push(`totals of ${key}: ${JSON.stringify(have)}, expected ${JSON.stringify(want)}`);
  }
  for (let partitionId = 0; partitionId < partitions; partitionId += 1) {
    const log = (await outside.readToEnd(name('unit.v1')))
      .filter(({ partition }) => partition === partitionId)
      .flatMap(({ value }) => {
        const decoded = codec.decode(['unit-record'], value ?? Buffer.alloc(0));
        return decoded.ok ? decoded.value.records : [];
      });
    const text = (all: readonly StateRowRead[]): string[] =>
      all
        .filter(
          (row) => row.partitionId === partitionId && ['unit', 'test_aggregate', 'metric_aggregate'].includes(row.kind),
        )
        .map(({ position: _ver, ...row }) => JSON.stringify(row))
        .sort();
    const [have, want] = [text(rows), text([...foldEagerly(log, partitionId).store.rows.values()])];
    if (JSON.stringify(have) !== JSON.stringify(want))
      wrong.push(
        `rows of ${partitionId} differ from a fold of its log: ` +
          `${have.filter((row) => !want.includes(row)).length} of ${want.length}`,
      );
  }
  const parked = (await outside.endOffsets(name('parked.v1')))[0] ?? 0;
  if (parked > 0) wrong.push(`${parked} parked`);
  return { wrong, faults, fastForwards };
}
