/** Whoever reads the control topic, each at its own pace, with the functions that run. A step: one record or write. */
import {
  ackOf,
  type BotMemory,
  createMemory,
  isAcked,
  type Plan,
  planOf,
  rememberAck,
  rememberPlan,
} from '../../../../services/bot/obey.ts';
import type { ControlTable } from '../../../../services/control/index.ts';
import { createServed } from '../../../../services/emitter/served.ts';
import type { ExperimentRevision } from '../../../../services/kernel/experiment.ts';
import type { Build } from './build.ts';
import { givesControl, id, type Log } from './log.ts';

/** Each says whether there was anything to do. */
export type Reader = {
  readonly name: string;
  step(): boolean;
  /** Forgets everything, and starts as its process would. */
  crash(): void;
  table(): ControlTable;
};

const builtIn = 'experiment-topic';

export function createBot(name: string, { topics }: Log, build: Build): Reader {
  let memory: BotMemory = createMemory();
  let position = 0;
  let heardPhase = 0;
  let heard = 0;
  let work: { readonly plan: Plan; stage: 'unit' | 'checkpoint' | 'ack' } | undefined;
  const forget = (): void => {
    memory = createMemory();
    for (const ack of topics.acks) rememberAck(memory, ack.control_offset ?? 0, ack.actuator);
    position = 0;
    work = undefined;
  };
  const begin = (): boolean => {
    const next = topics.control[position];
    if (next === undefined) return false;
    const { record, time } = next;
    const plan = planOf(memory, record, position, time, build.fold);
    position += 1;
    if (build.dropsUnheardPhase && record.kind === 'decision' && heardPhase < (plan.answer.before?.phase ?? 0))
      return true;
    const isDone = isAcked(memory, plan.number, builtIn);
    if (isDone) rememberPlan(memory, plan);
    else work = { plan, stage: plan.changed === undefined ? 'ack' : 'unit' };
    return true;
  };
  return {
    name,
    table: () => memory.table,
    crash: forget,
    step: () => {
      if (work === undefined) {
        // Its other follower comes along less often.
        const checkpoint = topics.checkpoints[heard];
        if (checkpoint !== undefined && topics.now % 3 === 0) {
          heard += 1;
          heardPhase = Math.max(heardPhase, checkpoint.revision.phase);
        }
        return begin();
      }
      const { plan, stage } = work;
      if (stage === 'unit') {
        topics.adopted.push(plan.changed as ExperimentRevision);
        work.stage = 'checkpoint';
      } else if (stage === 'checkpoint') {
        if (plan.known) topics.checkpoints.push(plan.known);
        work.stage = 'ack';
      } else {
        const ack = ackOf(plan, { actuator: builtIn, result: { kind: 'in-force' }, at: topics.now });
        topics.acks.push(ack);
        rememberAck(memory, plan.number, builtIn);
        rememberPlan(memory, plan);
        work = undefined;
      }
      return true;
    },
  };
}

/** An assigner: checkpoints, and the control topic folded onto them. */
export function createAssigner(
  name: string,
  { topics }: Log,
  build: Build,
): Reader & { served(): ExperimentRevision | undefined } {
  let table: ControlTable = new Map();
  let served = createServed([]);
  let position = 0;
  let heard = 0;
  const serve = (revision: ExperimentRevision | undefined): void => {
    const before = served.table().revisions.get(id);
    if (revision === undefined || !served.take(revision)) return;
    if (givesControl(before) && !givesControl(revision) && before?.phase === revision.phase)
      topics.wrong.push(`${name} serves revision ${revision.revision}: a stopped arm came back`);
  };
  const takeCheckpoint = (at: number): void => {
    const checkpoint = topics.checkpoints[at];
    if (checkpoint === undefined) return;
    table = build.merge(table, checkpoint);
    served.heard(checkpoint.revision);
    serve(table.get(id)?.revision);
  };
  const start = (): void => {
    table = new Map();
    served = createServed([]);
    position = 0;
    // Compaction keeps the last; the control topic waits for it.
    heard = topics.checkpoints.length;
    takeCheckpoint(heard - 1);
  };
  return {
    name,
    table: () => table,
    served: () => served.table().revisions.get(id),
    crash: start,
    step: () => {
      const next = topics.control[position];
      const isCheckpointDue = heard < topics.checkpoints.length && (next === undefined || topics.now % 2 === 0);
      if (isCheckpointDue) {
        takeCheckpoint(heard);
        heard += 1;
        return true;
      }
      if (next === undefined) return false;
      if ((table.get(id)?.upTo ?? 0) <= position) {
        const folded = build.fold(table, next.record, position, next.time);
        table = folded.table;
        serve(folded.answer.after);
      }
      position += 1;
      return true;
    },
  };
}
