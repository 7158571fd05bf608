/** What an answer says to a person: what became of a control record, what happens next, and what they can do. */
import { candidatesOf, type ExperimentRevision } from '../kernel/experiment.ts';
import { formatDuration } from '../kernel/time.ts';
import type { ControlRecord } from './control-record.ts';

export type ControlCode =
  | 'applied'
  | 'noted'
  | 'unchanged'
  | 'already-answered'
  | 'already-stopped'
  | 'already-ended'
  | 'already-paused'
  | 'not-paused'
  | 'no-change'
  | 'over'
  | 'another-phase'
  | 'another-revision'
  | 'no-such-experiment'
  | 'no-such-candidate'
  | 'which-candidate'
  | 'no-step'
  | 'paused'
  | 'learning'
  | 'unknown-action'
  | 'unreadable';

const stateOf = ({ revision, phase, status, coverage }: ExperimentRevision): string =>
  `revision ${revision}, phase ${phase}, coverage ${coverage}%, ${status}`;

/** A stopped design does not come back: what a person does instead. */
const startAnew = 'apply a file with another design, or the same one with another `salt`, to start a new phase';

type Told = {
  readonly record: ControlRecord;
  /** How things stand. */
  readonly holds: string;
  readonly candidates: string;
};

const meantFor = ({ record }: Told): string =>
  record.kind === 'decision' ? `phase ${record.decision.phase}, revision ${record.decision.revision}` : 'another state';

const words: Readonly<Record<ControlCode, (told: Told) => string>> = {
  applied: ({ holds }) => holds,
  noted: () => 'noted, nothing changes',
  unchanged: ({ holds }) => `nothing changed, the file says what holds already: ${holds}`,
  'already-answered': () => 'this record was answered before',
  'already-stopped': ({ holds }) => `everybody has control already: ${holds}`,
  'already-ended': ({ holds }) => `it was ended before: ${holds}`,
  'already-paused': ({ holds }) => `it is paused already: ${holds}`,
  'not-paused': ({ holds }) => `it is not paused: ${holds}`,
  'no-change': ({ holds }) => `nothing changes: ${holds}`,
  over: ({ holds }) => `it is over, and does not come back by itself: ${holds}; ${startAnew}`,
  'another-phase': (told) => `it was meant for ${meantFor(told)}; now ${told.holds}`,
  'another-revision': (told) => `it was meant for ${meantFor(told)}; now ${told.holds}: look again, and decide again`,
  'no-such-experiment': () => 'nobody applied such an experiment; `npx tripline apply FILE` makes one',
  'no-such-candidate': ({ candidates }) => `it names no candidate of this experiment: ${candidates}`,
  'which-candidate': ({ candidates }) => `it has several candidates, name one with --candidate: ${candidates}`,
  'no-step': ({ holds }) => `no step of a ramp is left: ${holds}`,
  paused: ({ holds }) => `it is paused: \`resume\` comes first; ${holds}`,
  learning: () => 'its baselines are being learned, there is no candidate yet',
  'unknown-action': () => 'this version knows no such action',
  unreadable: () => 'the record holds no specification that can be read',
};

export const controlWords = (code: ControlCode, record: ControlRecord, now: ExperimentRevision | undefined): string =>
  words[code]({
    record,
    holds: now === undefined ? 'nobody applied it' : stateOf(now),
    candidates:
      now === undefined
        ? ''
        : candidatesOf(now.spec)
            .map(({ id }) => id)
            .join(', '),
  });

/** What an applied file changed: a new phase is said, and so is that a stopped design stays stopped. */
export function afterApply(before: ExperimentRevision | undefined, after: ExperimentRevision): string {
  if (before === undefined) return `${stateOf(after)}; its first phase begins`;
  if (after.phase === before.phase) {
    const isBack = after.status === 'running' || after.status === 'paused';
    return `${stateOf(after)}${isBack ? '' : `; the design is the same, so it stays ${after.status}: ${startAnew}`}`;
  }
  const was = before.status === 'running' ? '' : `, which was ${before.status}`;
  return `${stateOf(after)}; another design, so this phase begins instead of phase ${before.phase}${was}`;
}

/** Its place is free: who shares the layer must know. */
export const afterEnd = (after: ExperimentRevision): string =>
  after.spec.layer === undefined
    ? `${stateOf(after)}; its place is free`
    : `${stateOf(after)}; its place in layer ${after.spec.layer} is free: units near the edges of the others move`;

/** What happens after the horizon, and what a person can do: nothing decides it for them. */
export function concludeWords({ spec }: ExperimentRevision): string {
  const { id } = spec;
  const horizon = formatDuration(spec.analysis.horizonMs);
  const [candidate] = candidatesOf(spec);
  const promote = `npx tripline promote ${id} --candidate ${candidate?.id ?? 'ARM'} --reason TEXT`;
  return (
    `the horizon of ${horizon} has passed without a decision. Nothing changes by itself: both arms stay as they are, ` +
    `harm is still looked for, the ramp stands still. A person can give everybody the candidate (${promote}), give ` +
    `everybody control and free the place (npx tripline end ${id} --reason TEXT), or apply a file with a longer ` +
    '`horizon`, which begins a new phase'
  );
}
