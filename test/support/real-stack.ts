/**
 * One embedded stack for all suites on real parts: real Kafka, the real ClickHouse engine, the registry. Suites keep
 * apart by prefix and database.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../infra/embedded/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly addresses: { readonly brokers: string; readonly clickhouseUrl: string; readonly registryUrl: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'tripline-suites-'));
  const stack = await startEmbedded({ home });
  project.provide('addresses', {
    brokers: stack.brokers,
    clickhouseUrl: stack.clickhouseUrl,
    registryUrl: stack.registryUrl,
  });
  return async () => {
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  };
}
