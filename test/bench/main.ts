/**
 * `npm run bench`: one table of stage, events a second, microseconds an event, RSS. Figures, not verdicts: a figure
 * below its bar is shown with the bar. Events are inferences with two texts of 150 characters; one core means one Node
 * process without its broker and engine.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { bucketOf, partitionOf } from '../../services/kernel/ids.ts';
import { publishRevision } from '../../services/bot/index.ts';
import { defaultPolicy } from '../../services/redaction/index.ts';
import { createPseudonymizer } from '../../services/redactor/index.ts';
import { redactInference } from '../../services/redactor/redact-event.ts';
import { connect } from '../../services/pipeline/connect.ts';
import { prepare } from '../../services/pipeline/prepare.ts';
import { startPipeline } from '../../services/pipeline/start.ts';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { topicName } from '../../services/runtime/topics.ts';
import type { InferenceEvent, UnitRecord } from '../../schemas/generated.ts';
import { anInference, aRevision, monday } from '../support/build.ts';
import { until } from '../support/until.ts';
import { benchJoiner } from './joiner.bench.ts';

type Row = {
  readonly stage: string;
  readonly perSecond: number;
  readonly us: number;
  readonly rssMb: number;
  readonly bar: string;
};
const rows: Row[] = [];
const rss = (): number => Math.round(process.memoryUsage().rss / 1e6);
const add = (stage: string, events: number, ms: number, bar: string, rssMb = rss()): void =>
  void rows.push({ stage, perSecond: Math.round((events * 1000) / ms), us: (ms * 1000) / events, rssMb, bar });
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const question = 'The customer asked why the invoice was charged twice and the assistant explained the proration rule';
const prose = `${question} before opening a ticket for the second line team`;
const dense = `${question}, mail ada@example.org or call +49 30 1234 5678 soon`;
/** One text in eight holds personal data, unless said otherwise. */
const event = (index: number, units: number, text = index % 8 === 0 ? dense : prose): InferenceEvent =>
  anInference({
    event_id: randomUuid(),
    user: `user-${index % units}`,
    variant: (index % units) % 2 === 0 ? 'A' : 'B',
    at: monday + index * 20,
    prompt: text,
    response: text,
  }).event as InferenceEvent;
const randomUuid = (): string =>
  randomBytes(16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const home = mkdtempSync(join(tmpdir(), 'tripline-bench-'));
const stack = await startEmbedded({ home });
try {
  const connection = await connect({
    ...stack,
    database: 'bench',
    clock: systemClock,
    clientId: 'bench',
  });
  const { codec } = connection;
  await prepare({ ...stack, prefix: 'bench', partitions: 4, eventTime: true }, connection);
  const context = {
    policy: { ...defaultPolicy, tokens: { kid: 'k', key: Buffer.alloc(32, 1) } },
    pseudonym: createPseudonymizer(Buffer.alloc(32, 2)),
  };

  for (const [name, text, bar] of [
    ['one text in eight with personal data', undefined, '>= 12,000/s a core'],
    ['every text with a mail and a phone', dense, ''],
  ] as const) {
    const frames = Array.from({ length: 20_000 }, (_, index) =>
      codec.encode('inference-event', event(index, 20_000, text)),
    );
    const work = (count: number): void => {
      const units: UnitRecord[] = [];
      for (let index = 0; index < count; index += 1) {
        const decoded = codec.decode(['inference-event'], frames[index % frames.length] as Buffer);
        if (!decoded.ok) throw new Error(decoded.message);
        const verdict = redactInference(decoded.value, monday, context);
        if (verdict.kind !== 'forward' || verdict.value.inference === undefined) throw new Error(verdict.kind);
        codec.encode('redacted-inference', verdict.value.inference);
        units.push(...verdict.value.unit.map(({ record }) => record));
        if (units.length >= 1_000) codec.encode('unit-record', { records: units.splice(0) });
      }
    };
    work(5_000);
    const start = now();
    work(40_000);
    add(`redactor: ${name}`, 40_000, now() - start, bar);
  }
  rows.push(...(await benchJoiner(stack)));
  await connection.close();

  {
    const total = 60_000;
    const prefix = 'bench-path';
    const feeding = await connect({ ...stack, database: 'bench_path', clock: systemClock, clientId: 'feed' });
    await prepare({ ...stack, prefix, partitions: 4, eventTime: true }, feeding);
    const producer = await feeding.log.producer();
    await publishRevision({ prefix, log: feeding.log, producer, codec: feeding.codec }, aRevision());
    for (let from = 0; from < total; from += 2_000) {
      await producer.send(
        Array.from({ length: 2_000 }, (_, offset) => {
          const value = event(from + offset, 100_000);
          const user = value.units.user_id ?? '';
          return {
            topic: topicName(prefix, 'inference.raw.v1'),
            partition: partitionOf(bucketOf('user', user), 4),
            key: user,
            value: feeding.codec.encode('inference-event', value),
            timestamp: value.occurred_at,
          };
        }),
      );
    }
    const start = now();
    const path = await startPipeline({
      ...stack,
      prefix,
      database: 'bench_path',
      partitions: 4,
      eventTime: true,
      pseudonymKey: Buffer.alloc(32, 3),
      clock: systemClock,
      eventClock: systemClock,
      flushMs: 500,
      lookMs: 500,
      idleTickMs: 0,
      bot: true,
    });
    const folded = (): number =>
      [...path.joiner.states().values()].reduce(
        (sum, { experiments }) => sum + (experiments.get('exp-test')?.events ?? 0),
        0,
      );
    await until(
      'everything folded and landed',
      async () => folded() >= total && path.sink.counts.forwarded >= total,
      300_000,
    );
    add(
      'pipeline: raw topic to aggregates and analytics rows, all stages in one process',
      total,
      now() - start,
      '>= 6,000/s on two cores',
    );
    const check = await createStore({ url: stack.clickhouseUrl, database: 'bench_path' });
    const [landed] = await check.rows<{ n: string }>('SELECT count() AS n FROM inferences');
    rows.push({
      stage: `pipeline: RSS of all stages, ${landed?.n} rows landed`,
      perSecond: 0,
      us: 0,
      rssMb: rss(),
      bar: '<= 800 MB at 100,000 units',
    });
    await check.close();
    await path.close();
    await feeding.close();
  }
} finally {
  await stack.stop();
  rmSync(home, { recursive: true, force: true });
}
const cells = [
  ['stage', 'events/s', 'us/event', 'RSS MB', 'bar'],
  ...rows.map((row) => [
    row.stage,
    row.perSecond === 0 ? '-' : row.perSecond.toLocaleString('en-US'),
    row.us === 0 ? '-' : row.us.toFixed(1),
    String(row.rssMb),
    row.bar,
  ]),
];
const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
for (const row of cells)
  console.log(
    row
      .map((cell, column) =>
        column === 0 || column === 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
process.exit(0);
