/** Broker, store and registry: how each is started, and the check that says it is ready. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createStore } from '../../services/runtime/clickhouse-client.ts';
import { createKafka } from '../../services/runtime/kafka-log.ts';
import { createRegistryClient } from '../../services/runtime/registry-client.ts';
import type { Addresses } from './addresses.ts';
import { type Child, startChild } from './child.ts';
import { startBroker } from './kafka/broker.ts';
import { answerWithin, type PartPlan } from './part.ts';
import { startRegistry } from './registry/index.ts';

export type Folders = {
  readonly home: string;
  readonly logFolder: string;
  /** Where bodies of inserts wait for the engine, in memory where the machine has a folder for that. */
  readonly spool: string;
};

const storeMain = join(
  dirname(fileURLToPath(import.meta.url)),
  'clickhouse-endpoint',
  `main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
);

const startStore = ({ home, logFolder, spool }: Folders, port: number): Promise<Child> =>
  startChild({
    command: process.execPath,
    args: [
      ...(storeMain.endsWith('.ts') ? ['--import', 'tsx'] : []),
      storeMain,
      join(home, 'store'),
      spool,
      String(port),
    ],
    logFile: join(logFolder, 'store.log'),
    cwd: dirname(storeMain),
  });

async function checkBroker(brokers: string): Promise<string> {
  const log = createKafka({ brokers, clientId: 'tripline-check' });
  try {
    await answerWithin(5_000, log.ping());
    return 'metadata answered';
  } finally {
    await log.close().catch(() => {});
  }
}

async function checkStore(url: string): Promise<string> {
  const store = await createStore({ url, database: 'default' });
  try {
    const [row] = await store.rows<{ version: string; total: string }>(
      'SELECT version() AS version, sum(number) AS total FROM numbers(1000)',
    );
    if (row?.total !== '499500') throw new Error('an aggregate came back wrong');
    return `ClickHouse engine ${row.version}, aggregate answered`;
  } finally {
    await store.close();
  }
}

async function checkRegistry(url: string): Promise<string> {
  const registry = createRegistryClient({ url });
  const probe = '{"type":"record","name":"Probe","namespace":"tripline.check","fields":[]}';
  const id = await registry.register('tripline-check', probe);
  if ((await registry.schemaById(id)) !== probe) throw new Error('a schema came back changed');
  return 'schema round trip answered';
}

/** All three, also those that are given, in the order in which they are started. */
export function planParts(
  { brokers, clickhouseUrl, registryUrl, ports }: Addresses,
  folders: Folders,
  onLine: (line: string) => void,
): readonly PartPlan[] {
  const { home, logFolder } = folders;
  const { broker: port, controller: controllerPort } = ports;
  return [
    {
      name: 'broker',
      address: brokers,
      start: () => startBroker({ folder: join(home, 'broker'), logFolder, port, controllerPort, onLine }),
      check: () => checkBroker(brokers),
    },
    {
      name: 'store',
      address: clickhouseUrl,
      start: () => startStore(folders, ports.store),
      check: () => checkStore(clickhouseUrl),
    },
    {
      name: 'registry',
      address: registryUrl,
      start: () => startRegistry({ brokers, port: ports.registry }),
      check: () => checkRegistry(registryUrl),
    },
  ];
}
