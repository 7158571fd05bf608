/** Redactor, linker and joiner as one process would run them, over the log and the store of a scenario. */
import { foldRecord } from '../../../services/joiner/fold.ts';
import { loadPartition, prefetch } from '../../../services/joiner/load-partition.ts';
import { boundByLog } from '../../../services/joiner/log-time.ts';
import type { PartitionState } from '../../../services/joiner/partition-state.ts';
import { type FlushRows, takeFlushRows } from '../../../services/joiner/flush-rows.ts';
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import { type LinkFlush, restoreLinks, takeLinkRows } from '../../../services/linker/link-rows.ts';
import { type LinkerState, linkRecord } from '../../../services/linker/link.ts';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { createPseudonymizer, startRedactor } from '../../../services/redactor/index.ts';
import { batchUnits } from '../../../services/runtime/batches.ts';
import type { LogClient, LogProducer } from '../../../services/runtime/log.ts';
import { runStatefulStage } from '../../../services/runtime/stateful-stage.ts';
import { readStateRows } from '../../support/memory-state.ts';
import { createGate, type Gate, gatedLog } from './gate.ts';
import { callStore, prefix, type Scenario, topicOf } from './scenario.ts';

export type StageInstance = {
  readonly gate: Gate;
  /** Its members leave their groups without knowing it; what comes back lets them join again. */
  suspend(): () => void;
  readonly failed: Promise<never>;
  fastForwards(): number;
  close(): Promise<void>;
};

/** What every stage of an instance is given. */
type Surroundings = {
  readonly scenario: Scenario;
  readonly gate: Gate;
  readonly log: LogClient;
  producer: LogProducer;
};

const common = ({ scenario, log, producer }: Surroundings) => ({
  log,
  producer,
  codec: scenario.codec,
  clock: { now: () => Date.now() },
  parkedTopic: topicOf('parked.v1'),
  flushMs: 2,
  flushRecords: 40,
  idleMs: 0,
  onIdle: async () => {},
});

const cacheLimits = { units: 3, events: 6 };

/** The loaded state, and the offset of the message that its position lies in. */
const loadedAt = <State extends { readonly position: number }>(state: State) => ({
  state,
  offset: Math.floor(state.position / positionsPerOffset),
});

function linkCheckpoints({ links }: Scenario): ReadonlyMap<number, number> {
  const rows = [...links.values()].filter(({ kind }) => kind === 'checkpoint');
  return new Map(rows.map(({ partitionId, position }) => [partitionId, Number(position)]));
}

function loadLinks({ links }: Scenario, partitionId: number): LinkerState {
  const rows = [...links.values()].filter((row) => row.partitionId === partitionId);
  return restoreLinks(partitionId, rows);
}

function writeLinks({ links }: Scenario, flushes: readonly LinkFlush[]): void {
  for (const row of flushes.flatMap(({ rows }) => readStateRows(rows))) {
    const key = `${row.partitionId}/${row.kind}/${row.key}`;
    if (Number(links.get(key)?.position ?? -1) <= Number(row.position)) links.set(key, row);
  }
}

function startLinker(around: Surroundings) {
  const { scenario, gate, producer } = around;
  const { partitions, codec } = scenario;
  return runStatefulStage<'entity-record', LinkerState, LinkFlush>({
    ...common(around),
    name: 'linker',
    group: `${prefix}-linker`,
    topic: topicOf('entity.v1'),
    record: 'entity-record',
    take: takeLinkRows,
    checkpoints: () => gate.through(async () => linkCheckpoints(scenario)),
    load: (partitionId) => gate.through(async () => loadedAt(loadLinks(scenario, partitionId))),
    fold: (state, { records }, offset) => {
      for (const [index, record] of records.entries()) linkRecord(state, record, offset * positionsPerOffset + index);
      return records.length;
    },
    write: async (flushes) => {
      await producer.send(
        flushes.flatMap(({ outgoing, clock: timestamp }) =>
          batchUnits({ topic: topicOf('unit.v1'), partitions, codec, timestamp }, outgoing),
        ),
      );
      await gate.through(async () => callStore(scenario, () => writeLinks(scenario, flushes)));
    },
  });
}

function startJoiner(around: Surroundings) {
  const { scenario, gate } = around;
  const { memory } = scenario;
  return runStatefulStage<'unit-record', PartitionState, FlushRows>({
    ...common(around),
    name: 'joiner',
    group: `${prefix}-joiner`,
    topic: topicOf('unit.v1'),
    record: 'unit-record',
    take: takeFlushRows,
    checkpoints: () => gate.through(() => memory.checkpoints()),
    load: (partitionId) => gate.through(async () => loadedAt(await loadPartition(memory, partitionId))),
    appended: ({ records }, at) => void boundByLog(records, at),
    present: (state, batches, position) => {
      const records = batches.flatMap((batch) => batch.records);
      return prefetch(memory, state, records, position, cacheLimits);
    },
    durable: (state, { taken }) => {
      state.durable = taken;
    },
    fold: (state, { records }, offset) => {
      for (const [index, record] of records.entries()) foldRecord(state, record, offset * positionsPerOffset + index);
      return records.length;
    },
    write: async (flushes) => {
      await gate.through(async () => callStore(scenario, () => flushes.forEach(memory.writeFacts)));
      await gate.through(async () =>
        callStore(scenario, () => {
          for (const flush of flushes) memory.writeState(flush);
        }),
      );
    },
  });
}

export async function startInstance(scenario: Scenario): Promise<StageInstance> {
  const gate = createGate();
  const client = scenario.broker.client();
  const sender = await client.producer();
  const producer: LogProducer = { ...sender, send: (records) => gate.through(() => sender.send(records)) };
  const around: Surroundings = { scenario, gate, log: gatedLog(client, gate), producer };
  const redactor = await startRedactor({
    ...common(around),
    prefix,
    lingerMs: 0,
    context: { policy: defaultPolicy, pseudonym: createPseudonymizer(Buffer.alloc(32, 7)) },
  });
  const linker = await startLinker(around);
  const joiner = await startJoiner(around);
  return {
    gate,
    suspend: () => scenario.broker.suspend(client),
    failed: Promise.race([redactor.failed, linker.failed, joiner.failed]),
    fastForwards: joiner.fastForwards,
    close: async () => {
      await Promise.all([redactor.close(), linker.close(), joiner.close()]);
      await client.close();
    },
  };
}
