/**
 * Whether the three parts answer, each within 5 s: what `status` and `doctor` ask. A client loads when there is
 * somebody to ask, redaction when there is an error to clean.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createRegistryClient } from '../runtime/registry-client.ts';
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
    const { cleanMessage } = await import('../redaction/messages.ts');
    const message = cleanMessage(error instanceof Error ? error.message : String(error));
    return { name, ok: false, detail: `${address}: ${message}` };
  }
}

/** Of a store that was given; the embedded one asks for none. */
async function storeCredentials({ embedded }: StackState): Promise<{ user?: string; password?: string }> {
  if (embedded === undefined || embedded.includes('store')) return {};
  const { user, password } = (await import('./addresses.ts')).givenAddresses();
  return { ...(user !== undefined && { user }), ...(password !== undefined && { password }) };
}

export async function checkParts(running: StackState): Promise<PartCheck[]> {
  const credentials = await storeCredentials(running);
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
      const store = await createStore({ url: running.clickhouseUrl, database: 'default', ...credentials });
      await store.ping();
      await store.close();
    }),
    attempt('registry', whose('registry', running.registryUrl), () =>
      createRegistryClient({ url: running.registryUrl }).ping(),
    ),
  ]);
}
