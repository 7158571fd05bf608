/** A process of statistics: reads control and acks, looks, and publishes what it decided, each a step of its own. */
import { type ControlTable, decide } from '../../../../services/control/index.ts';
import type { Decision } from '../../../../services/kernel/decision.ts';
import type { Evaluation } from '../../../../services/kernel/evaluation.ts';
import type { ExperimentRevision } from '../../../../services/kernel/experiment.ts';
import { createDecisionLog } from '../../../../services/statistics/decision-log.ts';
import type { Build } from './build.ts';
import { id, isStopped, type Log } from './log.ts';
import type { Reader } from './readers.ts';

/** What a look finds, and a number that changes when that does. */
export type Truth = {
  evaluate(experiment: ExperimentRevision): Evaluation;
  version(): number;
};

type Memory = {
  table: ControlTable;
  decisions: ReturnType<typeof createDecisionLog>;
  outgoing: Decision[];
  position: number;
  acks: number;
};
const nothing = (): Memory => ({
  table: new Map(),
  decisions: createDecisionLog(),
  outgoing: [],
  position: 0,
  acks: 0,
});

function read(memory: Memory, { topics }: Log, build: Build): boolean {
  const next = topics.control[memory.position];
  if (next === undefined) return false;
  const folded = build.fold(memory.table, next.record, memory.position, next.time);
  memory.table = folded.table;
  memory.decisions.take(next.record, folded.answer, topics.now);
  memory.position += 1;
  return true;
}

function hear(memory: Memory, { topics }: Log): boolean {
  const ack = topics.acks[memory.acks];
  if (ack === undefined) return false;
  memory.decisions.said.answered(ack.decision_id);
  memory.acks += 1;
  return true;
}

export type Statistics = Reader & {
  look(): boolean;
  send(): boolean;
  /** Says again what nobody answered. */
  say(): boolean;
  /** The joiner has flushed the next revision of the unit log. */
  adopt(): boolean;
};

export function createStatistics(name: string, log: Log, build: Build, truth: Truth): Statistics {
  const { topics, append } = log;
  let memory = nothing();
  let adopted = 0;
  let experiment: ExperimentRevision | undefined;
  let looked = '';
  const published: Decision[] = [];
  const hasLooked = (at: ExperimentRevision): boolean => {
    // Looks at the same are many, and say the same: one in four of them is enough.
    const seen = `${memory.position}/${at.revision}/${truth.version()}`;
    if (seen === looked && topics.now % 4 !== 0) return true;
    looked = seen;
    return false;
  };
  return {
    name,
    table: () => memory.table,
    step: () =>
      topics.now % 2 === 0
        ? hear(memory, log) || read(memory, log, build)
        : read(memory, log, build) || hear(memory, log),
    crash: () => {
      memory = nothing();
      while (hear(memory, log));
      while (read(memory, log, build));
    },
    adopt: () => {
      const next = topics.adopted[adopted];
      if (next === undefined) return false;
      adopted += 1;
      if (next.revision > (experiment?.revision ?? 0)) experiment = next;
      return true;
    },
    look: () => {
      if (experiment === undefined || hasLooked(experiment)) return false;
      const { position, decisions, table } = memory;
      const past = build.publishedIsDone ? [...decisions.applied, ...published] : decisions.applied;
      const view = { revision: table.get(id)?.revision, offset: position };
      const { state, decision } = decide(truth.evaluate(experiment), past, view);
      // What it has read of the control topic says so, or what the unit log has: that comes from the table too.
      const known = topics.truth[position];
      if (state === 'OVER' && !isStopped(experiment) && !isStopped(known))
        topics.wrong.push(`${name} says OVER at control ${position}, and the table says ${known?.status}`);
      if (decision === undefined || decisions.said.isOnItsWay(decision)) return false;
      build.number({ kind: 'decision', decision }, () => topics.control.slice(0, position).map(({ record }) => record));
      memory.outgoing.push(decision);
      return true;
    },
    send: () => {
      const decision = memory.outgoing.shift();
      if (decision === undefined) return false;
      append({ kind: 'decision', decision });
      memory.decisions.said.published(decision, topics.now);
      published.push(decision);
      return true;
    },
    say: () => {
      const due = memory.decisions.said.due(topics.now);
      for (const decision of due) append({ kind: 'decision', decision });
      return due.length > 0;
    },
  };
}
