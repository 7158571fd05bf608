/** An app that closes its emitter ends, whether or not anybody answers at the addresses that it was given. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { closingApps } from '../../support/closing-apps.ts';
import { compileForApps, runApp } from '../../support/run-app.ts';

vi.setConfig({ testTimeout: 120_000 }); // processes, on a machine that does other work

/** Takes connections and says nothing. */
const silent = createServer(() => {});
beforeAll(async () => {
  compileForApps();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
}, 120_000);
afterAll(() => void silent.close());
const silentPort = (): number => {
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
};

const at = (port: number) => ({ KAFKA_BROKERS: `127.0.0.1:${port}`, SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}` });

describe.concurrent.each([
  ['nobody at the addresses', () => at(9), ['record, then close at once', 'close before anything']],
  [
    'somebody there who never answers',
    () => at(silentPort()),
    ['record, then close at once', 'close twice at once', 'close 120 ms after the first call'],
  ],
] as const)('%s', (_name, addresses, cases) => {
  // Closing takes at most twice its time (1 s here); the rest is the process's own start.
  test.each(cases)('%s: the process ends', async (name) => {
    const { code: end, said, problems } = await runApp(closingApps[name] ?? '', addresses());
    expect([end, problems]).toEqual([0, '']);
    expect(JSON.parse(said)).toMatchObject({ sent: 0 });
  });
});

test('what was recorded and never left is counted by the time the emitter is closed', async () => {
  const { said } = await runApp(closingApps['record after close'] ?? '', at(9));
  expect(JSON.parse(said)).toMatchObject({ sent: 0, queued: 1, dropped: 1, droppedBy: { closed: 1 } });
});
