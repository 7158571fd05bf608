/** `down`: stops what `up` started. */
import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { readStack, stackFile } from './stack-file.ts';
import { print } from './terminal.ts';

const patienceMs = 30_000;

export async function down(home: string): Promise<number> {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid)) {
    rmSync(stackFile(home), { force: true });
    print(`nothing runs in ${home}`);
    return 0;
  }
  process.kill(running.pid, 'SIGTERM');
  for (let waitedMs = 0; isAlive(running.pid); waitedMs += 100) {
    if (waitedMs > patienceMs)
      throw new PipelineError('TIMEOUT', `process ${running.pid} did not stop within ${patienceMs / 1_000} s`, {
        hint: `kill -9 ${running.pid}; its children end with it`,
      });
    await wait(100);
  }
  print('stopped');
  return 0;
}
