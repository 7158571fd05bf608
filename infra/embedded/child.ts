/**
 * A child process that cannot outlive us: it runs under `sh`, which waits on the pipe that is our end of its stdin;
 * when we die in any way, the pipe closes and the child is killed. Output goes to a log file; `ready` is the first line
 * that matches.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';

export type Child = {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  running(): boolean;
  /** SIGTERM, and SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(signal?: 'SIGTERM' | 'SIGKILL', graceMs?: number): Promise<void>;
};

/*
 * fd 3 is our end. The reader loop ends when it closes; `kill -9 0` would take the shell too, so the child is killed by
 * pid.
 */
const guard = [
  '"$@" <&- 3<&- &',
  'child=$!',
  '(read -r _ <&3; kill -9 $child 2>/dev/null) &',
  'watcher=$!',
  'echo "pid $child" >&4',
  'exec 4>&-',
  'trap "kill -TERM $child" TERM',
  'wait $child',
  'code=$?',
  'while kill -0 $child 2>/dev/null; do wait $child; code=$?; done',
  'kill $watcher 2>/dev/null',
  'exit $code',
].join('\n');

export async function startChild(options: {
  command: string;
  args: readonly string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  onLine?: (line: string) => void;
}): Promise<Child> {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const shell = spawn('/bin/sh', ['-c', guard, 'sh', options.command, ...options.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  });
  let alive = true;
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    shell.once('exit', (code, signal) => {
      alive = false;
      resolve({ code, signal });
    });
    shell.once('error', () => {
      alive = false;
      resolve({ code: 127, signal: null });
    });
  });
  let partial = '';
  shell.stdout?.on('data', (chunk: Buffer) => {
    log.write(chunk);
    partial += chunk.toString('utf8');
    const lines = partial.split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) options.onLine?.(line);
  });
  shell.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
  const pid = await new Promise<number>((resolve) => {
    const pidPipe = shell.stdio[4];
    if (pidPipe === null || pidPipe === undefined || !('on' in pidPipe)) return resolve(shell.pid ?? -1);
    pidPipe.on('data', (chunk: Buffer) => resolve(Number(/pid (\d+)/.exec(chunk.toString())?.[1] ?? -1)));
    void exited.then(() => resolve(shell.pid ?? -1));
  });
  const signalChild = (signal: NodeJS.Signals): void => {
    try {
      process.kill(pid, signal);
    } catch {
      // already gone: that is what was wanted
    }
  };
  return {
    pid,
    exited,
    running: () => alive,
    stop: async (signal = 'SIGTERM', graceMs = 10_000) => {
      if (!alive) return;
      signalChild(signal);
      const late = setTimeout(() => signalChild('SIGKILL'), graceMs);
      await exited;
      clearTimeout(late);
      log.end();
    },
  };
}

/** A process of this number exists. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The last lines of a log, for an error message. */
export function logTail(file: string, lines = 12): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '';
}
