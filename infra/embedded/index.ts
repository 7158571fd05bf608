/**
 * The embedded stack: broker, store, registry. Started in that order, each awaited with a real check, stopped in
 * reverse. A part that dies is started again on its port with its data; nothing outlives this process. The states of a
 * part are in `part.ts`.
 */
import { existsSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PipelineError } from '../../services/kernel/pipeline-error.ts';
import { type Addresses, type AddressOptions, chooseAddresses, withoutCredentials } from './addresses.ts';
import { endLeftovers, removePids, savePids } from './leftovers.ts';
import {
  createPart,
  killPart,
  type Part,
  type PartDeps,
  type PartName,
  type PartPlan,
  type PartStatus,
  pidOf,
  startPart,
  statusOf,
  stopPart,
} from './part.ts';
import { type Folders, planParts } from './plans.ts';

export { withoutCredentials } from './addresses.ts';
export type { PartName, PartStatus } from './part.ts';
export { freePort } from './ports.ts';

export type EmbeddedOptions = AddressOptions & {
  readonly onLine?: (line: string) => void;
};

export type EmbeddedStack = {
  /** Those that were started here. */
  readonly embedded: readonly PartName[];
  readonly brokers: string;
  readonly clickhouseUrl: string;
  readonly registryUrl: string;
  status(): Promise<PartStatus[]>;
  /** Stays down until `startPart`. */
  stopPart(name: PartName, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  startPart(name: PartName): Promise<void>;
  /** SIGKILL; the part is then started again by itself. */
  killPart(name: 'broker' | 'store'): Promise<void>;
  stop(): Promise<void>;
};

type Stack = {
  readonly folders: Folders;
  /** Those that are started here, in the order in which they are started. */
  readonly parts: readonly Part[];
  readonly deps: PartDeps;
  /** The one stop, once it has begun. */
  stopped: Promise<void> | undefined;
};

const leastFreeBytes = 500e6;

/** The home and its folder of logs are there and have space. */
function openHome(home: string): void {
  try {
    mkdirSync(join(home, 'logs'), { recursive: true });
  } catch (cause) {
    throw new PipelineError('STACK_START', `the folder ${home} cannot be created`, {
      cause,
      hint: 'choose another with --home',
    });
  }
  const disk = statfsSync(home);
  if (disk.bavail * disk.bsize < leastFreeBytes)
    throw new PipelineError('STACK_START', `less than ${leastFreeBytes / 1e6} MB are free under ${home}`, {
      hint: 'free some space, or choose another disk with --home',
    });
}

function foldersOf(home: string, storePort: number): Folders {
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  return { home, logFolder: join(home, 'logs'), spool: join(memory, `tripline-${storePort}`) };
}

function createStack(folders: Folders, plans: readonly PartPlan[], onLine: (line: string) => void): Stack {
  const parts = plans.map(createPart);
  const onHandle = (): void => {
    const pids = parts.flatMap((part) => {
      const pid = pidOf(part);
      return pid === undefined ? [] : [[part.plan.name, pid] as const];
    });
    savePids(folders.home, Object.fromEntries(pids));
  };
  return { folders, parts, deps: { logFolder: folders.logFolder, onLine, onHandle }, stopped: undefined };
}

async function startParts({ parts, deps }: Stack): Promise<void> {
  const isRegistry = ({ plan }: Part): boolean => plan.name === 'registry';
  // The registry keeps its schemas in the broker.
  await Promise.all(parts.filter((part) => !isRegistry(part)).map((part) => startPart(part, deps)));
  await Promise.all(parts.filter(isRegistry).map((part) => startPart(part, deps)));
}

async function stopParts({ folders, parts }: Stack): Promise<void> {
  const errors: unknown[] = [];
  for (const part of [...parts].reverse()) await stopPart(part).catch((error: unknown) => errors.push(error));
  removePids(folders.home);
  rmSync(folders.spool, { recursive: true, force: true });
  if (errors.length > 0) throw new AggregateError(errors, 'some parts did not stop cleanly');
}

function stopStack(stack: Stack): Promise<void> {
  stack.stopped ??= stopParts(stack);
  return stack.stopped;
}

function partNamed({ parts }: Stack, name: PartName): Part {
  const found = parts.find(({ plan }) => plan.name === name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

const embeddedStack = (stack: Stack, { brokers, clickhouseUrl, registryUrl }: Addresses): EmbeddedStack => ({
  embedded: stack.parts.map(({ plan }) => plan.name),
  brokers,
  clickhouseUrl,
  registryUrl,
  status: () => Promise.all(stack.parts.map(statusOf)),
  stopPart: (name, signal) => stopPart(partNamed(stack, name), signal),
  startPart: (name) => startPart(partNamed(stack, name), stack.deps),
  killPart: async (name) => killPart(partNamed(stack, name)),
  stop: () => stopStack(stack),
});

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedStack> {
  const { home, onLine = () => {} } = options;
  openHome(home);
  await endLeftovers(home, onLine);
  const addresses = await chooseAddresses(options, onLine);
  const folders = foldersOf(home, addresses.ports.store);
  const plans = planParts(addresses, folders, onLine);
  const isGiven = ({ name }: PartPlan): boolean => addresses.isGiven[name];
  const stack = createStack(
    folders,
    plans.filter((plan) => !isGiven(plan)),
    onLine,
  );
  try {
    for (const { name, address } of plans.filter(isGiven))
      onLine(`${name.padEnd(9)} given   ${withoutCredentials(address)}`);
    await startParts(stack);
  } catch (error) {
    await stopStack(stack).catch(() => {});
    throw error;
  }
  return embeddedStack(stack, addresses);
}
