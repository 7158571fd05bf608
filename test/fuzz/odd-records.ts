/**
 * Records that pass their schema, with odd values in every field, through redactor, linker, joiner, sink and look. A
 * step that throws has stopped a stage: that is the finding. Every record must come to an end that is counted.
 */
import { type RecordName, schemas } from '../../schemas/generated.ts';
import type { Exposure, InferenceEvent, OutcomeEvent } from '../../schemas/generated.ts';
import { decide } from '../../services/control/index.ts';
import { avroTypeOf } from '../../services/runtime/avro-types.ts';
import { createRandom, type Random, seedOf } from '../../services/simulation/random.ts';
import { inferenceRow, outcomeRow, readingRows } from '../../services/sink/observation-rows.ts';
import { planInserts } from '../../services/sink/plan-inserts.ts';
import { toReading } from '../../services/statistics/reading-record.ts';
import { anExperimentFile, anInference, anOutcome, aRevision, hour, monday } from '../support/build.ts';
import { createMemoryPath } from '../support/memory-path.ts';
import { metricLines } from '../support/metric-line.ts';
import { type Avro, chance, namesIn, oddValue, pick } from './odd-values.ts';

const raw = ['inference-event', 'exposure', 'outcome-event'] as const;
type Raw = (typeof raw)[number];

const typeOf = new Map(
  ([...raw, 'unit-record', 'entity-record', 'redacted-inference', 'redacted-outcome', 'reading'] as const).map(
    (name) => [name as RecordName, avroTypeOf(schemas[name].avsc)] as const,
  ),
);
const fieldsOf = new Map(
  raw.map((name) => [name, JSON.parse(schemas[name].avsc) as { fields: { name: string; type: Avro }[] }] as const),
);

/** As it is after a topic: a value that the schema does not take throws here, as it would in the stage. */
function throughAvro<T>(name: RecordName, value: T): T {
  const type = typeOf.get(name);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type.fromBuffer(type.toBuffer(value)) as T;
}

const metrics = metricLines([
  { id: 'error_rate', harm: '+0.05', baseline: { mean: 0.05, sd: 0.2 }, cap: 1 },
  { id: 'cost', numerator: 'cost_nano_usd', harm: '+20%', baseline: { mean: 1000, sd: 500 }, cap: 5000 },
  {
    id: 'score',
    numerator: 'score(constructor)',
    denominator: undefined,
    harm: '+20%',
    baseline: { mean: 1, sd: 1 },
    cap: 5,
  },
  {
    id: 'tokens',
    numerator: 'token_out',
    denominator: 'token_in',
    harm: '+20%',
    baseline: { mean: 1, sd: 1 },
    cap: 5,
  },
  {
    id: 'slow',
    numerator: '"over(latency_ms, 9000)"',
    harm: '+20%',
    baseline: { mean: 0.1, sd: 0.3 },
    cap: 1,
  },
  {
    id: 'sliced',
    numerator: '"refusals where slice.toString = \'a\'"',
    harm: '+20%',
    baseline: { mean: 0.1, sd: 0.3 },
    cap: 1,
  },
  {
    id: 'reopen_rate',
    numerator: 'any(ticket_reopened)',
    denominator: 'any(ticket_resolved)',
    window: '72h',
    harm: '+0.02',
    baseline: { mean: 0.05, sd: 0.2 },
    cap: 1,
  },
  {
    id: 'revenue',
    role: 'goal',
    numerator: 'sum(ticket_resolved)',
    denominator: undefined,
    better: 'higher',
    window: '72h',
    harm: '+20%',
    baseline: { mean: 5, sd: 4 },
    cap: 40,
  },
]);
const revision = aRevision({}, anExperimentFile({ metrics }));

const ids = Array.from({ length: 40 }, (_, index) => `id-${index}`);

function aRecord(random: Random, name: Raw, at: number): Record<string, unknown> {
  const named = { user: pick(random, ids), ticket: `T-${random.next() % 20}`, variant: pick(random, ['A', 'B']) };
  if (name === 'inference-event')
    return { ...(anInference({ ...named, at }).event as InferenceEvent), event_id: `e-${random.next() % 5_000}` };
  if (name === 'outcome-event')
    return {
      ...(anOutcome({ ticket: named.ticket, at }).event as OutcomeEvent),
      kind: pick(random, ['ticket_resolved', 'ticket_reopened']),
      outcome_id: `o-${random.next() % 5_000}`,
      revision: 1 + (random.next() % 3),
    };
  return {
    event_id: `x-${random.next() % 5_000}`,
    occurred_at: at,
    trace_id: '',
    service: 's',
    environment: 'e',
    unit_type: 'user',
    unit_id: named.user,
    entity: null,
    experiment_id: 'exp-test',
    phase: 1,
    variant: named.variant,
    reason: 'SPLIT',
    config_sha: '',
    sdk: { name: 'test', version: '0' },
  } satisfies Exposure;
}

/** A sound record of which up to three fields are odd, or one of ten that is odd all over. */
function anOddRecord(random: Random, name: Raw, at: number): Record<string, unknown> {
  const schema = fieldsOf.get(name);
  if (schema === undefined) throw new Error(`no schema ${name}`);
  const named = namesIn(schema as unknown as Avro);
  const record = aRecord(random, name, at);
  const all = chance(random, 10);
  const odd = all ? schema.fields : Array.from({ length: random.next() % 4 }, () => pick(random, schema.fields));
  for (const field of odd) record[field.name] = oddValue(random, field.type, named);
  return record;
}

export type OddCounts = {
  in: number;
  forward: number;
  drop: number;
  park: number;
  looks: number;
  /** The first of each kind: what was thrown, and by which record. */
  readonly stopped: Map<string, string>;
  stops: number;
};

const shorten = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item)).slice(0, 600);

/** One record as a message of a log carries it: alone in it. */
function carried<Record>(log: 'unit' | 'entity', record: Record): Record {
  const [read] = throughAvro(`${log}-record`, { records: [record] }).records;
  if (read === undefined) throw new Error('a message lost its record');
  return read;
}

/** `records` from a seed, in an order of time that jumps a little; a look every 500. */
export function runOddRecords(seed: number, records: number): OddCounts {
  const random = createRandom(seedOf(seed));
  const path = createMemoryPath(2, carried);
  const counts: OddCounts = { in: 0, forward: 0, drop: 0, park: 0, looks: 0, stopped: new Map(), stops: 0 };
  const attempt = (what: string, record: unknown, step: () => void): void => {
    try {
      step();
    } catch (error) {
      counts.stops += 1;
      const where = error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 4).join(' | ') : String(error);
      const key = `${what}: ${where}`;
      if (!counts.stopped.has(key)) counts.stopped.set(key, shorten(record));
    }
  };
  path.apply(revision);
  for (let index = 0; index < records; index += 1) {
    const at = monday + index * 2_000 + (random.next() % 60_000);
    const name = pick(random, raw);
    const event = throughAvro(name, anOddRecord(random, name, at));
    counts.in += 1;
    attempt(name, event, () => {
      const verdict = path.receive({ record: name, event }, at);
      counts[verdict.kind] += 1;
      if (verdict.kind !== 'forward') return;
      const { inference, outcome } = verdict.value;
      const place = { partition: 0, offset: index };
      const rows = [
        ...(inference ? [inferenceRow(throughAvro('redacted-inference', inference), place)] : []),
        ...(outcome ? [outcomeRow(throughAvro('redacted-outcome', outcome), place)] : []),
      ];
      JSON.stringify(planInserts(rows));
    });
    if (index % 500 !== 499) continue;
    attempt('look', index, () => {
      path.tick(at + hour);
      const evaluation = path.look('exp-test');
      const { state } = decide(evaluation, []);
      JSON.stringify(
        readingRows(throughAvro('reading', toReading(evaluation, index, state, [])), { partition: 0, offset: index }),
      );
      counts.looks += 1;
    });
  }
  return counts;
}
