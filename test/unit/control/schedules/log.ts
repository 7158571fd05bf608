/** The topics of one schedule: what was written, in its order, and what really holds after each control record. */
import type { ControlRecord, ControlTable, ExperimentControl } from '../../../../services/control/index.ts';
import type { Ack } from '../../../../schemas/generated.ts';
import type { ExperimentRevision } from '../../../../services/kernel/experiment.ts';
import { monday } from '../../../support/build.ts';
import type { Build } from './build.ts';

export const id = 'exp-test';

export type Topics = {
  now: number;
  readonly control: { readonly record: ControlRecord; readonly time: number }[];
  /** What the experiment is before the control record of that offset: the truth that every reader is held to. */
  readonly truth: (ExperimentRevision | undefined)[];
  readonly checkpoints: ExperimentControl[];
  /** Revisions in the unit log, and what counts by now. */
  readonly adopted: ExperimentRevision[];
  readonly acks: Ack[];
  readonly wrong: string[];
};

export function createTopics(build: Build) {
  let table: ControlTable = new Map();
  const topics: Topics = {
    now: monday,
    control: [],
    truth: [undefined],
    checkpoints: [],
    adopted: [],
    acks: [],
    wrong: [],
  };
  return {
    topics,
    append: (record: ControlRecord): void => {
      const offset = topics.control.length;
      topics.control.push({ record, time: topics.now });
      table = build.fold(table, record, offset, topics.now).table;
      topics.truth.push(table.get(id)?.revision);
    },
    table: (): ControlTable => table,
  };
}
export type Log = ReturnType<typeof createTopics>;

export const isStopped = (revision: ExperimentRevision | undefined): boolean =>
  revision !== undefined && revision.status !== 'running' && revision.status !== 'paused';
/** Nobody but whoever a promotion names has a candidate. */
export const givesControl = (revision: ExperimentRevision | undefined): boolean =>
  isStopped(revision) && revision?.status !== 'promoted';
