/**
 * Fault 8: a joiner whose store takes its time over every request, while a log many times its queue waits. Its queue
 * stays within the bound and one fetch, its partitions are paused and go on, its group never rebalances, its process
 * stays small.
 */
import { readFileSync } from 'node:fs';
import { until } from '../../support/until.ts';
import { type FaultContext, type FaultResult, inDeployment } from './in-deployment.ts';
import { patienceMs } from './progress.ts';

const bound = {
  partitions: 2,
  /** Per partition, bytes. */
  queuedBytes: 256 * 1024,
  /**
   * What one fetch may bring past the mark: `maxBytesPerPartition` of the log, and the record batch that crosses it.
   */
  fetchBytes: 5 * 1024 * 1024,
  /** A stage with nothing to do takes about 150 MB. */
  residentBytes: 500e6,
} as const;

/** Resident memory of a process, bytes; 0 when it is gone, undefined where there is no /proc. */
export function residentBytes(pid: number): number | undefined {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
  } catch {
    return undefined;
  }
}

export const slowSink = (context: FaultContext): Promise<FaultResult> =>
  inDeployment(context, { partitions: bound.partitions, calls: 1_200, paddingBytes: 16_000 }, async (deployment) => {
    await deployment.startStages({ stages: ['redactor', 'linker'] });
    await deployment.send(1);
    await deployment.consumed(['redactor', 'linker']);
    const joiner = await deployment.startStages({
      stages: ['joiner'],
      settings: { slow: { storeMs: 5, maxQueuedBytes: bound.queuedBytes, flushRecords: 20 } },
    });
    let resident = 0;
    await until(
      'the slow joiner',
      async () => {
        resident = Math.max(resident, residentBytes(joiner.child.pid) ?? 0);
        return deployment.isConsumed(['joiner']);
      },
      patienceMs,
    );
    const { mostQueuedBytes, pauses, joins } = joiner.queue();
    const withTimeout = bound.partitions * (bound.queuedBytes + bound.fetchBytes);
    if (mostQueuedBytes > withTimeout) throw new Error(`${mostQueuedBytes} bytes were queued, at most ${withTimeout}`);
    if (pauses < bound.partitions) throw new Error(`${pauses} pauses: it was never slower than its log`);
    if (joins !== 1) throw new Error(`joined its group ${joins} times`);
    if (resident > bound.residentBytes) throw new Error(`${resident} bytes resident, at most ${bound.residentBytes}`);
    return { counts: { pauses, joins }, most: { 'MB queued': mostQueuedBytes / 1e6, 'MB resident': resident / 1e6 } };
  });
