/**
 * Where a reader stands, held against what its partition still has. A gap: records between its position and the log's
 * start are gone. A cut: the log ends before its position, so it was made anew or lost its end, and what comes next
 * would be taken for what is known already. Neither is ever passed over in silence.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';

type Bounds = { readonly first: number; readonly end: number };

/** `from`: the position of the reader; `to`: where the log begins (a gap) or ends (a cut). */
export type Hole = {
  readonly kind: 'gap' | 'cut';
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
};

export function holeAt(topic: string, partition: number, position: number, { first, end }: Bounds): Hole | undefined {
  if (position < first) return { kind: 'gap', topic, partition, from: position, to: first };
  if (position > end) return { kind: 'cut', topic, partition, from: position, to: end };
  return undefined;
}

/** As `TRIPLINE_ACCEPT_GAP` names it: this one hole, no other that may come. */
export const nameOfHole = ({ topic, partition, from, to }: Hole): string => `${topic}/${partition}@${from}-${to}`;

export const messageOfHole = ({ kind, topic, partition, from, to }: Hole): string =>
  kind === 'gap'
    ? `${topic}/${partition}: records ${from} to ${to - 1} were deleted before they were read`
    : `${topic}/${partition}: position ${from} lies behind the log's end ${to}: it was made anew or cut short`;

/**
 * `keepsState`: what is known was made from the log as it was. Of such a log made anew nothing can be accepted: its
 * positions would be taken for those of the old one.
 */
export function holeError(hole: Hole, keepsState: boolean): PipelineError {
  const setting = `TRIPLINE_ACCEPT_GAP=${nameOfHole(hole)}`;
  const accept = `set ${setting} to go on without them; \`npx tripline audit\` then shows it`;
  const hint =
    hole.kind === 'gap'
      ? `\`npx tripline rebuild\` folds what is left anew, or ${accept}`
      : keepsState
        ? '`npx tripline down`, `npx tripline rebuild` folds the log that is there'
        : accept;
  return new PipelineError(hole.kind === 'gap' ? 'LOG_GAP' : 'LOG_CUT', messageOfHole(hole), { hint });
}
