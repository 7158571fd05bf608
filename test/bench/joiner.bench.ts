/**
 * The joiner in a process of its own: decode, prefetch, fold five metrics, flush into the engine. Three loads: as
 * many units as stay cached; a million units of which a tenth stays; and the start of a process on that million.
 * `--only NAME` runs one.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createJoinerStore } from '../../services/joiner/joiner-store.clickhouse.ts';
import type { JoinerStore } from '../../services/joiner/joiner-store.ts';
import { loadPartition, prefetch } from '../../services/joiner/load-partition.ts';
import type { PartitionState } from '../../services/joiner/partition-state.ts';
import { createPartitionState, foldRecord } from '../../services/joiner/index.ts';
import { takeFlushRows } from '../../services/joiner/flush-rows.ts';
import { formatRevision } from '../../services/kernel/experiment-json.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import { type AvroCodec, createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import type { UnitRecord } from '../../schemas/generated.ts';
import { aRevision, monday } from '../support/build.ts';

export type JoinerFigure = {
  readonly stage: string;
  readonly perSecond: number;
  readonly us: number;
  readonly rssMb: number;
  readonly bar: string;
};
type Load = {
  readonly name: string;
  readonly units: number;
  readonly events: number;
  readonly cached: number;
  readonly bar: string;
};

const loads: readonly Load[] = [
  {
    name: 'joiner: 60,000 units resident, flush into the engine every 10,000',
    units: 60_000,
    events: 300_000,
    cached: 150_000,
    bar: '>= 40,000/s, RSS <= 800 MB',
  },
  {
    name: 'joiner: 1,000,000 units, each seen once, 100,000 resident',
    units: 1_000_000,
    events: 1_000_000,
    cached: 100_000,
    bar: 'RSS <= 1,000 MB',
  },
];

const observation = (index: number, units: number): UnitRecord => {
  const unit = (index * 7_919) % units;
  const id = Buffer.alloc(16);
  id.writeUInt32BE((unit * 2_654_435_761) % 4_294_967_296, 0);
  id.writeUInt32BE(unit, 12);
  const at = monday + index * 20;
  return {
    received_at: at,
    trace_id: null,
    span_id: null,
    body: {
      'tripline.v1.Observation': {
        event_id: randomBytes(16),
        occurred_at: at,
        unit_type: 'user',
        unit: id,
        entity: null,
        exposures: [{ experiment_id: 'exp-test', phase: 1, variant: unit % 2 === 0 ? 'A' : 'B' }],
        model_served: 'm',
        prompt_version: 'v',
        rag_index_version: null,
        tool_set_version: null,
        status: 'success',
        schema_valid: null,
        cost_nano_usd: 900,
        token_in: 5,
        token_out: 5,
        latency_us: 9_000,
        ttft_us: null,
        tool_denied: 0,
        guardrails: [],
        scores: {},
        slices: {},
      },
    },
  };
};
export const adoption = (revision: ExperimentRevision): UnitRecord => ({
  received_at: monday,
  trace_id: null,
  span_id: null,
  body: {
    'tripline.v1.ExperimentAdopted': {
      experiment_id: revision.spec.id,
      revision: revision.revision,
      document: formatRevision(revision),
    },
  },
});
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const perMessage = 2_000;

/** One load on its way through a partition. */
type Run = {
  readonly codec: AvroCodec;
  readonly store: JoinerStore;
  readonly partition: PartitionState;
  readonly load: Load;
  /** The flush before this one. */
  inserting: Promise<void>;
  /** Wall time, ms; CPU time of this process, microseconds; resident memory, MB. */
  spent: number;
  cpu: number;
  peak: number;
};

/** Decoded, made present, folded. */
async function foldFrame({ codec, store, partition, load }: Run, frame: Buffer, offset: number): Promise<void> {
  const decoded = codec.decode(['unit-record'], frame);
  if (!decoded.ok) throw new Error(decoded.message);
  const { records } = decoded.value;
  await prefetch(store, partition, records, offset * 4_096, { units: load.cached, events: load.cached });
  for (let i = 0; i < records.length; i += 1) foldRecord(partition, records[i] as UnitRecord, offset * 4_096 + i);
}

/** Five messages and a flush; what it took, without the making of the messages. */
async function foldBatch(run: Run, at: number): Promise<void> {
  const { codec, store, partition, load } = run;
  const frames = Array.from({ length: 5 }, (_, message) =>
    codec.encode('unit-record', {
      records: Array.from({ length: perMessage }, (_unused, offset) =>
        observation(at + message * perMessage + offset, load.units),
      ),
    }),
  );
  const start = now();
  const used = process.cpuUsage();
  for (const [message, frame] of frames.entries()) await foldFrame(run, frame, 1 + at / perMessage + message);
  const flush = takeFlushRows(partition, (1 + at / perMessage + 5) * 4_096);
  await run.inserting;
  run.inserting = store.write([flush]).then(() => {
    partition.durable = flush.taken;
  });
  const more = process.cpuUsage(used);
  run.cpu += more.user + more.system;
  run.spent += now() - start;
  run.peak = Math.max(run.peak, process.memoryUsage().rss / 1e6);
}

async function foldEvents(run: Run, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += perMessage * 5) await foldBatch(run, at);
  await run.inserting;
}

/**
 * The clock also counts waiting for the engine, which shares the machine; a core is what the joiner itself uses,
 * inserts included.
 */
function figuresOf({ load, spent, cpu, peak }: Run): JoinerFigure[] {
  const { name, events, bar } = load;
  const each = { us: cpu / events, rssMb: Math.round(peak) };
  return [
    { stage: name, perSecond: Math.round((events * 1_000) / spent), ...each, bar },
    {
      stage: 'joiner: the same by its own CPU time',
      perSecond: Math.round((events * 1e6) / cpu),
      ...each,
      bar: '>= 40,000/s a core',
    },
  ];
}

/** A hundred thousand events of units that are in the store alone, then a process that starts on them. */
async function evictedFigures(run: Run): Promise<JoinerFigure[]> {
  const { partition, load, store } = run;
  run.spent = run.cpu = 0;
  const { loaded } = partition.counts;
  await foldEvents(run, load.events, load.events + 100_000);
  const lookedUp = (partition.counts.loaded - loaded).toLocaleString('en-US');
  const start = now();
  const again = await loadPartition(store, 0);
  const open = again.closing.size.toLocaleString('en-US');
  return [
    {
      stage: `joiner: the same, ${lookedUp} of 100,000 units looked up`,
      perSecond: Math.round(1e8 / run.spent),
      us: run.cpu / 1e5,
      rssMb: Math.round(run.peak),
      bar: '',
    },
    {
      stage: `joiner: load of a partition of ${load.units.toLocaleString('en-US')} units, ${open} open entries, ms`,
      perSecond: Math.round(now() - start),
      us: 0,
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
      bar: '',
    },
  ];
}

/** In the child: one load after the other, each in a database of its own. */
async function measure(
  { clickhouseUrl, registryUrl }: { clickhouseUrl: string; registryUrl: string },
  only: string,
): Promise<JoinerFigure[]> {
  const codec = createAvroCodec({ registry: createRegistryClient({ url: registryUrl }), clock: systemClock });
  await codec.register([{ record: 'unit-record', topic: 'bench.unit.v1' }]);
  const figures: JoinerFigure[] = [];
  for (const [index, load] of loads.entries()) {
    if (!load.name.includes(only)) continue;
    const client = await createStore({ url: clickhouseUrl, database: `bench_joiner_${index}` });
    await migrate(client, { url: clickhouseUrl });
    const partition = createPartitionState(0, true);
    foldRecord(partition, adoption(aRevision()), 0);
    const store = createJoinerStore(client);
    const run: Run = { codec, store, partition, load, inserting: Promise.resolve(), spent: 0, cpu: 0, peak: 0 };
    await foldEvents(run, 0, load.events);
    figures.push(...figuresOf(run));
    if (load.units >= 1_000_000) figures.push(...(await evictedFigures(run)));
    await client.close();
  }
  return figures;
}

/** Runs the loads in a child, whose RSS is the joiner's alone. */
export function benchJoiner(
  addresses: { clickhouseUrl: string; registryUrl: string },
  only = '',
): Promise<JoinerFigure[]> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(import.meta.url), ['--child', JSON.stringify(addresses), only], {
      execArgv: ['--max-semi-space-size=32', '--import', 'tsx'],
    });
    child.on('message', (figures) => resolve(figures as JoinerFigure[]));
    child.on('exit', (code) => code !== 0 && reject(new Error(`the joiner's bench ended with ${code}`)));
  });
}

if (process.argv[2] === '--child') {
  const figures = await measure(
    JSON.parse(process.argv[3] ?? '{}') as { clickhouseUrl: string; registryUrl: string },
    process.argv[4] ?? '',
  );
  process.send?.(figures, undefined, undefined, () => process.exit(0));
}
