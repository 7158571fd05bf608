/** One telling of the story: what it is asked, what it says on its way, and what it ends with. */
import { parseExperimentFile } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { Clock, EpochMs } from '../kernel/time.ts';
import type { Addresses } from '../pipeline/connect.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import type { ReplaySummary } from '../replay/summary.ts';
import { storyExperiment } from './story.ts';

export type DemoEvent =
  | {
      readonly kind: 'progress';
      readonly storyNow: EpochMs;
      readonly calls: number;
      readonly perSecond: number;
      readonly evaluation: Evaluation | undefined;
    }
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'ack'; readonly coverage: number; readonly afterMs: number }
  | { readonly kind: 'switched'; readonly app: number; readonly afterMs: number };

export type DemoResult = ReplaySummary & {
  readonly demo: {
    readonly ok: boolean;
    readonly problems: readonly string[];
    readonly onset: string;
    readonly decision_to_last_candidate_ms: number | null;
    readonly decision_to_switch_ms: readonly number[];
    readonly kept_from_candidate: number;
    readonly planted: number;
    readonly replaced: Readonly<Record<string, number>>;
    readonly calls: number;
  };
};

export type DemoOptions = Addresses & {
  readonly home: string;
  readonly prefix: string;
  readonly database: string;
  readonly seed: number;
  readonly clock: Clock;
  readonly pseudonymKey: Uint8Array;
  readonly redaction?: RedactionPolicy;
  readonly onEvent: (event: DemoEvent) => void;
  /** Keeps the pipeline open after the end, until it resolves. */
  readonly keep?: Promise<unknown>;
  /** Ends the story early: every process of it is gone when the promise of `runDemo` settles. */
  readonly interrupted?: Promise<unknown>;
  readonly onFinished?: (result: DemoResult) => void;
};

export type Telling = {
  readonly options: DemoOptions;
  readonly spec: ExperimentSpec;
  readonly sha: string;
  readonly began: EpochMs;
  /** When the desks open; their clock stands still until then. */
  startAt: EpochMs;
  /** When the rollback was decided. */
  decidedAt: EpochMs | undefined;
};

export function readStory(options: DemoOptions): Telling {
  const parsed = parseExperimentFile(storyExperiment, 'story');
  if (!parsed.ok)
    throw new PipelineError('EXPERIMENT_INVALID', parsed.problems.map(({ message }) => message).join('\n'));
  const { spec, sha } = parsed;
  const began = options.clock.now();
  return { options, spec, sha, began, startAt: Number.POSITIVE_INFINITY, decidedAt: undefined };
}

/** Since the decision, or 0 when there is none yet. */
export const afterDecision = ({ decidedAt }: Telling, at: EpochMs): number => at - (decidedAt ?? at);
