/** Ports of the embedded parts: free ones the first time, the same ones from then on. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PipelineError } from '../../services/kernel/pipeline-error.ts';

const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });

/** Below it are the ports of well-known services. */
const lowestPort = 10_000;
/** Linux without that file, macOS and Windows give outgoing connections ports from 32,768 on, or higher. */
const usualFirstOutgoing = 32_768;

/**
 * The first port that the kernel may give to an outgoing connection. A port above it that was free a moment ago can be
 * one end of anybody's connection by the time a part listens on it.
 */
function firstOutgoingPort(): number {
  const file = '/proc/sys/net/ipv4/ip_local_port_range';
  const first = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : usualFirstOutgoing;
  return first > lowestPort + 1000 ? first : 65_536;
}

/** Chosen by this process and perhaps not listened on yet. */
const chosen = new Set<number>();

/** A port that nobody listens on, and that no outgoing connection will be given before a part does. */
export async function freePort(random: () => number = Math.random): Promise<number> {
  const end = firstOutgoingPort();
  for (let tries = 0; tries < 200; tries += 1) {
    const port = lowestPort + Math.floor(random() * (end - lowestPort));
    if (chosen.has(port) || (await isTaken(port))) continue;
    chosen.add(port);
    return port;
  }
  throw new PipelineError('STACK_START', `no free port was found between ${lowestPort} and ${end}`, {
    hint: 'stop what listens there, or name the ports',
  });
}

/** The port wanted, or an error when somebody has it; a free one when none is wanted. */
export async function claimPort(name: string, wanted: number | undefined): Promise<number> {
  if (wanted === undefined || wanted === 0) return freePort();
  if (await isTaken(wanted))
    throw new PipelineError('STACK_START', `port ${wanted} for the ${name} is taken`, {
      hint: 'stop what listens there, or leave the port out to get a free one',
    });
  return wanted;
}

const portsFile = (home: string): string => join(home, 'ports.json');

/** What a home folder's parts listened on last, by their names; empty before the first time. */
export function readPorts(home: string): Readonly<Record<string, number>> {
  if (!existsSync(portsFile(home))) return {};
  try {
    const read: unknown = JSON.parse(readFileSync(portsFile(home), 'utf8'));
    if (typeof read !== 'object' || read === null) return {};
    return Object.fromEntries(
      Object.entries(read).filter((entry): entry is [string, number] => {
        const [, port] = entry as [string, unknown];
        return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;
      }),
    );
  } catch {
    return {}; // a file cut short by a crash: free ports, and it is written anew
  }
}

/** The port of last time, else a free one, which is kept for the next time. */
export async function keptPort(home: string, name: string, onLine: (line: string) => void): Promise<number> {
  const kept = readPorts(home)[name];
  if (kept !== undefined && !(await isTaken(kept))) return kept;
  const port = await freePort();
  if (kept !== undefined) onLine(`${name.padEnd(9)} port ${kept} is taken by somebody else, ${port} from now on`);
  writeFileSync(portsFile(home), JSON.stringify({ ...readPorts(home), [name]: port }));
  return port;
}
