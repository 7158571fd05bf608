/** Whoever reads the control topic, each at its own pace, with the functions that run. A step is one record or write. */
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
import { type ControlTable, decide } from '../../../../services/control/index.ts';
import { createServed } from '../../../../services/emitter/served.ts';
import type { Decision } from '../../../../services/kernel/decision.ts';
import type { Evaluation } from '../../../../services/kernel/evaluation.ts';
import type { ExperimentRevision } from '../../../../services/kernel/experiment.ts';
import { createDecisionLog } from '../../../../services/statistics/decision-log.ts';
import type { Build } from './build.ts';
import { givesControl, id, isStopped, type Log } from './log.ts';

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
  const restart = (): void => {
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
    crash: restart,
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

export type Mood = 'calm' | 'harm' | 'signal' | 'win';
/** A process of statistics: reads control and acks, looks, and publishes what it decided, each a step of its own. */
export function createStatistics(
  name: string,
  log: Log,
  build: Build,
  evaluate: (experiment: ExperimentRevision) => Evaluation,
  mood: () => number,
): Reader & { look(): boolean; send(): boolean; say(): boolean; adopt(): boolean } {
  const { topics, append } = log;
  let table: ControlTable = new Map();
  let decisions = createDecisionLog();
  let position = 0;
  let acks = 0;
  let adopted = 0;
  let experiment: ExperimentRevision | undefined;
  let outgoing: Decision[] = [];
  let looked = '';
  const published: Decision[] = [];
  const read = (): boolean => {
    const next = topics.control[position];
    if (next === undefined) return false;
    const folded = build.fold(table, next.record, position, next.time);
    table = folded.table;
    decisions.take(next.record, folded.answer, topics.now);
    position += 1;
    return true;
  };
  const hear = (): boolean => {
    const ack = topics.acks[acks];
    if (ack === undefined) return false;
    decisions.said.answered(ack.decision_id);
    acks += 1;
    return true;
  };
  return {
    name,
    table: () => table,
    step: () => (topics.now % 2 === 0 ? hear() || read() : read() || hear()),
    crash: () => {
      table = new Map();
      decisions = createDecisionLog();
      outgoing = [];
      [position, acks] = [0, 0];
      while (hear());
      while (read());
    },
    /** The joiner has flushed the next revision of the unit log. */
    adopt: () => {
      const next = topics.adopted[adopted];
      if (next === undefined) return false;
      adopted += 1;
      if (next.revision > (experiment?.revision ?? 0)) experiment = next;
      return true;
    },
    look: () => {
      if (experiment === undefined) return false;
      // Looks at the same are many, and say the same: one in four of them is enough.
      const seen = `${position}/${experiment.revision}/${mood()}`;
      if (seen === looked && topics.now % 4 !== 0) return false;
      looked = seen;
      const past = build.publishedIsDone ? [...decisions.applied, ...published] : decisions.applied;
      const view = { revision: table.get(id)?.revision, offset: position };
      const { state, decision } = decide(evaluate(experiment), past, view);
      // What it has read of the control topic says so, or what the unit log has: that comes from the table too.
      const truth = topics.truth[position];
      if (state === 'OVER' && !isStopped(experiment) && !isStopped(truth))
        topics.wrong.push(`${name} says OVER at control ${position}, and the table says ${truth?.status}`);
      if (decision === undefined || decisions.said.isOnItsWay(decision)) return false;
      build.number(
        { kind: 'decision', decision },
        topics.control.slice(0, position).map(({ record }) => record),
      );
      outgoing.push(decision);
      return true;
    },
    send: () => {
      const decision = outgoing.shift();
      if (decision === undefined) return false;
      append({ kind: 'decision', decision });
      decisions.said.published(decision, topics.now);
      published.push(decision);
      return true;
    },
    say: () => {
      const due = decisions.said.due(topics.now);
      for (const decision of due) append({ kind: 'decision', decision });
      return due.length > 0;
    },
  };
}
