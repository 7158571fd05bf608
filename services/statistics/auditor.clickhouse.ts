/**
 * The audit as it goes on next to the looks: slice after slice, so that each costs what one experiment has in one
 * partition, and never in the way of a look. A slice that cannot be finished is said, and the next one is audited.
 */
import type { Clock } from '../kernel/time.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import { type Audit, auditSlice, auditSlices, type AuditSlice, sliceKey } from './audit.clickhouse.ts';

/** Pause before a round after one with a mismatch, ms. */
const againMs = 10_000;

/** What the last audit of every slice said. */
export type AuditState = Audit & {
  /** Slices whose last audit failed or took too long, with the reason. */
  readonly unfinished: ReadonlyMap<string, string>;
};

export type Auditor = {
  isDue(): boolean;
  /** Every slice once. True when what may be decided has changed although no checkpoint has. */
  audit(abandoned: () => boolean): Promise<boolean>;
  hasMismatch(): boolean;
  /** Undefined before the first round. */
  last(): AuditState | undefined;
};

export function createAuditor(store: Store, clock: Clock, auditMs: number): Auditor {
  const found = new Map<string, Audit>();
  const unfinished = new Map<string, string>();
  let rounds = 0;
  let due = clock.now() + auditMs;
  const mismatches = (): Audit['mismatches'] => [...found.values()].flatMap((audit) => audit.mismatches);
  const hasMismatch = (): boolean => [...found.values()].some((audit) => audit.mismatches.length > 0);
  const auditOne = async (slice: AuditSlice): Promise<void> => {
    const key = sliceKey(slice);
    try {
      found.set(key, await auditSlice(store, slice));
      unfinished.delete(key);
    } catch (error) {
      unfinished.set(key, error instanceof Error ? error.message : String(error));
    }
  };
  /** What a mismatch was found in stays under suspicion until it is audited again; slices that are gone are not. */
  const keepOnly = (slices: readonly AuditSlice[]): void => {
    const there = new Set(slices.map(sliceKey));
    for (const key of found.keys()) if (!there.has(key)) found.delete(key);
    for (const key of unfinished.keys()) if (!there.has(key)) unfinished.delete(key);
  };
  return {
    hasMismatch,
    last: () =>
      rounds === 0
        ? undefined
        : {
            mismatches: mismatches(),
            tries: Math.max(1, ...[...found.values()].map(({ tries }) => tries)),
            settled: unfinished.size === 0 && [...found.values()].every(({ settled }) => settled),
            unfinished,
          },
    isDue: () => auditMs > 0 && clock.now() >= due,
    audit: async (abandoned) => {
      const before = hasMismatch();
      const slices = await auditSlices(store);
      keepOnly(slices);
      for (const slice of slices) {
        if (abandoned()) break;
        await auditOne(slice);
      }
      rounds += 1;
      due = clock.now() + (hasMismatch() ? Math.min(auditMs, againMs) : auditMs);
      return before !== hasMismatch();
    },
  };
}
