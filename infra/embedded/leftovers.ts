/** What a run leaves behind when it is killed outright: a file of its processes, which the next run reads. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../../services/kernel/pipeline-error.ts';
import { isAlive } from './child.ts';

type PidsFile = {
  readonly owner: number;
  /** The owner's command line: a number alone may by now be another process. */
  readonly command: string;
  readonly pids: Readonly<Record<string, number>>;
};

const pidsFile = (home: string): string => join(home, 'pids.json');

const commandOf = (pid: number): string =>
  existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : '';

/** Writes down which processes this run owns, by the names of their parts. */
export function savePids(home: string, pids: Readonly<Record<string, number>>): void {
  const file: PidsFile = { owner: process.pid, command: commandOf(process.pid), pids };
  writeFileSync(pidsFile(home), JSON.stringify(file));
}

export const removePids = (home: string): void => rmSync(pidsFile(home), { force: true });

/**
 * A run that was killed leaves its pids behind; what still lives of it and is ours by its command line is ended first.
 */
export async function endLeftovers(home: string, onLine: (line: string) => void): Promise<void> {
  if (!existsSync(pidsFile(home))) return;
  const { owner, command, pids } = JSON.parse(readFileSync(pidsFile(home), 'utf8')) as PidsFile;
  if (owner !== process.pid && isAlive(owner) && commandOf(owner) === command) {
    throw new PipelineError('STACK_START', `a stack already runs in ${home} (process ${owner})`, {
      hint: '`tripline down` stops it; another --home runs next to it',
    });
  }
  for (const [name, pid] of Object.entries(pids)) {
    if (!isAlive(pid) || !commandOf(pid).includes(home)) continue;
    onLine(`${name.padEnd(9)} left over from a run that was killed, process ${pid}: ended`);
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await wait(50);
  }
  removePids(home);
}
