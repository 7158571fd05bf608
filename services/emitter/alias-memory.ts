/**
 * Which names this process has seen of one unit: a visitor's session and the user who signed in with it. With it a call
 * that has the user alone keeps the arm that the visitor has. Other processes do not know it: what they then show is
 * counted under the first name (`services/linker/README.md`).
 */
import type { Subject } from '../assignment/index.ts';
import { unitOf } from '../assignment/index.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';

/** Units remembered with their latest fallback id; the one that was used longest ago is forgotten first. */
export const rememberedAliases = 10_000;

/** Two types of one unit: `primary` is what an experiment's `unit` names, `fallback` its `fallback_unit`. */
export type NamePair = { readonly primary: string; readonly fallback: string };

export type AliasMemory = {
  /** The subject names both: from now on they are one unit. */
  learn(pair: NamePair, subject: Subject): void;
  /** The subject, completed by the fallback id under which its unit was seen last. */
  recall(pair: NamePair, subject: Subject): Subject;
};

export const pairOf = ({ unit, fallbackUnit }: ExperimentSpec): NamePair | undefined =>
  fallbackUnit === undefined ? undefined : { primary: unit, fallback: fallbackUnit };

const subjectField: Readonly<Record<string, 'userId' | 'orgId' | 'sessionId'>> = {
  user: 'userId',
  org: 'orgId',
  session: 'sessionId',
};

export function createAliasMemory(remembered = rememberedAliases): AliasMemory {
  const fallbackOf = new Map<string, string>();
  const keyOf = ({ primary, fallback }: NamePair, id: string): string => `${primary}\u001f${fallback}\u001f${id}`;
  const keep = (key: string, id: string): void => {
    fallbackOf.delete(key);
    const oldest = fallbackOf.size >= remembered ? fallbackOf.keys().next().value : undefined;
    if (oldest !== undefined) fallbackOf.delete(oldest);
    fallbackOf.set(key, id);
  };
  return {
    learn: (pair, subject) => {
      const [id, fallback] = [unitOf(pair.primary, subject), unitOf(pair.fallback, subject)];
      if (id && fallback) keep(keyOf(pair, id), fallback);
    },
    recall: (pair, subject) => {
      const id = unitOf(pair.primary, subject);
      if (!id || unitOf(pair.fallback, subject)) return subject;
      const key = keyOf(pair, id);
      const known = fallbackOf.get(key);
      const field = subjectField[pair.fallback];
      if (known === undefined || field === undefined) return subject;
      keep(key, known);
      return { ...subject, [field]: known };
    },
  };
}
