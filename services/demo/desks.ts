/** The story's desks as processes of their own: started, heard, and gone when the story is over. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { InferenceLine, OutcomeLine } from '../replay/scenario-lines.ts';
import type { DeskMessage, DeskSettings } from './desk.ts';

export const deskCount = 2;

export type Done = Extract<DeskMessage, { kind: 'done' }>;

export type Desks = {
  /** Everything that they said, and when it was heard. */
  readonly messages: readonly { readonly at: EpochMs; readonly message: DeskMessage }[];
  /** Resolves when all have ended well. */
  readonly finished: Promise<unknown>;
  done(): readonly Done[];
  /** What they wrote down of what they emitted. */
  ledger(): { readonly events: readonly InferenceLine[]; readonly outcomes: readonly OutcomeLine[] };
  /** None of their processes is left when it resolves. */
  kill(): Promise<void>;
};

const ledgerOf = (home: string, app: number): string => join(home, 'story', `desk-${app}.ndjson`);

/** The entry next to this file: its source in a checkout, its compiled form in a package. */
const entry = (): string => {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return join(dirname(fileURLToPath(import.meta.url)), `main${extension}`);
};

function readLedger(home: string): ReturnType<Desks['ledger']> {
  const lines = Array.from({ length: deskCount }, (_, app) =>
    readFileSync(ledgerOf(home, app), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  ).flat();
  return {
    events: lines.filter((line) => 'event_id' in line) as unknown[] as InferenceLine[],
    outcomes: lines.filter((line) => 'outcome_id' in line) as unknown[] as OutcomeLine[],
  };
}

export function startDesks(
  home: string,
  settings: Omit<DeskSettings, 'app' | 'ledger'>,
  options: { readonly now: () => EpochMs; readonly onMessage: (message: DeskMessage) => void },
): Desks {
  mkdirSync(join(home, 'story'), { recursive: true });
  const main = entry();
  const messages: { at: EpochMs; message: DeskMessage }[] = [];
  const startOne = (app: number): ReturnType<typeof fork> => {
    const given: DeskSettings = { ...settings, app, ledger: ledgerOf(home, app) };
    const child = fork(main, [JSON.stringify(given)], {
      execArgv: main.endsWith('.ts') ? ['--import', 'tsx'] : [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message: DeskMessage) => {
      messages.push({ at: options.now(), message });
      options.onMessage(message);
    });
    return child;
  };
  const children = Array.from({ length: deskCount }, (_, app) => startOne(app));
  const endOfDesk = (child: ReturnType<typeof fork>, app: number): Promise<void> =>
    new Promise((resolve, reject) => {
      child.once('exit', (code) =>
        code === 0 ? resolve() : reject(new PipelineError('STACK_START', `desk ${app} ended with code ${code}`)),
      );
    });
  const finished = Promise.all(children.map(endOfDesk));
  finished.catch(() => {}); // whoever waits for it tells; a story that was interrupted waits for nobody
  return {
    messages,
    finished,
    done: () => messages.flatMap(({ message }) => (message.kind === 'done' ? [message] : [])),
    ledger: () => readLedger(home),
    kill: async () => {
      const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      const ended = running.map((child) => once(child, 'exit'));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(ended);
    },
  };
}
