/** The store's contract on a ClickHouse server in a container, where a Docker engine is at hand. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { migrate } from '../../services/runtime/migrate.ts';

const engine = ((): boolean => {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('skipped: needs a Docker engine');
    return false;
  }
})();

test.skipIf(!engine)('migrations on a real server', async () => {
  const { GenericContainer, Wait } = await import('testcontainers');
  const password = randomBytes(12).toString('hex');
  const container = await new GenericContainer('clickhouse/clickhouse-server:26.7')
    .withEnvironment({ CLICKHOUSE_USER: 'tripline', CLICKHOUSE_PASSWORD: password })
    .withExposedPorts(8123)
    .withWaitStrategy(Wait.forHttp('/ping', 8123))
    .start();
  const connection = {
    url: `http://${container.getHost()}:${container.getMappedPort(8123)}`,
    user: 'tripline',
    password,
  };
  const store = await createStore({ ...connection, database: 'tripline' });
  expect((await migrate(store, connection)).length).toBeGreaterThan(0);
  expect(await store.rows('SELECT count() AS n FROM state')).toEqual([{ n: '0' }]);
  await store.close();
  await container.stop();
});
