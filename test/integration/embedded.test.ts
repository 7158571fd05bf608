import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type EmbeddedStack, freePort, startEmbedded } from '../../infra/embedded/index.ts';
import { startChild } from '../../infra/embedded/child.ts';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'tripline-embedded-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const listens = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host = '', port = ''] = address.replace('http://', '').split(':');
    const socket = connect(Number(port), host, () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });
const alive = (pid: number | undefined): boolean => {
  try {
    process.kill(pid ?? -1, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

test('two stacks side by side; a killed part heals on its port with its data; stop leaves nothing', async () => {
  const stacks: EmbeddedStack[] = await Promise.all(
    ['one', 'two'].map((name) => startEmbedded({ home: join(folder, name) })),
  );
  const [one, two] = stacks as [EmbeddedStack, EmbeddedStack];
  expect(one.brokers).not.toBe(two.brokers);
  const log = createKafka({ brokers: one.brokers, clientId: 'test' });
  await log.createTopics([{ topic: 't', partitions: 1, config: {} }]);
  const producer = await log.producer();
  await producer.send([{ topic: 't', partition: 0, value: Buffer.from('kept') }]);
  const store = await createStore({ url: one.clickhouseUrl, database: 'default' });
  await store.command('CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n');
  await store.insertRows('kept', [{ n: 7 }]);
  await one.killPart('store');
  await one.killPart('broker');
  const healed = await until(
    'both parts',
    async () => {
      const status = await one.status();
      return status.every(({ ready }) => ready) && status;
    },
    60_000,
  );
  expect(healed.map(({ restarts }) => restarts)).toEqual([1, 1, 0]);
  expect(await store.rows('SELECT n FROM kept')).toEqual([{ n: '7' }]);
  expect((await log.readToEnd('t')).map(({ value }) => value?.toString())).toEqual(['kept']);
  await log.close();
  await store.close();
  const pids = (await Promise.all(stacks.map((stack) => stack.status())))
    .flat()
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid);
  await Promise.all(stacks.map((stack) => stack.stop()));
  expect(pids.filter(alive)).toEqual([]);
  for (const address of stacks.flatMap((stack) => [stack.brokers, stack.clickhouseUrl, stack.registryUrl]))
    expect(await listens(address)).toBe(false);
}, 180_000);

test('when its owner is killed outright nothing is left, and the next run says so and starts', async () => {
  const home = join(folder, 'killed');
  const script = join(folder, 'owner.mts');
  writeFileSync(
    script,
    `import { startEmbedded } from ${JSON.stringify(fileURLToPath(new URL('../../infra/embedded/index.ts', import.meta.url)))};\nconst stack = await startEmbedded({ home: ${JSON.stringify(home)} });\nprocess.stdout.write(JSON.stringify((await stack.status()).map(({ name, pid }) => ({ name, pid }))) + '\\n');\nsetInterval(() => {}, 1000);\n`,
  );
  const owner = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pids = await new Promise<{ name: string; pid: number }[]>((resolve) =>
    owner.stdout.once('data', (chunk: Buffer) =>
      resolve(JSON.parse(chunk.toString()) as { name: string; pid: number }[]),
    ),
  );
  owner.kill('SIGKILL');
  await until("the children's end", () => pids.every(({ pid }) => !alive(pid)), 15_000);
  const stack = await startEmbedded({ home });
  expect((await stack.status()).every(({ ready }) => ready)).toBe(true);
  await stack.stop();
}, 120_000);

describe('what can be wrong says so, with the ways out', () => {
  test('a port that is taken', async () => {
    const port = await freePort();
    const { createServer } = await import('node:net');
    const server = createServer().listen(port, '127.0.0.1');
    await expect(startEmbedded({ home: join(folder, 'taken'), ports: { broker: port } })).rejects.toMatchObject({
      code: 'STACK_START',
      message: expect.stringContaining(String(port)),
      hint: expect.stringContaining('free one'),
    });
    server.close();
  });
  test('no Java', () => {
    const script = `import { kafkaJars } from ${JSON.stringify(fileURLToPath(new URL('../../infra/embedded/kafka/broker.ts', import.meta.url)))};\nkafkaJars(() => {}).then(() => console.log('found'), (error) => console.log(error.code, error.hint));`;
    const file = join(folder, 'nojava.mts');
    writeFileSync(file, script);
    const said = execFileSync(process.execPath, ['--import', 'tsx', file], {
      encoding: 'utf8',
      env: { ...process.env, PATH: '/nonexistent' },
    });
    expect(said).toContain('STACK_PREREQUISITE');
    expect(said).toContain('KAFKA_BROKERS');
  });
  test('a folder that cannot be made', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    await expect(startEmbedded({ home: join(file, 'x') })).rejects.toMatchObject({
      code: 'STACK_START',
      hint: expect.stringContaining('--home'),
    });
  });
});

test('an insert is one part: killed at any moment, it is there whole or not at all', async () => {
  const endpoint = fileURLToPath(new URL('../../infra/embedded/clickhouse-endpoint/main.ts', import.meta.url));
  const port = await freePort();
  const rows = 20_000;
  const acknowledged = new Set<number>();
  let version = 0;
  for (let round = 0; round < 4; round += 1) {
    let ready: () => void = () => {};
    const up = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const child = await startChild({
      command: process.execPath,
      args: ['--import', 'tsx', endpoint, join(folder, 'atomic'), join(folder, 'spool'), String(port)],
      logFile: join(folder, 'atomic.log'),
      onLine: (line) => line.startsWith('listening') && ready(),
    });
    await up;
    const store = await createStore({ url: `http://127.0.0.1:${port}`, database: 'default' });
    await store.command(
      'CREATE TABLE IF NOT EXISTS flushes (ver UInt64, k UInt64) ENGINE = MergeTree ORDER BY (ver, k)',
    );
    const found = await store.rows<{ ver: string; n: string }>('SELECT ver, count() AS n FROM flushes GROUP BY ver');
    expect(found.filter(({ n }) => Number(n) !== rows)).toEqual([]);
    for (const ver of acknowledged) expect(found.map((row) => Number(row.ver))).toContain(ver);
    version = Math.max(version, ...found.map((row) => Number(row.ver)));
    const writing = (async () => {
      for (;;) {
        version += 1;
        const mine = version;
        const buffer = Buffer.alloc(rows * 16);
        for (let k = 0; k < rows; k += 1) {
          buffer.writeUInt32LE(mine, k * 16);
          buffer.writeUInt32LE(k, k * 16 + 8);
        }
        await store.insertBinary('flushes', ['ver', 'k'], buffer);
        acknowledged.add(mine);
      }
    })().catch(() => {});
    await until('some flushes', () => acknowledged.size > round * 5 + 4);
    await child.stop('SIGKILL');
    await writing;
    await store.close();
  }
  expect(acknowledged.size).toBeGreaterThan(15);
}, 120_000);
