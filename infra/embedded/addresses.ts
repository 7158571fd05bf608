/** Where the parts of a stack answer: at an address that is given, or on a port of this machine. */
import type { PartName } from './part.ts';
import { claimPort, keptPort } from './ports.ts';

export type AddressOptions = {
  /** Data, logs and state live under this folder. */
  readonly home: string;
  readonly ports?: { readonly broker?: number; readonly store?: number; readonly registry?: number };
  /** Ports that are not named are those of the last time in this home. Absent: free ones each time. */
  readonly keepPorts?: boolean;
  /** Parts that are there already, at these addresses: they are neither started nor stopped. */
  readonly given?: { readonly brokers?: string; readonly clickhouseUrl?: string; readonly registryUrl?: string };
};

export type Addresses = {
  readonly brokers: string;
  readonly clickhouseUrl: string;
  readonly registryUrl: string;
  /** 0 for a part that is given. */
  readonly ports: Readonly<Record<PartName | 'controller', number>>;
  readonly isGiven: Readonly<Record<PartName, boolean>>;
};

/** What may be shown and written down of an address. */
export const withoutCredentials = (address: string): string => address.replace(/(\/\/)[^/@\s]*@/g, '$1');

export async function chooseAddresses(options: AddressOptions, onLine: (line: string) => void): Promise<Addresses> {
  const { home, given = {}, keepPorts = false, ports: wanted = {} } = options;
  const isGiven = {
    broker: given.brokers !== undefined,
    store: given.clickhouseUrl !== undefined,
    registry: given.registryUrl !== undefined,
  };
  const portOf = (name: PartName | 'controller', port?: number): Promise<number> =>
    port === undefined && keepPorts ? keptPort(home, name, onLine) : claimPort(name, port);
  // One after the other: each kept port is added to one file.
  const ports = {
    broker: isGiven.broker ? 0 : await portOf('broker', wanted.broker),
    controller: isGiven.broker ? 0 : await portOf('controller'),
    store: isGiven.store ? 0 : await portOf('store', wanted.store),
    registry: isGiven.registry ? 0 : await portOf('registry', wanted.registry),
  };
  return {
    brokers: given.brokers ?? `127.0.0.1:${ports.broker}`,
    clickhouseUrl: given.clickhouseUrl ?? `http://127.0.0.1:${ports.store}`,
    registryUrl: given.registryUrl ?? `http://127.0.0.1:${ports.registry}`,
    ports,
    isGiven,
  };
}
