/** Stages started as a process of their own, and what can be done to it from outside. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../../infra/embedded/child.ts';
import type { Failpoint } from './failpoints.ts';
import type { StageName, StagesSettings } from './stages-process.ts';

/** Of its queues: the most bytes at a time, how often a partition was paused, how often a group was joined. */
export type QueueFigures = { readonly mostQueuedBytes: number; readonly pauses: number; readonly joins: number };

export type StagesProcess = {
  readonly child: Child;
  /** What it has printed. */
  readonly lines: string[];
  fastForwards(): number;
  queue(): QueueFigures;
  freeze(): void;
  thaw(): void;
};

export type StageOptions = {
  readonly fail?: `${Failpoint}${'' | `*${number}`}`;
  readonly stages?: readonly StageName[];
  readonly settings?: Partial<StagesSettings>;
};

const processFile = fileURLToPath(new URL('./stages-process.ts', import.meta.url));
const idle: QueueFigures = { mostQueuedBytes: 0, pauses: 0, joins: 0 };

/** What follows the word, of every line that begins with it. */
const figuresIn = (lines: readonly string[], word: string): string[] =>
  lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));

export async function startStagesProcess(
  home: string,
  base: Omit<StagesSettings, 'flushMs' | 'stages' | 'cacheLimits'>,
  { fail, stages = ['redactor', 'linker', 'joiner'], settings = {} }: StageOptions,
): Promise<StagesProcess> {
  const all: StagesSettings = { ...base, flushMs: 60, stages, cacheLimits: { units: 4, events: 8 }, ...settings };
  const lines: string[] = [];
  const child = await startChild({
    command: process.execPath,
    args: ['--import', 'tsx', processFile],
    logFile: join(home, `${base.prefix}.log`),
    onLine: (line) => lines.push(line),
    env: {
      ...process.env,
      KAFKAJS_NO_PARTITIONER_WARNING: '1',
      TRIPLINE_FAULT: JSON.stringify(all),
      ...(fail && { TRIPLINE_FAIL: fail }),
    },
  });
  return {
    child,
    lines,
    fastForwards: () => Math.max(0, ...figuresIn(lines, 'fast-forwards').map(Number)),
    queue: () => {
      const last = figuresIn(lines, 'queue').at(-1);
      return last === undefined ? idle : (JSON.parse(last) as QueueFigures);
    },
    freeze: () => process.kill(child.pid, 'SIGSTOP'),
    thaw: () => process.kill(child.pid, 'SIGCONT'),
  };
}
