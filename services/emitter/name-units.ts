/** By which ids a call names its unit: those that the app gave, and what this process knows from earlier calls. */
import type { Units } from '../../schemas/generated.ts';
import { type Assignment, type AssignmentTable, assign, type Subject } from '../assignment/index.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { type AliasMemory, type NamePair, pairOf } from './alias-memory.ts';
import type { AliasInput } from './event-input.ts';

export type SplitSubject = Subject & { readonly unit?: string; readonly traceparent?: string };

/** The subject with its `unit` under the name of whatever the experiment is split by. */
function withUnit(unitType: string, subject: SplitSubject): Subject {
  if (subject.unit === undefined) return subject;
  const field = { user: 'userId', org: 'orgId', session: 'sessionId', request: 'requestId' }[unitType];
  return field === undefined
    ? { ...subject, entity: { type: unitType.slice('entity:'.length), id: subject.unit } }
    : { ...subject, [field]: subject.unit };
}

/** With a fallback unit: the subject with the earlier name of its unit too, when a call has said both before. */
export function nameUnit(aliases: AliasMemory, spec: ExperimentSpec | undefined, given: SplitSubject): Subject {
  const subject = withUnit(spec?.unit ?? 'user', given);
  const pair = spec && pairOf(spec);
  if (pair === undefined) return subject;
  aliases.learn(pair, subject);
  return aliases.recall(pair, subject);
}

/** An inference under an arm that was decided by a session, and that names the user, says that they are one unit. */
export function learnNames(aliases: AliasMemory, arms: readonly Assignment[] = [], units: Units): void {
  const names = Object.fromEntries(
    Object.entries({ userId: units.user_id, orgId: units.org_id, sessionId: units.session_id }).filter(([, id]) => id),
  ) as Subject;
  for (const { unitType, primary } of arms)
    if (primary && primary.type !== unitType) aliases.learn({ primary: primary.type, fallback: unitType }, names);
}

/**
 * Of every experiment to which it matters that these names are one unit: what the unit holds. Whether it was ever
 * exposed is the caller's to know.
 */
export function namedTwice(
  aliases: AliasMemory,
  table: AssignmentTable,
  names: AliasInput,
  options: Parameters<typeof assign>[3],
): Assignment[] {
  if (Object.values(names).filter((id) => id !== undefined && id !== '').length < 2)
    throw new RangeError('it names fewer than two of userId, orgId and sessionId: one id has no other name');
  return [...table.revisions.values()].flatMap(({ spec }) => {
    const pair = pairOf(spec);
    if (pair === undefined) return [];
    aliases.learn(pair, names);
    const assignment = assign(table, spec.id, names, options);
    const isDrawn = assignment.reason === 'SPLIT' || assignment.reason === 'STALE';
    const hasBoth = assignment.unitType === pair.fallback && assignment.primary?.id !== undefined;
    return isDrawn && hasBoth ? [assignment] : [];
  });
}

/** What experiments take for two names of one unit. */
export const pairsOf = ({ revisions }: AssignmentTable): NamePair[] =>
  [...revisions.values()].flatMap(({ spec }) => pairOf(spec) ?? []);
