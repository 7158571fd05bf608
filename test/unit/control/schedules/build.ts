/** What of the control path a schedule runs: the real functions, or one of them broken. */
import { type ControlRecord, foldControl, idOf, mergeCheckpoint } from '../../../../services/control/index.ts';

export type Build = {
  readonly fold: typeof foldControl;
  readonly merge: typeof mergeCheckpoint;
  /** The bot asks its other follower for the phase, and drops what that has not heard of. */
  readonly dropsUnheardPhase: boolean;
  /** Statistics counts a decision as done when it has published it. */
  readonly publishedIsDone: boolean;
  /** Called by whoever writes a record, with what it has read: older builds count there. */
  readonly number: (record: ControlRecord, read: () => readonly ControlRecord[]) => void;
};

export const working = (): Build => ({
  fold: foldControl,
  merge: mergeCheckpoint,
  dropsUnheardPhase: false,
  publishedIsDone: false,
  number: () => {},
});

const mark = 'seq:';

/** Each writer counts one up from what it has read, and what is not above the last number is ignored. */
function numbered(): Build {
  const numbers = new Map<string, number>();
  const top = (read: readonly ControlRecord[]): number =>
    read.reduce((most, record) => Math.max(most, numbers.get(idOf(record)) ?? 0), 0);
  return {
    ...working(),
    number: (record, read) => {
      if (!numbers.has(idOf(record))) numbers.set(idOf(record), top(read()) + 1);
    },
    fold: (table, record, offset, time) => {
      const number = numbers.get(idOf(record)) ?? 0;
      const [known] = table.values();
      const last = Number(known?.taken.find((id) => id.startsWith(mark))?.slice(mark.length) ?? 0);
      const folded = foldControl(table, record, offset, time);
      const [next] = folded.table.values();
      if (next === undefined) return folded;
      const isOld = number <= last;
      const control = isOld && known !== undefined ? known : next;
      const taken = [...control.taken.filter((id) => !id.startsWith(mark)), `${mark}${Math.max(number, last)}`];
      const { before } = folded.answer;
      return {
        table: new Map(folded.table).set(control.revision.spec.id, { ...control, upTo: offset + 1, taken }),
        answer: isOld ? { ...folded.answer, result: 'superseded', code: 'no-change', after: before } : folded.answer,
      };
    },
  };
}

export const brokenBuilds: Readonly<Record<string, () => Build>> = {
  'number read then written': numbered,
  'phase dropped': () => ({ ...working(), dropsUnheardPhase: true }),
  'last writer wins': () => ({
    ...working(),
    merge: (table, checkpoint) => new Map(table).set(checkpoint.revision.spec.id, checkpoint),
  }),
  'published taken for obeyed': () => ({ ...working(), publishedIsDone: true }),
};
