/** What a bot knows, and what it makes of a control record: the fold's answer, and the acks that say so. */
import type { Ack } from '../../schemas/generated.ts';
import {
  type ControlAnswer,
  type ControlRecord,
  type ControlTable,
  type ExperimentControl,
  experimentOf,
  foldControl,
  idOf,
} from '../control/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { ActuatorResult, Order } from './actuator.ts';

export type BotMemory = {
  /** The control topic as far as this bot has folded it. */
  table: ControlTable;
  /** Newest revision of each experiment that this bot or another has put in force: for those who look. */
  readonly experiments: Map<string, ExperimentRevision>;
  /** What was written before control records were folded: where the fold begins. */
  beginning: ControlTable;
  /** `number/actuator` of every ack there is. */
  readonly acked: Set<string>;
};

export const createMemory = (): BotMemory => ({
  table: new Map(),
  experiments: new Map(),
  beginning: new Map(),
  acked: new Set(),
});

const place = (number: number, actuator: string): string => `${number}/${actuator}`;
export const isAcked = ({ acked }: BotMemory, number: number, actuator: string): boolean =>
  acked.has(place(number, actuator));
export const rememberAck = ({ acked }: BotMemory, number: number, actuator: string): void => {
  acked.add(place(number, actuator));
};

export function rememberRevision({ experiments }: BotMemory, revision: ExperimentRevision): void {
  if ((experiments.get(revision.spec.id)?.revision ?? 0) < revision.revision)
    experiments.set(revision.spec.id, revision);
}

export type Plan = {
  readonly number: number;
  readonly record: ControlRecord;
  readonly answer: ControlAnswer;
  /** What is known once the record is obeyed. */
  readonly table: ControlTable;
  readonly known: ExperimentControl | undefined;
  /** What has to be put in force; undefined: nothing changes. */
  readonly changed: ExperimentRevision | undefined;
};

export function planOf(
  { table }: BotMemory,
  record: ControlRecord,
  number: number,
  time: EpochMs,
  fold = foldControl,
): Plan {
  const folded = fold(table, record, number, time);
  const { before, after } = folded.answer;
  const known = folded.table.get(experimentOf(record));
  return { ...folded, number, record, known, changed: after === before ? undefined : after };
}

export function rememberPlan(memory: BotMemory, { table, known }: Plan): void {
  memory.table = table;
  if (known !== undefined) rememberRevision(memory, known.revision);
}

export const orderOf = (record: ControlRecord, number: number): Order => ({
  number,
  id: idOf(record),
  experimentId: experimentOf(record),
  ...(record.kind === 'apply'
    ? { action: 'apply', reasonCode: 'APPLY', actor: record.application.author }
    : { action: record.decision.action, reasonCode: record.decision.reasonCode, actor: record.decision.actor }),
});

/** An actuator that refuses leaves what it steers as it was; the fold's answer stands. */
export function ackOf(
  { record, answer, number }: Plan,
  done: { readonly actuator: string; readonly result: ActuatorResult; readonly at: EpochMs },
): Ack {
  const { before, after } = answer;
  const hasRefused = done.result.kind === 'refused';
  const inForce = hasRefused ? before : after;
  return {
    decision_id: idOf(record),
    experiment_id: experimentOf(record),
    phase: inForce?.phase ?? 0,
    seq: 0,
    actuator: done.actuator,
    previous_coverage: before?.coverage ?? 0,
    new_coverage: inForce?.coverage ?? 0,
    revision: inForce?.revision ?? 0,
    applied_at: done.at,
    result: hasRefused ? 'refused' : answer.result,
    trace_id: record.kind === 'apply' ? record.application.traceId : record.decision.traceId,
    control_offset: number,
    code: hasRefused ? 'actuator-refused' : answer.code,
    reason: hasRefused ? `${done.actuator} refuses; its own log says why` : answer.reason,
  };
}
