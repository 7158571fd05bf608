/** Records of the unit log from a sentence: defaults for everything, only what is under test shows. */
import type { UnitRecord } from '../../schemas/generated.ts';
import { formatRevision } from '../../services/kernel/experiment-json.ts';
import type { ExperimentRevision } from '../../services/kernel/experiment.ts';

export const id16Of = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'), 'latin1');
const plain = { trace_id: null, span_id: null };
export const adopted = (revision: ExperimentRevision): UnitRecord => ({
  ...plain,
  received_at: revision.appliedAt,
  body: {
    'tripline.v1.ExperimentAdopted': {
      experiment_id: revision.spec.id,
      revision: revision.revision,
      document: formatRevision(revision),
    },
  },
});
export const tick = (at: number): UnitRecord => ({
  ...plain,
  received_at: at,
  body: { 'tripline.v1.Tick': { nothing: null } },
});

type ObservationChange = {
  readonly id: string;
  readonly unit: string;
  readonly at: number;
  readonly arm?: string;
  readonly experiment?: string;
  readonly phase?: number;
  readonly ticket?: string;
  readonly error?: boolean;
  readonly prompt?: string;
  readonly receivedAt?: number;
};
export const observed = ({
  id,
  unit,
  at,
  arm = 'A',
  experiment = 'exp-test',
  phase = 1,
  ticket,
  error = false,
  prompt = 'v1',
  receivedAt = at,
}: ObservationChange): UnitRecord => ({
  ...plain,
  received_at: receivedAt,
  body: {
    'tripline.v1.Observation': {
      event_id: id16Of(id),
      occurred_at: at,
      unit_type: experiment === 'exp-org' ? 'org' : 'user',
      unit: id16Of(unit),
      entity: ticket === undefined ? null : id16Of(ticket),
      exposures: [{ experiment_id: experiment, phase, variant: arm }],
      model_served: 'm',
      prompt_version: prompt,
      rag_index_version: null,
      tool_set_version: null,
      status: error ? 'error' : 'success',
      schema_valid: null,
      cost_nano_usd: 900 + (at % 7),
      token_in: 1,
      token_out: 1,
      latency_us: 5_000,
      ttft_us: null,
      tool_denied: 0,
      guardrails: [],
      scores: {},
      slices: {},
    },
  },
});
export const exposed = ({
  id,
  unit,
  at,
  arm = 'A',
}: {
  id: string;
  unit: string;
  at: number;
  arm?: string;
}): UnitRecord => ({
  ...plain,
  received_at: at,
  body: {
    'tripline.v1.ExposureSeen': {
      event_id: id16Of(id),
      occurred_at: at,
      unit: id16Of(unit),
      experiment_id: 'exp-test',
      phase: 1,
      variant: arm,
      entity: null,
    },
  },
});
type OutcomeChange = {
  readonly id: string;
  readonly at: number;
  readonly unit?: string;
  readonly ticket?: string;
  readonly inference?: string;
  readonly kind?: string;
  readonly revision?: number;
  readonly value?: number | null;
  readonly hop?: number;
  readonly withdrawn?: boolean;
  readonly receivedAt?: number;
  /** It named the unit by its later name. */
  readonly byAlias?: boolean;
};
export const happened = ({
  id,
  at,
  unit,
  ticket,
  inference,
  kind = 'ticket_resolved',
  revision = 1,
  value = 1_000_000,
  hop = 0,
  withdrawn = false,
  receivedAt = at,
  byAlias = false,
}: OutcomeChange): UnitRecord => ({
  ...plain,
  received_at: receivedAt,
  body: {
    'tripline.v1.OutcomeSeen': {
      outcome_id: id16Of(id),
      revision,
      occurred_at: at,
      kind,
      value,
      unit_type: byAlias ? 'alias' : 'user',
      unit: unit === undefined ? null : id16Of(unit),
      entity: ticket === undefined ? null : id16Of(ticket),
      inference: inference === undefined ? null : id16Of(inference),
      hop,
      withdrawn,
    },
  },
});
/** The unit counts under another name in that phase. */
export const elsewhere = (unit: string, phaseKey: string, at: number): UnitRecord =>
  happened({ id: phaseKey, unit, at, kind: `tripline.alias/${phaseKey}`, value: null, byAlias: true });
export const erased = (unit: string, at: number): UnitRecord =>
  happened({ id: '', unit, at, kind: 'tripline.erase', value: null });
