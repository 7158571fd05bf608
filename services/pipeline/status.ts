/** What `/status` says of a stage: what it counted, where it is, what it waits for, how often it was started again. */
import { worstSkews } from '../kernel/clock-skew.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { RunningStage } from '../runtime/stage.ts';
import type { RunningStatistics } from '../statistics/look-loop.clickhouse.ts';
import type { Supervision } from './supervise-stage.ts';

export type StageStatus = {
  readonly name: string;
  readonly state: 'starting' | 'running' | 'standby' | 'pausing' | 'closed';
  readonly in: number;
  readonly forwarded: number;
  /** By reason; of the joiner also what counted for nothing in an experiment. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly parked: Readonly<Record<string, number>>;
  /** Service -> how far its clock is ahead of the broker's, ms, and how many of its times were in the future. */
  readonly clocks?: Readonly<Record<string, { readonly skewMs: number | null; readonly clamped: number }>>;
  readonly waiting: number;
  readonly waitingFor: string | null;
  /** `topic/partition` -> next offset whose predecessors are all done with; null before the first record. */
  readonly positions: Readonly<Record<string, number | null>>;
  readonly restarts: number;
  readonly lastError: string | null;
  readonly nextTryAt: string | null;
};

const isStatistics = (stage: RunningStage): stage is RunningStatistics => 'audited' in stage;

const notWhatUnitsSay = 'aggregates are not what their unit rows say, nobody is promoted; `tripline audit` names them';

/** Cells that are not what their units say stop decisions: that outranks everything else it may wait for. */
function waitingFor(stage: RunningStage): string | null {
  const audited = isStatistics(stage) ? stage.audited() : undefined;
  const mismatches = audited?.mismatches.length ?? 0;
  if (mismatches > 0) return `AUDIT_MISMATCH: ${mismatches} ${notWhatUnitsSay}`;
  const what = stage.waitingFor()?.what;
  if (what !== undefined) return cleanMessage(what);
  const [unfinished] = audited?.unfinished ?? [];
  return unfinished === undefined ? null : cleanMessage(`audit of ${unfinished[0]} unfinished: ${unfinished[1]}`);
}

function positions(stage: RunningStage): StageStatus['positions'] {
  const at = [...(stage.owned() ?? [])].sort().map((owned) => {
    const slash = owned.lastIndexOf('/');
    return [owned, stage.position(owned.slice(0, slash), Number(owned.slice(slash + 1))) ?? null] as const;
  });
  return Object.fromEntries(at);
}

function clocksOf({ counts }: RunningStage): Pick<StageStatus, 'clocks'> {
  const { skews, clamped } = counts.clocks ?? {};
  if (skews === undefined || clamped === undefined || skews.size + clamped.size === 0) return {};
  const newest = Math.max(...[...skews.values()].map(({ since }) => since));
  const worst = new Map(worstSkews(skews, newest).map(({ service, skewMs }) => [service, skewMs]));
  const services = [...new Set([...worst.keys(), ...clamped.keys()])].sort();
  return {
    clocks: Object.fromEntries(
      services.map((name) => [name, { skewMs: worst.get(name) ?? null, clamped: clamped.get(name) ?? 0 }]),
    ),
  };
}

const once: Supervision = { state: 'running', restarts: 0, lastError: undefined, nextTryAt: undefined };

export function stageStatus(name: string, stage: RunningStage | undefined, supervision = once): StageStatus {
  const { state, restarts, lastError, nextTryAt } = supervision;
  const supervised = {
    restarts,
    lastError: lastError ?? null,
    nextTryAt: nextTryAt === undefined ? null : new Date(nextTryAt).toISOString(),
  };
  if (stage === undefined)
    return {
      name,
      state,
      in: 0,
      forwarded: 0,
      dropped: {},
      parked: {},
      waiting: 0,
      waitingFor: state === 'pausing' ? (lastError ?? null) : null,
      positions: {},
      ...supervised,
    };
  const { counts } = stage;
  return {
    name,
    state: stage.owned()?.size === 0 ? 'standby' : state,
    in: counts.in,
    forwarded: counts.forwarded,
    dropped: Object.fromEntries([...counts.dropped, ...(stage.leftOut?.() ?? [])]),
    parked: Object.fromEntries(counts.parked),
    ...clocksOf(stage),
    waiting: counts.waiting,
    waitingFor: waitingFor(stage),
    positions: positions(stage),
    ...supervised,
  };
}
