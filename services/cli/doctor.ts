/** `doctor`: what this machine has, and the first broken link of a running stack. */
import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../infra/embedded/child.ts';
import { javaVersion } from '../../infra/embedded/kafka/broker.ts';
import { readStack } from './stack-file.ts';
import { checkParts } from './check-parts.ts';
import { paint, print, printJson } from './terminal.ts';

const leastBytes = 500e6;
const isNodeNewEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
};

export async function doctor(home: string, json: boolean): Promise<number> {
  const java = await javaVersion();
  const disk = statfsSync(existsSync(home) ? home : '.');
  const free = disk.bavail * disk.bsize;
  const running = readStack(home);
  const stack =
    running && isAlive(running.pid)
      ? (await checkParts(running)).map((entry) => ({ ...entry, hint: `see ${join(home, 'logs')}` }))
      : [{ name: 'stack', ok: false, detail: `not running in ${home}`, hint: 'npx tripline up' }];
  const findings = [
    {
      name: 'Node.js',
      ok: isNodeNewEnough(process.versions.node),
      detail: process.versions.node,
      hint: 'install Node.js 20.19 or newer',
    },
    {
      name: 'Java',
      ok: java !== undefined && java >= 17,
      detail: java === undefined ? 'not found' : String(java),
      hint: 'install Java 17 or newer, or set KAFKA_BROKERS',
    },
    {
      name: 'disk',
      ok: free > leastBytes,
      detail: `${Math.round(free / 1e6)} MB free`,
      hint: 'free some space or choose another --home',
    },
    ...stack,
  ];
  if (json) printJson(findings);
  else
    for (const { name, ok, detail, hint } of findings)
      print(
        `${ok ? paint.green('ok  ') : paint.red('fail')}  ${name.padEnd(9)} ${detail}${ok ? '' : `   hint: ${hint}`}`,
      );
  return findings.every(({ ok }) => ok) ? 0 : 2;
}
