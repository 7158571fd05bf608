/**
 * Faults 1 to 5 as things that happen to a running deployment, for trials that take several of them at random. Each is
 * over when it resolves.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { EmbeddedStack } from '../../../infra/embedded/index.ts';
import { allReady } from './in-deployment.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import type { StagesProcess } from './start-stages-process.ts';

export type Harmed = {
  readonly stack: EmbeddedStack;
  readonly proxy: TcpProxy;
  /** The process that may be killed or frozen, now; `replace` starts its successor. */
  victim(): StagesProcess;
  replace(): Promise<void>;
  /** Past this a silent member has lost its partitions, ms. */
  readonly sessionTimeoutMs: number;
};

const inserts = /INSERT INTO (state|facts)/;
const through =
  (mode: TcpProxy['mode'], ms: number) =>
  async ({ proxy }: Harmed): Promise<void> => {
    proxy.mode = mode;
    await pause(ms);
    proxy.mode = { kind: 'pass' };
  };

export const harms: readonly {
  readonly row: 1 | 2 | 3 | 4 | 5;
  readonly name: string;
  run(target: Harmed): Promise<void>;
}[] = [
  {
    row: 1,
    name: 'stages killed',
    run: async ({ victim, replace }) => {
      await victim().child.stop('SIGKILL');
      await replace();
    },
  },
  {
    row: 1,
    name: 'stages told to stop',
    run: async ({ victim, replace }) => {
      await victim().child.stop('SIGTERM', 15_000);
      await replace();
    },
  },
  {
    row: 2,
    name: 'engine killed',
    run: async ({ stack }) => {
      await stack.killPart('store');
      await allReady(stack);
    },
  },
  { row: 3, name: 'engine away', run: through({ kind: 'cut' }, 2_000) },
  { row: 3, name: 'engine slow', run: through({ kind: 'delay', ms: 300 }, 2_000) },
  { row: 3, name: 'engine refuses', run: through({ kind: 'answer', request: inserts, status: 500, code: 243 }, 1_500) },
  { row: 3, name: 'replies lost', run: through({ kind: 'swallow', request: inserts }, 1_500) },
  {
    row: 4,
    name: 'broker stopped',
    run: async ({ stack }) => {
      await stack.stopPart('broker');
      await stack.startPart('broker');
      await allReady(stack);
    },
  },
  {
    row: 4,
    name: 'broker killed',
    run: async ({ stack }) => {
      await stack.killPart('broker');
      await allReady(stack);
    },
  },
  {
    row: 5,
    name: 'zombies',
    run: async ({ victim, sessionTimeoutMs }) => {
      const frozen = victim();
      frozen.freeze();
      await pause(sessionTimeoutMs + 1_000);
      frozen.thaw();
    },
  },
];
