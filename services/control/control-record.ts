/** What changes an experiment: one record of the control topic. Its offset there is its number. */
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';

/** A file that a person applied, resolved. */
export type Application = {
  readonly applyId: string;
  readonly experimentId: string;
  /** Undefined: the record holds no specification that can be read. */
  readonly spec: ExperimentSpec | undefined;
  readonly configSha: string;
  readonly author: string;
  readonly reason: string;
  readonly traceId: string;
};

export type ControlRecord =
  | { readonly kind: 'apply'; readonly application: Application }
  | { readonly kind: 'decision'; readonly decision: Decision };

export const idOf = (record: ControlRecord): string =>
  record.kind === 'apply' ? record.application.applyId : record.decision.decisionId;
export const experimentOf = (record: ControlRecord): string =>
  record.kind === 'apply' ? record.application.experimentId : record.decision.experimentId;
