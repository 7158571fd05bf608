/**
 * A broker that says nothing for longer than a request waits, with several sends under way: what was sent is in the
 * log, whatever was taken for a repetition of something else. Two sends that carry the same numbers are one to a
 * broker, and it says "written" to both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';

test('sends that wait for a frozen broker are all written', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tripline-frozen-'));
  const stack = await startEmbedded({ home });
  const log = createKafka({ brokers: stack.brokers, clientId: 'numbers', requestTimeoutMs: 1_000 });
  try {
    await log.createTopics([{ topic: 'numbers', partitions: 2, config: {} }]);
    const producer = await log.producer();
    const value = (text: string, partition = 0) => ({ topic: 'numbers', partition, value: Buffer.from(text) });
    await producer.send([value('before')]);
    const pid = (await stack.status()).find(({ name }) => name === 'broker')?.pid ?? -1;
    const want = ['before'];
    for (let round = 0; round < 3; round += 1) {
      process.kill(pid, 'SIGSTOP');
      const names = Array.from({ length: 6 }, (_, index) => `${round}.${index}`);
      want.push(...names);
      const sends = names.map((name) => producer.send([value(name), value(`${name} too`, 1)]));
      // Two requests and a half without a reply: only the broker's silence can bring that about.
      await pause(2_500);
      process.kill(pid, 'SIGCONT');
      await Promise.all(sends);
    }
    const read = (await log.readToEnd('numbers')).map((record) => `${record.partition} ${record.value?.toString()}`);
    expect(want.filter((name) => !read.includes(`0 ${name}`))).toEqual([]);
    expect(want.slice(1).filter((name) => !read.includes(`1 ${name} too`))).toEqual([]);
  } finally {
    await log.close();
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  }
}, 120_000);
