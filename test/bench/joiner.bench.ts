/**
 * The joiner in a process of its own: decode, make present, fold five metrics, flush into the engine. Three cases: as
 * many units as stay cached; a million units of which a tenth stays; and the start of a process on that million.
 * `--only NAME` runs one.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createJoinerStore } from '../../services/joiner/joiner-store.clickhouse.ts';
import { loadPartition, prefetch } from '../../services/joiner/load-partition.ts';
import { createPartitionState, foldRecord } from '../../services/joiner/index.ts';
import { takeFlushRows } from '../../services/joiner/flush-rows.ts';
import { formatRevision } from '../../services/kernel/experiment-json.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
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
type World = {
  readonly name: string;
  readonly units: number;
  readonly events: number;
  readonly cached: number;
  readonly bar: string;
};

const worlds: readonly World[] = [
  {
    name: 'joiner: 60,000 units cached, flush into the engine every 10,000',
    units: 60_000,
    events: 300_000,
    cached: 150_000,
    bar: '>= 40,000/s, RSS <= 800 MB',
  },
  {
    name: 'joiner: 1,000,000 units, each seen once, 100,000 cached',
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
const grouped = (value: number): string => value.toLocaleString('en-US');
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const perMessage = 2_000;

/** In the child: one world after the other, each in a database of its own. */
async function measure(
  { clickhouseUrl, registryUrl }: { clickhouseUrl: string; registryUrl: string },
  only: string,
): Promise<JoinerFigure[]> {
  const codec = createAvroCodec({ registry: createRegistryClient({ url: registryUrl }), clock: systemClock });
  await codec.register([{ record: 'unit-record', topic: 'bench.unit.v1' }]);
  const figures: JoinerFigure[] = [];
  for (const [index, { name, units, events, cached, bar }] of worlds.entries()) {
    if (!name.includes(only)) continue;
    const client = await createStore({ url: clickhouseUrl, database: `bench_joiner_${index}` });
    await migrate(client, { url: clickhouseUrl });
    const store = createJoinerStore(client);
    const partition = createPartitionState(0, true);
    foldRecord(partition, adoption(aRevision()), 0);
    let peak = 0;
    let inserting: Promise<void> = Promise.resolve();
    let spent = 0;
    let cpu = 0;
    const pass = async (from: number, to: number): Promise<void> => {
      for (let at = from; at < to; at += perMessage * 5) {
        const frames = Array.from({ length: 5 }, (_, message) =>
          codec.encode('unit-record', {
            records: Array.from({ length: perMessage }, (_, offset) =>
              observation(at + message * perMessage + offset, units),
            ),
          }),
        );
        const start = now();
        const used = process.cpuUsage();
        for (const [message, frame] of frames.entries()) {
          const offset = 1 + at / perMessage + message;
          const decoded = codec.decode(['unit-record'], frame);
          if (!decoded.ok) throw new Error(decoded.message);
          const { records } = decoded.value;
          await prefetch(store, partition, records, offset * 4_096, { units: cached, events: cached });
          for (let i = 0; i < records.length; i += 1)
            foldRecord(partition, records[i] as UnitRecord, offset * 4_096 + i);
        }
        const flush = takeFlushRows(partition, (1 + at / perMessage + 5) * 4_096);
        await inserting;
        inserting = store.write([flush]).then(() => {
          partition.durable = flush.taken;
        });
        const more = process.cpuUsage(used);
        cpu += more.user + more.system;
        spent += now() - start;
        peak = Math.max(peak, process.memoryUsage().rss / 1e6);
      }
      await inserting;
    };
    await pass(0, events);
    figures.push({
      stage: name,
      perSecond: Math.round((events * 1_000) / spent),
      us: cpu / events,
      rssMb: Math.round(peak),
      bar,
    });
    // The clock also counts waiting for the engine, which shares the machine; a core is what the joiner itself uses,
    // inserts included.
    figures.push({
      stage: 'joiner: the same by its own CPU time',
      perSecond: Math.round((events * 1e6) / cpu),
      us: cpu / events,
      rssMb: Math.round(peak),
      bar: '>= 40,000/s a core',
    });
    if (units >= 1_000_000) {
      spent = cpu = 0;
      const { loaded } = partition.counts;
      await pass(events, events + 100_000);
      figures.push({
        stage: `joiner: the same, ${grouped(partition.counts.loaded - loaded)} of 100,000 units looked up`,
        perSecond: Math.round(1e8 / spent),
        us: cpu / 1e5,
        rssMb: Math.round(peak),
        bar: '',
      });
      const start = now();
      const again = await loadPartition(store, 0);
      figures.push({
        stage: `joiner: load of a partition of ${grouped(units)} units, ${grouped(again.closing.size)} open entries, ms`,
        perSecond: Math.round(now() - start),
        us: 0,
        rssMb: Math.round(process.memoryUsage().rss / 1e6),
        bar: '',
      });
    }
    await client.close();
  }
  return figures;
}

/** Runs the worlds in a child, whose RSS is the joiner's alone. */
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
