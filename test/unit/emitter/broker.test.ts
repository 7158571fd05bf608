import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assign } from '../../../services/assignment/index.ts';
import { toExperimentRecord } from '../../../services/control/index.ts';
import {
  createEmitterFromSettings,
  emitterSettings,
  followExperiments,
  readExperiments,
} from '../../../services/emitter/index.ts';
import { readEmitterEnv } from '../../../services/emitter/config.ts';
import { formatRevision } from '../../../services/kernel/experiment-json.ts';
import type { ExperimentRevision } from '../../../services/kernel/experiment.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, LogRecord } from '../../../services/runtime/log.ts';
import { schemas } from '../../../schemas/generated.ts';
import { aRevision } from '../../support/build.ts';

/** A log with one topic in memory, whose answers to `ping` are given by hand. */
async function aLog() {
  const clock = { now: () => time };
  let time = 1_000_000;
  const codec = createAvroCodec({
    registry: {
      register: async () => 1,
      schemaById: async () => schemas.experiment.avsc,
      subjects: async () => [],
      ping: async () => {},
    },
    clock,
  });
  await codec.register([{ record: 'experiment', topic: 't' }]);
  let push: (record: LogRecord) => void = () => {};
  let offset = 0;
  const never = () => Promise.reject(new Error('not part of this test'));
  const log: LogClient = {
    createTopics: never,
    describeTopics: never,
    alterTopic: never,
    partitions: never,
    topics: never,
    firstOffsets: never,
    hasMembers: never,
    endOffsets: never,
    committedOffsets: never,
    producer: never,
    consume: never,
    readToEnd: never,
    close: async () => {},
    ping: () => new Promise(() => {}),
    follow: async (_topic, onRecord) => {
      push = onRecord;
      return {
        caughtUp: Promise.resolve(),
        failed: new Promise<never>(() => {}),
        trouble: () => undefined,
        close: async () => {},
      };
    },
  };
  return {
    log,
    codec,
    clock,
    pass: (ms: number) => (time += ms),
    raw: (value: Buffer) =>
      push({ topic: 't', partition: 0, offset: offset++, timestamp: 0, key: null, value, headers: {} }),
    say: (revision: ExperimentRevision) =>
      push({
        topic: 't',
        partition: 0,
        offset: offset++,
        timestamp: 0,
        key: null,
        value: codec.encode('experiment', toExperimentRecord(revision)),
        headers: {},
      }),
  };
}
const heard = () => {
  let tell: (revision: number) => void = () => {};
  return {
    onRevision: ({ revision }: ExperimentRevision) => tell(revision),
    next: () => new Promise<number>((resolve) => (tell = resolve)),
  };
};

describe('following experiments', () => {
  test('the highest revision counts, and the switch is told as it takes effect', async () => {
    const { log, codec, clock, say } = await aLog();
    const { onRevision, next } = heard();
    const source = followExperiments({ prefix: 'p', log, codec, clock, ttlMs: 1_000, onRevision });
    await source.ready;
    const first = next();
    say(aRevision({ revision: 2 }));
    expect(await first).toBe(2);
    expect(assign(source.table(), 'exp-test', { userId: 'u' }).reason).toBe('SPLIT');
    const second = next();
    say(aRevision({ revision: 1, status: 'stopped' }));
    say(aRevision({ revision: 3, status: 'rolled_back', coverage: 0 }));
    expect(await second).toBe(3);
    expect(assign(source.table(), 'exp-test', { userId: 'u' })).toMatchObject({
      reason: 'DISABLED',
      variant: 'A',
      revision: 3,
    });
    await source.close();
  });
  test('a record that cannot be read, or a listener that throws, is counted and ends nothing', async () => {
    const { log, codec, clock, say, raw } = await aLog();
    const { onRevision, next } = heard();
    let throws = true;
    const source = followExperiments({
      prefix: 'p',
      log,
      codec,
      clock,
      ttlMs: 1_000,
      onRevision: (revision) => {
        if (throws) throw new Error('a listener of the app');
        onRevision(revision);
      },
    });
    await source.ready;
    raw(Buffer.from('no frame at all'));
    raw(codec.encode('experiment', { ...toExperimentRecord(aRevision()), spec: '{"broken' }));
    raw(codec.encode('experiment', { ...toExperimentRecord(aRevision()), spec: '{}' }));
    const told = next();
    say(aRevision({ revision: 4 }));
    say(aRevision({ revision: 5 }));
    await new Promise(setImmediate);
    throws = false;
    say(aRevision({ revision: 6 }));
    expect(await told).toBe(6);
    expect(source.skipped()).toBe(5);
    await source.close();
  });
  test('a table that nobody confirms grows old; a new revision makes it fresh', async () => {
    const { log, codec, clock, say, pass } = await aLog();
    const { onRevision, next } = heard();
    const source = followExperiments({ prefix: 'p', log, codec, clock, ttlMs: 1_000, onRevision });
    await source.ready;
    expect(source.stale()).toBe(false);
    pass(1_001);
    expect(source.stale()).toBe(true);
    const told = next();
    say(aRevision());
    await told;
    expect(source.stale()).toBe(false);
    await source.close();
  });
  test('before the topic is reached the last known table serves, stale by its own age', async () => {
    const { log, codec, clock } = await aLog();
    const source = followExperiments({
      prefix: 'p',
      log: { ...log, follow: () => new Promise(() => {}) },
      codec,
      clock,
      ttlMs: 1_000,
      lastKnown: { revisions: [aRevision()], at: clock.now() - 5_000 },
    });
    expect(source.stale()).toBe(true);
    expect(assign(source.table(), 'exp-test', { userId: 'u' }, { stale: source.stale() }).reason).toBe('STALE');
    await source.close();
  });
});

describe('settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tripline-emitter-unit-'));
  const file = (name: string) => join(folder, name);
  test('TRIPLINE_SINK=file: one readable line an event, experiments from a file', async () => {
    writeFileSync(file('experiments'), `${formatRevision(aRevision())}\n`);
    const settings = emitterSettings.parse({
      TRIPLINE_SINK: `file:${file('events.ndjson')}`,
      TRIPLINE_EXPERIMENTS: file('experiments'),
      TRIPLINE_SERVICE: 'desk',
    });
    const tripline = createEmitterFromSettings(settings, { 'exp-test': 'B' });
    const arm = tripline.assign('exp-test', { unit: 'u' });
    expect(arm).toMatchObject({ variant: 'B', reason: 'FORCED' });
    tripline.record({ arms: [arm], prompt: 'two\nlines' });
    expect(await tripline.flush()).toBe(true);
    await tripline.close();
    const lines = readFileSync(file('events.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toMatchObject([
      { record: 'exposure', event: { unit_id: 'u', service: 'desk' } },
      { record: 'inference-event', event: { prompt: 'two\nlines' } },
    ]);
    rmSync(folder, { recursive: true });
  });
  test('a file that is not there or broken is no table, and says so', () => {
    expect(readExperiments(file('nowhere'))).toBe(undefined);
    const tripline = createEmitterFromSettings(
      emitterSettings.parse({ TRIPLINE_SINK: 'stdout', TRIPLINE_EXPERIMENTS: file('nowhere') }),
      {},
    );
    expect(tripline.assign('exp-test', { unit: 'u' }).reason).toBe('UNKNOWN');
    expect(tripline.stats().lastProblem).toContain('TRIPLINE_EXPERIMENTS');
  });
  test('wrong settings are named, all of them, and thrown nowhere', () => {
    const { settings, problem, forced } = readEmitterEnv({
      TRIPLINE_EMITTER_LINGER_MS: '-1',
      TRIPLINE_SINK: 'ftp',
      'TRIPLINE_FORCE_support-reply': 'canary',
    });
    expect(settings).toBe(undefined);
    expect(problem).toContain('TRIPLINE_EMITTER_LINGER_MS');
    expect(problem).toContain('TRIPLINE_SINK');
    expect(forced).toEqual({ 'support-reply': 'canary' });
  });
});
