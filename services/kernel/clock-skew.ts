/**
 * How far a service's clocks are from the broker's. Which of its hosts an event comes from nobody says, so the fastest
 * and the slowest of the last minutes are kept.
 */
import type { EpochMs } from './time.ts';

export type ClockSkew = {
  /** When these minutes began, by the broker. */
  readonly since: EpochMs;
  /** Largest and smallest lead over the broker's clock, ms; below 0 the host is behind. */
  readonly most: number;
  readonly least: number;
};

export type ServiceSkew = { readonly service: string; readonly skewMs: number };

export const skewWindowMs = 600_000;
/** Names come from apps: further services are not told apart. */
const maxServices = 256;

/** Above this nothing is promoted, unless the experiment's `health.clock_skew` says otherwise. */
export const defaultSkewLimitMs = 60_000;

const worst = ({ most, least }: ClockSkew): number => (Math.abs(most) >= Math.abs(least) ? most : least);

export function noteSkew(skews: Map<string, ClockSkew>, service: string, skewMs: number, at: EpochMs): void {
  const held = skews.get(service);
  if (held === undefined && skews.size >= maxServices) return;
  if (held === undefined || at - held.since > skewWindowMs)
    skews.set(service, { since: at, most: skewMs, least: skewMs });
  else if (skewMs > held.most || skewMs < held.least)
    skews.set(service, { ...held, most: Math.max(held.most, skewMs), least: Math.min(held.least, skewMs) });
}

/** Of all that noted it, by service; what is older than two windows before `now` says nothing any more. */
export function worstSkews(noted: Iterable<readonly [string, ClockSkew]>, now: EpochMs): ServiceSkew[] {
  const found = new Map<string, number>();
  for (const [service, skew] of noted) {
    if (now - skew.since > 2 * skewWindowMs) continue;
    const skewMs = worst(skew);
    if (Math.abs(skewMs) >= Math.abs(found.get(service) ?? 0)) found.set(service, skewMs);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([service, skewMs]) => ({ service, skewMs }));
}
