/**
 * The embedded stack: broker, store, registry. Started in that order, each awaited with a real check, stopped in
 * reverse. A part that dies is started again on its port with its data; nothing outlives this process. States of a
 * part: stopped -> starting -> ready -> (died -> starting ...) -> stopping -> stopped.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { errorCodes, PipelineError } from '../../services/kernel/pipeline-error.ts';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import { type Child, isAlive, logTail, startChild } from './child.ts';
import { startBroker } from './kafka/broker.ts';
import { claimPort, keptPort } from './ports.ts';
import { startRegistry } from './registry/index.ts';

export type PartName = 'broker' | 'store' | 'registry';
export type PartStatus = {
  readonly name: PartName;
  readonly address: string;
  readonly ready: boolean;
  readonly detail: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly upMs: number;
};

export type EmbeddedOptions = {
  /** Data, logs and state live under this folder. */
  readonly home: string;
  readonly ports?: { readonly broker?: number; readonly store?: number; readonly registry?: number };
  /** Ports that are not named are those of the last time in this home. Absent: free ones each time. */
  readonly keepPorts?: boolean;
  /** Parts that are there already, at these addresses: they are neither started nor stopped. */
  readonly given?: { readonly brokers?: string; readonly clickhouseUrl?: string; readonly registryUrl?: string };
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

export { freePort } from './ports.ts';

/** What may be shown and written down of an address. */
export const withoutCredentials = (address: string): string => address.replace(/(\/\/)[^/@\s]*@/g, '$1');

/**
 * A run that was killed leaves its pids behind; what still lives of it and is ours by its command line is ended first.
 */
async function endLeftovers(home: string, onLine: (line: string) => void): Promise<void> {
  const file = join(home, 'pids.json');
  if (!existsSync(file)) return;
  const { owner, command, pids } = JSON.parse(readFileSync(file, 'utf8')) as {
    owner: number;
    command: string;
    pids: Record<string, number>;
  };
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
  rmSync(file, { force: true });
}
const commandOf = (pid: number): string =>
  existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : '';

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedStack> {
  const { home, given = {}, onLine = () => {} } = options;
  const logFolder = join(home, 'logs');
  try {
    mkdirSync(logFolder, { recursive: true });
  } catch (cause) {
    throw new PipelineError('STACK_START', `the folder ${home} cannot be created`, {
      cause,
      hint: 'choose another with --home',
    });
  }
  const disk = statfsSync(home);
  if (disk.bavail * disk.bsize < 500e6)
    throw new PipelineError('STACK_START', `less than 500 MB are free under ${home}`, {
      hint: 'free some space, or choose another disk with --home',
    });
  await endLeftovers(home, onLine);
  const portOf = (name: PartName | 'controller', wanted?: number): Promise<number> =>
    wanted === undefined && options.keepPorts === true ? keptPort(home, name, onLine) : claimPort(name, wanted);
  const [brokerPort, controllerPort, storePort, registryPort] = [
    given.brokers === undefined ? await portOf('broker', options.ports?.broker) : 0,
    given.brokers === undefined ? await portOf('controller') : 0,
    given.clickhouseUrl === undefined ? await portOf('store', options.ports?.store) : 0,
    given.registryUrl === undefined ? await portOf('registry', options.ports?.registry) : 0,
  ];
  const brokers = given.brokers ?? `127.0.0.1:${brokerPort}`;
  const clickhouseUrl = given.clickhouseUrl ?? `http://127.0.0.1:${storePort}`;
  const registryUrl = given.registryUrl ?? `http://127.0.0.1:${registryPort}`;
  const spool = existsSync('/dev/shm')
    ? join('/dev/shm', `tripline-${storePort}`)
    : join(tmpdir(), `tripline-${storePort}`);

  type Part = {
    readonly name: PartName;
    readonly address: string;
    readonly start: () => Promise<Child | { stop(): Promise<void> }>;
    readonly check: () => Promise<string>;
    handle: Child | { stop(): Promise<void> } | undefined;
    wanted: boolean;
    restarts: number;
    since: number;
  };
  const part = (name: PartName, address: string, start: Part['start'], check: Part['check']): Part => ({
    name,
    address,
    start,
    check,
    handle: undefined,
    wanted: false,
    restarts: 0,
    since: 0,
  });
  const storeMain = join(
    dirname(fileURLToPath(import.meta.url)),
    'clickhouse-endpoint',
    `main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  );
  const all: readonly Part[] = [
    part(
      'broker',
      brokers,
      () => startBroker({ folder: join(home, 'broker'), logFolder, port: brokerPort, controllerPort, onLine }),
      async () => {
        const log = createKafka({ brokers, clientId: 'tripline-check' });
        try {
          await within(5_000, log.ping());
          return 'metadata answered';
        } finally {
          await log.close().catch(() => {});
        }
      },
    ),
    part(
      'store',
      clickhouseUrl,
      () =>
        startChild({
          command: process.execPath,
          args: [
            ...(storeMain.endsWith('.ts') ? ['--import', 'tsx'] : []),
            storeMain,
            join(home, 'store'),
            spool,
            String(storePort),
          ],
          logFile: join(logFolder, 'store.log'),
          cwd: dirname(storeMain),
        }),
      async () => {
        const store = await createStore({ url: clickhouseUrl, database: 'default' });
        try {
          const [row] = await store.rows<{ version: string; total: string }>(
            'SELECT version() AS version, sum(number) AS total FROM numbers(1000)',
          );
          if (row?.total !== '499500') throw new Error('an aggregate came back wrong');
          return `ClickHouse engine ${row.version}, aggregate answered`;
        } finally {
          await store.close();
        }
      },
    ),
    part(
      'registry',
      registryUrl,
      () => startRegistry({ brokers, port: registryPort }),
      async () => {
        const registry = createRegistryClient({ url: registryUrl });
        const probe = '{"type":"record","name":"Probe","namespace":"tripline.check","fields":[]}';
        const id = await registry.register('tripline-check', probe);
        if ((await registry.schemaById(id)) !== probe) throw new Error('a schema came back changed');
        return 'schema round trip answered';
      },
    ),
  ];

  const isGiven: Readonly<Record<PartName, boolean>> = {
    broker: given.brokers !== undefined,
    store: given.clickhouseUrl !== undefined,
    registry: given.registryUrl !== undefined,
  };
  const parts = all.filter(({ name }) => !isGiven[name]);
  const savePids = (): void => {
    const pids = Object.fromEntries(
      parts.flatMap(({ name, handle }) => (handle && 'pid' in handle ? [[name, handle.pid]] : [])),
    );
    writeFileSync(
      join(home, 'pids.json'),
      JSON.stringify({ owner: process.pid, command: commandOf(process.pid), pids }),
    );
  };

  const start = async (target: Part): Promise<void> => {
    target.wanted = true;
    const began = Date.now();
    target.handle = await target.start();
    savePids();
    if ('exited' in target.handle) watch(target, target.handle);
    for (;;) {
      try {
        const detail = await target.check();
        target.since = Date.now();
        const seconds = ((Date.now() - began) / 1000).toFixed(1);
        onLine(`${target.name.padEnd(9)} ready   ${target.address}   ${seconds} s   ${detail}`);
        return;
      } catch (cause) {
        const dead = target.handle !== undefined && 'running' in target.handle && !target.handle.running();
        if (dead || Date.now() - began > 60_000) {
          const tail = logTail(join(logFolder, `${target.name}.log`));
          const shownTail = tail === '' ? '' : `; its log ends with:\n${tail}`;
          throw new PipelineError(
            'STACK_START',
            `the ${target.name} did not come up${dead ? ': its process ended' : ' within 60 s'}${shownTail}`,
            { cause, hint: `see ${join(logFolder, `${target.name}.log`)}` },
          );
        }
        await wait(100);
      }
    }
  };

  /** Starts a part again that ended although it is wanted. */
  const watch = (target: Part, child: Child): void => {
    void child.exited.then(async () => {
      if (!target.wanted || target.handle !== child) return;
      target.restarts += 1;
      onLine(`${target.name.padEnd(9)} ended unexpectedly, started again (${target.restarts})`);
      for (let tries = 0; target.wanted && tries < 10; tries += 1) {
        try {
          await start(target);
          return;
        } catch (error) {
          onLine(`${target.name.padEnd(9)} ${error instanceof Error ? error.message : String(error)}`);
          await wait(500);
        }
      }
    });
  };

  const named = (name: PartName): Part => {
    const found = parts.find((candidate) => candidate.name === name);
    if (found === undefined) throw new RangeError(name);
    return found;
  };
  const stopOne = async (target: Part, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    target.wanted = false;
    const { handle } = target;
    target.handle = undefined;
    if (handle) await ('pid' in handle ? handle.stop(signal) : handle.stop());
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      const errors: unknown[] = [];
      for (const target of [...parts].reverse()) await stopOne(target).catch((error: unknown) => errors.push(error));
      rmSync(join(home, 'pids.json'), { force: true });
      rmSync(spool, { recursive: true, force: true });
      if (errors.length > 0) throw new AggregateError(errors, 'some parts did not stop cleanly');
    })();
    return stopped;
  };

  try {
    for (const { name, address } of all)
      if (isGiven[name]) onLine(`${name.padEnd(9)} given   ${withoutCredentials(address)}`);
    // The registry keeps its schemas in the broker.
    await Promise.all(parts.filter(({ name }) => name !== 'registry').map(start));
    await Promise.all(parts.filter(({ name }) => name === 'registry').map(start));
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return {
    embedded: parts.map(({ name }) => name),
    brokers,
    clickhouseUrl,
    registryUrl,
    stop,
    status: () =>
      Promise.all(
        parts.map(async ({ name, address, handle, check, restarts, since }) => {
          const common = {
            name,
            address,
            pid: handle && 'pid' in handle ? handle.pid : process.pid,
            restarts,
            upMs: Date.now() - since,
          };
          try {
            return { ...common, ready: true, detail: await within(5_000, check()) };
          } catch (error) {
            return { ...common, ready: false, detail: error instanceof Error ? error.message : String(error) };
          }
        }),
      ),
    stopPart: (name, signal) => stopOne(named(name), signal),
    startPart: (name) => start(named(name)),
    killPart: async (name) => {
      const { handle } = named(name);
      if (handle && 'pid' in handle) process.kill(handle.pid, 'SIGKILL');
      if (handle && 'exited' in handle) await handle.exited;
    },
  };
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      work,
      wait(limitMs, undefined, { signal: timer.signal }).then(() => {
        throw new PipelineError('TIMEOUT', `${errorCodes.TIMEOUT}: no answer within ${limitMs} ms`, {
          retriable: true,
        });
      }),
    ]);
  } finally {
    timer.abort();
  }
}
