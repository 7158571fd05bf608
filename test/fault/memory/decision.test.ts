/**
 * Fault 11: statistics dies between deciding and publishing, or before it hears that it has published; control records
 * come twice. One decision, the same bytes, obeyed once.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { decisionRows, decisionStore, createDecisionScenario, died, dies, runDecisionTrial } from './decisions.ts';

/** Three hundred users, and every call of the candidate fails. */
const rows = decisionRows(300);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
async function scenario() {
  const made = await createDecisionScenario(rows);
  closers.push(made.close);
  return made;
}

describe('statistics killed', () => {
  test.each([
    ['between deciding and publishing', 'before', 0],
    ['after publishing, before it has heard of it', 'after', 1],
  ] as const)('%s: one decision, the same bytes', async (_name, when, published) => {
    const reference = await scenario();
    await (await reference.statistics(reference.producer)).look();
    const [expected] = await reference.control();
    expect(expected).toBeDefined();

    const { control, statistics, producer } = await scenario();
    const first = await statistics(dies(producer, when));
    await expect(first.look()).rejects.toBe(died);
    expect((await control()).length).toBe(published);
    const second = await statistics(producer);
    await second.look();
    await (await statistics(producer)).look();
    const frames = await control();
    expect(frames.map((frame) => frame.equals(expected as Buffer))).toEqual([true]);
    expect(second.decisions().map(({ action, metric }) => [action, metric])).toEqual([['rollback', 'error_rate']]);
  });
});

test('a control record that comes three times is obeyed once, by a bot that is started again too', async () => {
  const { prefix, log, producer, control, statistics, bot, again } = await scenario();
  await (await statistics(producer)).look();
  const [frame] = await control();
  await again(frame as Buffer);
  const first = await bot();
  await until('the ack', () => first.acks().length > 0);
  await again(frame as Buffer);
  const other = await bot();
  await until('the other to know', () => other.experiments().get('exp-test')?.status === 'rolled_back');
  await other.close();
  await first.close();
  expect((await log.readToEnd(`${prefix}.ack.v1`)).length).toBe(1);
});

test('an audit that does not add up blocks the decision, and says so in every reading until it does', async () => {
  const { prefix, log, codec, producer, control, statistics } = await scenario();
  const mismatches: unknown[] = [
    { experiment: 'exp-test', phase: 1, arm: 'B', ordinal: 0, aggregate: ['150'], recount: ['149'] },
  ];
  const running = await statistics(producer, decisionStore(rows, mismatches));
  await running.audit();
  expect(running.audited()).toMatchObject({
    settled: true,
    mismatches: [{ what: 'metric aggregate', key: 'exp-test/1/B/0' }],
  });
  await running.look();
  expect(await control()).toEqual([]);
  const readings = (await log.readToEnd(`${prefix}.reading.v1`)).map(({ value }) =>
    codec.decode(['reading'], value ?? Buffer.alloc(0)),
  );
  expect(readings.map((reading) => reading.ok && reading.value.state)).toEqual(['AUDIT_MISMATCH']);
  mismatches.length = 0;
  await running.audit();
  await running.look();
  expect((await control()).length).toBe(1);
});

test('killed, repeated and started again at random: the same bytes once, obeyed once', async () => {
  const sum: Record<string, number> = {};
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const { wrong, faults } = await runDecisionTrial(seed);
    expect(wrong, `seed ${seed}`).toEqual([]);
    for (const [name, count] of Object.entries(faults)) sum[name] = (sum[name] ?? 0) + count;
  }
  expect(Math.min(...Object.values(sum))).toBeGreaterThan(1);
}, 120_000);

test('readings go on counting after a restart of statistics: the last one is the newest', async () => {
  const { prefix, log, codec, producer, statistics } = await scenario();
  for (let restart = 0; restart < 3; restart += 1) await (await statistics(producer)).look();
  const readings = (await log.readToEnd(`${prefix}.reading.v1`)).map(({ value }) => {
    const decoded = codec.decode(['reading'], value ?? Buffer.alloc(0));
    return decoded.ok ? decoded.value.look_seq : 0;
  });
  expect(readings).toEqual([1, 2, 3]);
});
