/** The three parts of a home folder: those that the environment gives, and embedded ones for the rest. */
import { type EmbeddedStack, startEmbedded } from '../../infra/embedded/index.ts';
import { readPorts } from '../../infra/embedded/ports.ts';
import type { Addresses } from '../pipeline/connect.ts';
import { givenAddresses } from './addresses.ts';

export type OpenParts = Addresses & Pick<EmbeddedStack, 'embedded' | 'stop' | 'status'>;

/**
 * An address that a home folder's own part had the last time is no other's: whoever exported what `tripline env` said
 * of an embedded stack gets that stack again.
 */
export function othersAddresses(home: string): Partial<Addresses> {
  const ports = readPorts(home);
  const own = {
    brokers: `127.0.0.1:${ports['broker']}`,
    clickhouseUrl: `http://127.0.0.1:${ports['store']}`,
    registryUrl: `http://127.0.0.1:${ports['registry']}`,
  };
  const { brokers, clickhouseUrl, registryUrl, ...credentials } = givenAddresses();
  return {
    ...credentials,
    ...(brokers !== undefined && brokers !== own.brokers && { brokers }),
    ...(clickhouseUrl !== undefined && clickhouseUrl !== own.clickhouseUrl && { clickhouseUrl }),
    ...(registryUrl !== undefined && registryUrl !== own.registryUrl && { registryUrl }),
  };
}

export async function openParts(home: string, onLine: (line: string) => void): Promise<OpenParts> {
  const { user, password, ...given } = othersAddresses(home);
  const stack = await startEmbedded({ home, given, keepPorts: true, onLine });
  const isExternalStore = given.clickhouseUrl !== undefined;
  return {
    ...stack,
    ...(isExternalStore && user !== undefined && { user }),
    ...(isExternalStore && password !== undefined && { password }),
  };
}
