import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../../../infra/embedded/ports.ts';

test('a part is never given a port that an outgoing connection can take before it listens', async () => {
  const file = '/proc/sys/net/ipv4/ip_local_port_range';
  const firstOutgoing = process.platform === 'linux' ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 32_768;
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  expect(Math.max(...ports)).toBeLessThan(firstOutgoing);
  expect(new Set(ports).size).toBe(ports.length);
});

test('a port that was chosen before is passed over', async () => {
  const first = await freePort(() => 0.5);
  const draws = [0.5, 0.5, 0.25];
  expect(await freePort(() => draws.shift() ?? 0.75)).not.toBe(first);
  expect(draws).toEqual([]);
});

test('a port that is listened on is passed over', async () => {
  const taken = await freePort(() => 0.1);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
  const draws = [0.1, 0.9];
  expect(await freePort(() => draws.shift() ?? 0.8)).not.toBe(taken);
  server.close();
});
