/**
 * A subject asks to be forgotten, on real parts and as people type it: rows, tickets and key are gone, sums and
 * everybody else stay, and neither a late event nor a rebuild brings anything back.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { assign, createAssignmentTable } from '../../services/assignment/index.ts';
import { publishRevision } from '../../services/bot/index.ts';
import { unitKeysKeeper } from '../../services/cli/addresses.ts';
import { createEmitter, createKafkaSink, type Emitter } from '../../services/emitter/index.ts';
import { createPseudonymizer, parseUnitKeys, type UnitKeys } from '../../services/redactor/index.ts';
import { startPipeline, type Pipeline } from '../../services/pipeline/start.ts';
import { createAvroCodec } from '../../services/runtime/avro-codec.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { topicName } from '../../services/runtime/topics.ts';
import { aRevision } from '../support/build.ts';
import { selectTotals } from '../support/state-sql.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const prefix = `erase-${process.pid}`;
const database = `erase_${process.pid}`;
const home = mkdtempSync(join(tmpdir(), 'tripline-erase-'));
const keyFile = join(home, 'pseudonym.key');
const root = Buffer.alloc(32, 4);
const pseudonym = createPseudonymizer(root);
const [ada, bob] = [pseudonym('user', 'ada').toString('hex'), pseudonym('user', 'bob').toString('hex')];

let path: Pipeline;
let emitter: Emitter;

const tripline = async (...words: string[]): Promise<{ code: number; out: string }> => {
  const addresses = inject('addresses');
  const env = {
    ...process.env,
    TRIPLINE_PSEUDONYM_KEY: undefined,
    NO_COLOR: '1',
    KAFKA_BROKERS: addresses.brokers,
    CLICKHOUSE_URL: addresses.clickhouseUrl,
    SCHEMA_REGISTRY_URL: addresses.registryUrl,
    TRIPLINE_TOPIC_PREFIX: prefix,
    TRIPLINE_DATABASE: database,
  };
  try {
    const { stdout, stderr } = await run(
      process.execPath,
      [fileURLToPath(new URL('../../services/cli/bin.mjs', import.meta.url)), ...words, '--home', home],
      { cwd: home, env },
    );
    return { code: 0, out: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
};
const rowsOf = async (user: string) =>
  (
    await path.store.rows<{ i: string; o: string }>(
      `SELECT (SELECT count() FROM inferences FINAL WHERE user_id = {user:String}) AS i,
        (SELECT count() FROM outcomes FINAL WHERE user_id = {user:String}) AS o`,
      { user },
    )
  )[0];
const report = () => path.store.rows(selectTotals());
const table = createAssignmentTable([aRevision({ phaseStartedAt: systemClock.now(), appliedAt: systemClock.now() })]);
const call = (user: string, ticket: string): string =>
  emitter.record({
    arms: [assign(table, 'exp-test', { userId: user })],
    userId: user,
    entity: { type: 'ticket', id: ticket },
    modelServed: 'm',
    status: 'success',
    costNanoUsd: 1_000,
    prompt: `I am ${user}@example.org`,
    latencyMs: 10,
  });
const inferences = async (): Promise<number> =>
  Number((await path.store.rows<{ n: string }>('SELECT count() AS n FROM inferences FINAL'))[0]?.n);

beforeAll(async () => {
  writeFileSync(keyFile, root.toString('hex'), { mode: 0o600 });
  const addresses = inject('addresses');
  const keepKeys = unitKeysKeeper(home) as (keys: UnitKeys) => void;
  path = await startPipeline({
    ...addresses,
    prefix,
    database,
    partitions: 2,
    eventTime: false,
    pseudonymKey: root,
    keepKeys,
    clock: systemClock,
    eventClock: systemClock,
    flushMs: 50,
    lookMs: 100,
    idleTickMs: 500,
    bot: false,
  });
  await publishRevision(
    { prefix, log: path.log, producer: path.producer, codec: path.codec },
    [...table.revisions.values()][0] as ReturnType<typeof aRevision>,
  );
  const codec = createAvroCodec({ registry: createRegistryClient({ url: addresses.registryUrl }), clock: systemClock });
  emitter = createEmitter({
    service: 'desk',
    environment: 'test',
    clock: systemClock,
    encode: codec.encodeUnregistered,
    sink: createKafkaSink({
      prefix,
      log: createKafka({ brokers: addresses.brokers, clientId: 'erase-app' }),
      codec,
      clock: systemClock,
      ttlMs: 60_000,
    }),
    experiments: { table: () => table, stale: () => false, close: async () => {} },
    maxQueued: 1_000,
    maxBytes: 8 << 20,
    lingerMs: 5,
  });
});
afterAll(async () => {
  await emitter?.close();
  await path?.close();
  rmSync(home, { recursive: true, force: true });
});

describe('a user and a ticket of hers', () => {
  const units = join(home, 'units.txt');
  let asked: string[] = [];
  let before: Awaited<ReturnType<typeof report>>;
  test('are erased by one command', async () => {
    asked = [call('ada', 'T-1'), call('ada', 'T-2'), call('ada', 'T-2'), call('bob', 'T-3'), call('bob', 'T-3')];
    for (const user of ['ada', 'bob'])
      emitter.outcome('thumbs', { unit: user, value: 1, attributes: { comment: `from ${user}@example.org` } });
    emitter.outcome('ticket_reopened', { entity: { type: 'ticket', id: 'T-1' }, value: 1 });
    emitter.outcome('ticket_reopened', { inferenceId: asked[1] ?? '', value: 1 });
    expect(await emitter.flush()).toBe(true);
    await until(
      'every row',
      async () =>
        (await inferences()) === 5 &&
        Number((await path.store.rows<{ n: string }>('SELECT count() AS n FROM outcomes FINAL'))[0]?.n) === 4,
    );
    await until('every event folded', () => path.statistics.latest('exp-test')?.eventsFolded === 5);
    expect([await rowsOf(ada), await rowsOf(bob)]).toEqual([
      { i: '3', o: '1' },
      { i: '2', o: '1' },
    ]);
    before = await report();
    writeFileSync(units, 'user\tada\nticket\tT-1\n');
    const { code, out } = await tripline('erase', '--units', units);
    expect([code, out]).toEqual([0, expect.stringContaining('rows deleted: 3 of inferences, 3 of outcomes')]);
    expect(out).toContain('keys dropped: all');
    expect(out).not.toMatch(/ada|T-1/);
  });
  test('have no row any more, in no version; sums and everybody else are as they were', async () => {
    expect([await rowsOf(ada), await rowsOf(bob)]).toEqual([
      { i: '0', o: '0' },
      { i: '2', o: '1' },
    ]);
    expect(await path.store.rows('SELECT count() AS n FROM inferences WHERE user_id = {ada:String}', { ada })).toEqual([
      { n: '0' },
    ]);
    expect(await report()).toEqual(before);
  });
  test('have no key any more: what is left in tables and logs confirms no guess, others are confirmed as ever', () => {
    const left = createPseudonymizer(parseUnitKeys(readFileSync(keyFile, 'utf8')) as UnitKeys);
    expect([
      left.knows('user', 'ada'),
      left.knows('entity:ticket', 'T-1'),
      left('user', 'bob').toString('hex'),
    ]).toEqual([false, false, bob]);
    expect(readFileSync(keyFile, 'utf8')).not.toContain(root.toString('hex'));
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });
  test('do not come back: not with a later event, not by a rebuild, not by asking again', async () => {
    call('ada', 'T-4');
    call('eve', 'T-1');
    call('bob', 'T-3');
    // says nothing of whose it is: the fold drops it, its row is found by the facts
    emitter.outcome('ticket_reopened', { inferenceId: asked[2] ?? '', value: 1 });
    expect(await emitter.flush()).toBe(true);
    await until("bob's row", async () => (await rowsOf(bob))?.i === '3');
    await until(
      'the late outcome',
      async () => Number((await path.store.rows<{ n: string }>('SELECT count() AS n FROM outcomes FINAL'))[0]?.n) === 2,
    );
    await until('the others', () => path.redactor.counts.dropped.get('erased') === 2);
    expect(await inferences()).toBe(3);
    const rebuilt = await tripline('redact', '--rebuild');
    expect([rebuilt.code, rebuilt.out]).toEqual([0, expect.stringContaining('4 clean rows written')]);
    expect([await rowsOf(ada), await inferences()]).toEqual([{ i: '0', o: '0' }, 3]);
    expect(await tripline('erase', '--units', units)).toMatchObject({
      code: 0,
      out: expect.stringContaining('rows deleted: 0 of inferences, 1 of outcomes'),
    });
    expect(await path.store.rows('SELECT count() AS n FROM outcomes')).toEqual([{ n: '1' }]);
  });
  test('the erase is in the log that is kept for ever, once a unit, under pseudonyms nobody can make again', async () => {
    const erased: string[] = [];
    for (const { value } of await path.log.readToEnd(topicName(prefix, 'unit.v1'))) {
      if (value === null) continue;
      const decoded = path.codec.decode(['unit-record'], value);
      for (const { body } of decoded.ok ? decoded.value.records : [])
        if ('tripline.v1.OutcomeSeen' in body && body['tripline.v1.OutcomeSeen'].kind === 'tripline.erase')
          erased.push(body['tripline.v1.OutcomeSeen'].unit?.toString('hex') ?? '');
    }
    expect(new Set(erased)).toEqual(new Set([ada, pseudonym('entity:ticket', 'T-1').toString('hex')]));
  });
  test.each<[string, string, RegExp]>([
    ['a line that names nobody', 'user\t\n', /line 1 names no unit/],
    ['an empty file', '\n', /names no unit/],
  ])('%s is refused without being quoted', async (_what, text, words) => {
    writeFileSync(units, text);
    expect(await tripline('erase', '--units', units)).toMatchObject({ code: 1, out: expect.stringMatching(words) });
  });
});
