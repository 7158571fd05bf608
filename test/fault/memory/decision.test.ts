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
  const { acks, producer, control, statistics, bot, again } = await scenario();
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
  await until('every answer', async () => (await acks()).length === 3);
  expect((await acks()).map(({ control_offset, result }) => [control_offset, result])).toEqual([
    [0, 'applied'],
    [1, 'superseded'],
    [2, 'superseded'],
  ]);
});

const withMismatch = [{ arm: 'B', ordinal: 0, aggregate: ['150'], recount: ['149'] }];

test('an audit that does not add up is said, and a candidate that does harm is rolled back all the same', async () => {
  const { producer, control, statistics } = await scenario();
  const running = await statistics(producer, decisionStore(rows, withMismatch));
  await running.audit();
  expect(running.audited()).toMatchObject({
    settled: true,
    mismatches: [{ what: 'metric aggregate', key: 'exp-test/1/0/B/0' }],
  });
  await running.look();
  expect((await control()).length).toBe(1);
});

describe('an audit', () => {
  /** Now, and a minute later at each question: every round is due at once. */
  const rising = () => {
    let now = 0;
    return { now: () => (now += 60_000) };
  };
  test('that never ends holds up no look and no decision', async () => {
    const { producer, control, statistics } = await scenario();
    const store = decisionStore(rows);
    let asked = 0;
    const stuck = {
      ...store,
      rows: <Row>(query: string): Promise<Row[]> => {
        if (!query.includes('FULL OUTER JOIN')) return store.rows(query);
        asked += 1;
        return asked === 1 ? new Promise(() => {}) : Promise.resolve([]);
      },
    };
    const running = await statistics(producer, stuck, { lookMs: 1, auditMs: 1, clock: rising() });
    await until('the audit to hang', () => asked > 0);
    await until('the decision', async () => (await control()).length > 0);
    expect(running.audited()).toBeUndefined();
  });
  test('that takes too long is said, by slice', async () => {
    const { producer, statistics } = await scenario();
    const store = decisionStore(rows);
    const slow = {
      ...store,
      rows: async <Row>(query: string): Promise<Row[]> => {
        if (query.includes('FULL OUTER JOIN')) throw new Error('query: code 159 TIMEOUT_EXCEEDED');
        return store.rows(query);
      },
    };
    const running = await statistics(producer, slow);
    await running.audit();
    expect(running.audited()).toMatchObject({ mismatches: [], settled: false });
    expect([...(running.audited()?.unfinished ?? [])]).toEqual([['exp-test/1/0', 'query: code 159 TIMEOUT_EXCEEDED']]);
  });
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
