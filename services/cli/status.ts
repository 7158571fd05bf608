/** `status` and `doctor`: what runs, what is missing. They load clients only when there is something to ask. */
import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../infra/embedded/child.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import type { StageStatus } from './stack.ts';
import { readStack, type StackState } from './stack-file.ts';
import { paint, print, printJson, table } from './terminal.ts';

export async function status(home: string, json: boolean): Promise<number> {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid)) {
    if (json) printJson({ running: false, home });
    else print(`nothing runs in ${home}; \`npx tripline up\` starts it`);
    return 2;
  }
  const checks = await check(running);
  const stages = running.probeUrl ? ((await (await fetch(`${running.probeUrl}/status`)).json()) as StageStatus[]) : [];
  const degraded = checks.some(({ ok }) => !ok) || stages.some(({ waitingFor }) => waitingFor !== null);
  if (json) printJson({ running: true, home, degraded, parts: checks, stages });
  else {
    print(table(checks.map(({ name, ok, detail }) => [name, ok ? paint.green('ready') : paint.red('down'), detail])));
    print(
      table([
        ['stage', 'in', 'forwarded', 'dropped', 'parked', 'waiting', 'waiting for'],
        ...stages.map((stage) => [
          stage.name,
          String(stage.in),
          String(stage.forwarded),
          JSON.stringify(stage.dropped),
          JSON.stringify(stage.parked),
          String(stage.waiting),
          stage.waitingFor ?? '-',
        ]),
      ]),
    );
  }
  return degraded ? 2 : 0;
}

async function check(running: StackState): Promise<{ name: string; ok: boolean; detail: string }[]> {
  const attempt = async (
    name: string,
    address: string,
    run: () => Promise<void>,
  ): Promise<{ name: string; ok: boolean; detail: string }> => {
    try {
      await Promise.race([run(), wait(5_000).then(() => Promise.reject(new Error('no answer within 5 s')))]);
      return { name, ok: true, detail: address };
    } catch (error) {
      return { name, ok: false, detail: `${address}: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
  return Promise.all([
    attempt('broker', running.brokers, async () => {
      const { createKafka } = await import('../runtime/kafka-log.ts');
      const log = createKafka({ brokers: running.brokers, clientId: 'tripline-status' });
      await log.ping();
      await log.close();
    }),
    attempt('store', running.clickhouseUrl, async () => {
      const { createStore } = await import('../runtime/clickhouse-client.ts');
      const store = await createStore({ url: running.clickhouseUrl, database: 'default' });
      await store.ping();
      await store.close();
    }),
    attempt('registry', running.registryUrl, () => createRegistryClient({ url: running.registryUrl }).ping()),
  ]);
}

/** What this machine has, and the first broken link of a running stack. */
export async function doctor(home: string, json: boolean): Promise<number> {
  const { javaVersion } = await import('../../infra/embedded/kafka/broker.ts');
  const java = await javaVersion();
  const disk = statfsSync(existsSync(home) ? home : '.');
  const free = disk.bavail * disk.bsize;
  const node = process.versions.node.split('.').map(Number);
  const running = readStack(home);
  const findings = [
    {
      name: 'Node.js',
      ok: (node[0] ?? 0) > 20 || ((node[0] ?? 0) === 20 && (node[1] ?? 0) >= 19),
      detail: process.versions.node,
      hint: 'install Node.js 20.19 or newer',
    },
    {
      name: 'Java',
      ok: java !== undefined && java >= 17,
      detail: java === undefined ? 'not found' : String(java),
      hint: 'install Java 17 or newer, or set KAFKA_BROKERS, CLICKHOUSE_URL and SCHEMA_REGISTRY_URL',
    },
    {
      name: 'disk',
      ok: free > 500e6,
      detail: `${Math.round(free / 1e6)} MB free`,
      hint: 'free some space or choose another --home',
    },
    ...(running && isAlive(running.pid)
      ? (await check(running)).map((entry) => ({ ...entry, hint: `see ${join(home, 'logs')}` }))
      : [{ name: 'stack', ok: false, detail: `not running in ${home}`, hint: 'npx tripline up' }]),
  ];
  if (json) printJson(findings);
  else
    for (const { name, ok, detail, hint } of findings)
      print(
        `${ok ? paint.green('ok  ') : paint.red('fail')}  ${name.padEnd(9)} ${detail}${ok ? '' : `   cure: ${hint}`}`,
      );
  return findings.every(({ ok }) => ok) ? 0 : 2;
}
