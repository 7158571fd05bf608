/** Whether the three parts answer, each within 5 s: what `status` and `doctor` ask. */
import { setTimeout as wait } from 'node:timers/promises';
import { cleanMessage } from '../redaction/messages.ts';
import { createRegistryClient } from '../runtime/registry-client.ts';
import { givenAddresses } from './addresses.ts';
import type { StackState } from './stack-file.ts';

export type PartCheck = { readonly name: string; readonly ok: boolean; readonly detail: string };

const answerMs = 5_000;

async function attempt(name: string, address: string, run: () => Promise<void>): Promise<PartCheck> {
  try {
    const late = wait(answerMs, undefined, { ref: false }).then(() => {
      throw new Error(`no answer within ${answerMs / 1_000} s`);
    });
    await Promise.race([run(), late]);
    return { name, ok: true, detail: address };
  } catch (error) {
    const message = cleanMessage(error instanceof Error ? error.message : String(error));
    return { name, ok: false, detail: `${address}: ${message}` };
  }
}

export function checkParts(running: StackState): Promise<PartCheck[]> {
  const { user, password } = running.embedded?.includes('store') === false ? givenAddresses() : {};
  const whose = (name: 'broker' | 'store' | 'registry', address: string): string =>
    running.embedded === undefined || running.embedded.includes(name) ? address : `${address} (given)`;
  return Promise.all([
    attempt('broker', whose('broker', running.brokers), async () => {
      const { createKafka } = await import('../runtime/kafka-log.ts');
      const log = createKafka({ brokers: running.brokers, clientId: 'tripline-status' });
      await log.ping();
      await log.close();
    }),
    attempt('store', whose('store', running.clickhouseUrl), async () => {
      const { createStore } = await import('../runtime/clickhouse-client.ts');
      const store = await createStore({
        url: running.clickhouseUrl,
        database: 'default',
        ...(user !== undefined && { user }),
        ...(password !== undefined && { password }),
      });
      await store.ping();
      await store.close();
    }),
    attempt('registry', whose('registry', running.registryUrl), () =>
      createRegistryClient({ url: running.registryUrl }).ping(),
    ),
  ]);
}
