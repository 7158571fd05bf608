/** What happens to an experiment. A verdict is about a record; a decision is about an experiment. */
import type { EpochMs } from './time.ts';

export type DecisionAction = 'pause' | 'resume' | 'advance' | 'promote' | 'rollback' | 'stop' | 'conclude' | 'end';

/** Immutable, and a pure function of the log up to its version vector: recomputed later, it gives the same bytes. */
export type Decision = {
  /** First 32 hex digits of SHA-256 over experiment, phase, rule and version vector. */
  readonly decisionId: string;
  readonly experimentId: string;
  readonly phase: number;
  readonly action: DecisionAction;
  /** HARM, SIGNAL, SRM, WIN, HORIZON, RAMP_NEXT, KILL ... */
  readonly reasonCode: string;
  readonly ruleId: string;
  readonly ruleVersion: number;
  /** The candidate arm it is about. */
  readonly candidate?: string;
  readonly metric?: string;
  readonly testStart?: string;
  readonly estimate?: number;
  readonly logE?: number;
  /** log(1 / alpha) that it was compared with. */
  readonly threshold?: number;
  readonly alpha?: number;
  readonly watermark?: EpochMs;
  readonly eventsFolded: number;
  readonly versionVector: readonly { readonly partitionId: number; readonly position: number }[];
  readonly configSha: string;
  readonly revision: number;
  /** Canonical JSON of everything it rests on: sums, design constants, weights. */
  readonly evidence: string;
  readonly actor: string;
  /** Who decided by hand says why; engines leave it to the evidence. */
  readonly note?: string;
  /**
   * Next offset of the control topic that was folded when it was decided; absent where nothing was (people's commands).
   * Its own number is its offset there, which nobody knows before it is written.
   */
  readonly controlOffset?: number;
  /** 32 hex digits. */
  readonly traceId: string;
};
