/** When the aggregates are audited, and what the last audit said. */
import type { Clock } from '../kernel/time.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { type Audit, auditAggregates } from './audit.clickhouse.ts';

/** Pause before an audit after one with a mismatch, ms. */
const againMs = 10_000;

export type Auditor = {
  isDue(): boolean;
  /** True when what may be decided has changed although no checkpoint has. */
  audit(): Promise<boolean>;
  hasMismatch(): boolean;
  last(): Audit | undefined;
};

export function createAuditor(store: Store, clock: Clock, auditMs: number): Auditor {
  let last: Audit | undefined;
  let due = clock.now() + auditMs;
  const hasMismatch = (): boolean => (last?.mismatches.length ?? 0) > 0;
  return {
    hasMismatch,
    last: () => last,
    isDue: () => auditMs > 0 && clock.now() >= due,
    audit: async () => {
      const before = hasMismatch();
      last = await auditAggregates(store);
      due = clock.now() + (hasMismatch() ? Math.min(auditMs, againMs) : auditMs);
      return before !== hasMismatch();
    },
  };
}
