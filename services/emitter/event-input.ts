/** What an app says to the emitter's calls. Left out is unknown. */
import type { InferenceEvent, InferenceStatus } from '../../schemas/generated.ts';
import type { Assignment } from '../assignment/index.ts';
import type { EpochMs } from '../kernel/time.ts';

export type InferenceInput = {
  /** Assignments under which the call was made: what `assign` returned. */
  readonly arms?: readonly Assignment[];
  /**
   * An id that `record` returned: says that this is the same call again (a retry of the app's own); it is counted once.
   */
  readonly eventId?: string;
  readonly userId?: string;
  readonly orgId?: string;
  readonly sessionId?: string;
  readonly entity?: { readonly type: string; readonly id: string };
  readonly traceparent?: string;
  /** Now, unless said: epoch milliseconds, a Date, or RFC 3339 text (without a zone: UTC). */
  readonly occurredAt?: EpochMs | Date | string;
  readonly operation?: string;
  readonly provider?: string;
  readonly modelRequested?: string;
  readonly modelServed?: string;
  readonly promptName?: string;
  readonly promptVersion?: string;
  readonly ragIndexVersion?: string;
  readonly toolSetVersion?: string;
  /**
   * Whole counts: a fraction is left out and told in `stats()`. Cached input is part of tokenIn, reasoning part of
   * tokenOut. `tokenSource`: provider unless said.
   */
  readonly tokenIn?: number;
  readonly tokenOut?: number;
  readonly tokenCacheRead?: number;
  readonly tokenCacheWrite?: number;
  readonly tokenReasoning?: number;
  readonly tokenSource?: 'provider' | 'estimated';
  /** 1e-9 USD; leave it out when the price is unknown. */
  readonly costNanoUsd?: number;
  readonly priceTableVersion?: string;
  readonly latencyMs?: number;
  readonly ttftMs?: number;
  readonly status?: InferenceStatus;
  readonly errorType?: string;
  readonly finishReasons?: readonly string[];
  readonly attempts?: number;
  readonly schemaValid?: boolean;
  readonly schemaRepairs?: number;
  readonly guardrails?: InferenceEvent['guardrails'];
  readonly toolCalls?: InferenceEvent['tool_calls'];
  readonly retrieval?: InferenceEvent['retrieval'];
  readonly scores?: Readonly<Record<string, number>>;
  readonly slices?: Readonly<Record<string, string>>;
  readonly prompt?: string;
  readonly response?: string;
  readonly attributes?: Readonly<Record<string, string>>;
};
/** Two or more ids of one unit. */
export type AliasInput = { readonly userId?: string; readonly orgId?: string; readonly sessionId?: string };
/** Says what it is about by one of entity, unit or inferenceId; `arms` names the units of earlier assignments. */
export type OutcomeInput = {
  readonly entity?: { readonly type: string; readonly id: string };
  /** A user's id. For others say orgId or sessionId. */
  readonly unit?: string;
  readonly userId?: string;
  readonly orgId?: string;
  readonly sessionId?: string;
  readonly inferenceId?: string;
  readonly arms?: readonly Assignment[];
  /** null retracts. */
  readonly value: number | null;
  readonly outcomeId?: string;
  readonly revision?: number;
  /** As in `record`. */
  readonly occurredAt?: EpochMs | Date | string;
  readonly traceparent?: string;
  readonly source?: string;
  readonly attributes?: Readonly<Record<string, string>>;
};
