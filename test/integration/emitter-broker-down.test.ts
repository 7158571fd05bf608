import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { prepare } from '../../services/pipeline/prepare.ts';
import { connect } from '../../services/pipeline/connect.ts';
import { createEmitter, createKafkaSink } from '../../services/emitter/index.ts';
import { createAssignmentTable } from '../../services/assignment/index.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { topicName } from '../../services/runtime/topics.ts';

test('the broker is down for 10,000 calls: nothing thrown or slowed, what fitted arrives when it is back', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tripline-down-'));
  const stack = await startEmbedded({ home });
  const connection = await connect({
    ...stack,
    database: 'down',
    clock: systemClock,
    clientId: 'down',
  });
  try {
    await prepare({ ...stack, prefix: 'down', partitions: 2, eventTime: false }, connection);
    const { log, codec } = connection;
    const emitter = createEmitter({
      service: 's',
      environment: 'e',
      clock: systemClock,
      encode: codec.encodeUnregistered,
      sink: createKafkaSink({ prefix: 'down', log, codec, clock: systemClock, ttlMs: 1_000 }),
      experiments: { table: () => createAssignmentTable([]), stale: () => false, close: async () => {} },
      maxQueued: 4_000,
      maxBytes: 64 << 20,
      lingerMs: 5,
    });
    emitter.record({ userId: 'warm' });
    expect(await emitter.flush({ timeoutMs: 20_000 })).toBe(true);
    await stack.stopPart('broker', 'SIGKILL');
    // what is compiled on the way is not what is measured
    for (let index = 0; index < 2_000; index += 1) emitter.record({ userId: `warm-${index}` });
    const before = emitter.stats();
    const took = new Float64Array(10_000);
    const rss = process.memoryUsage().rss;
    for (let index = 0; index < 10_000; index += 1) {
      const start = process.hrtime.bigint();
      const id = emitter.record({ userId: `u${index}`, prompt: 'x'.repeat(200), tokenIn: 5, status: 'success' });
      took[index] = Number(process.hrtime.bigint() - start) / 1_000;
      expect(id).not.toBe('');
    }
    took.sort();
    const after = emitter.stats();
    const rssMb = Math.round((process.memoryUsage().rss - rss) / 1e6);
    console.log(
      `record with the broker down: p50 ${took[5_000]?.toFixed(1)} us, p99 ${took[9_900]?.toFixed(1)} us, ` +
        `RSS +${rssMb} MB, dropped ${after.dropped - before.dropped}`,
    );
    expect(after.queued).toBe(4_000);
    expect(after.dropped + after.queued + after.sent).toBe(12_001);
    expect(after.failedCalls).toBe(0);
    await stack.startPart('broker');
    expect(await emitter.flush({ timeoutMs: 60_000 })).toBe(true);
    const { sent, dropped } = emitter.stats();
    expect(sent + dropped).toBe(12_001);
    expect((await log.readToEnd(topicName('down', 'inference.raw.v1'))).length).toBe(sent);
  } finally {
    await connection.close();
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  }
}, 180_000);
