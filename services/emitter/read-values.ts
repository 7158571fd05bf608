/**
 * What an app gave, as a record can hold it. An id or a time that cannot be used ends the call, by a RangeError that
 * names the field; a number that cannot be used is unknown and noted, and the event goes without it.
 */
import { type EpochMs, isTime, parseTime, timeRule } from '../kernel/time.ts';
import { amountProblem, countProblem, idProblem, idText, signedProblem } from '../kernel/values.ts';
import type { InferenceInput } from './event-input.ts';

/** Told of a value that cannot be used: the event goes without it. The value itself is never told. */
export type Note = (field: string, cause: string) => void;

/** The numbers that an app gave, each unknown when it cannot be used: the call happened all the same. */
export function numbersOf(input: InferenceInput, note: Note) {
  const usable = (field: keyof InferenceInput, problem: (value: unknown) => string | undefined): number | null => {
    const value = input[field] ?? null;
    const cause = value === null ? undefined : problem(value);
    if (cause !== undefined) note(field, cause);
    return cause === undefined ? (value as number | null) : null;
  };
  return {
    count: (field: keyof InferenceInput): number | null => usable(field, countProblem),
    small: (field: keyof InferenceInput): number | null => usable(field, (value) => countProblem(value, 0, maxInt)),
    amount: (field: keyof InferenceInput): number | null => usable(field, amountProblem),
    /** A price times tokens has a fraction of a nano-dollar: that is rounded. */
    cost: (field: keyof InferenceInput): number | null => {
      const rounded = (value: unknown): unknown => (typeof value === 'number' ? Math.round(value) : value);
      const cost = usable(field, (value) => countProblem(rounded(value)));
      return cost === null ? null : Math.round(cost);
    },
  };
}
/** Avro's int. */
const maxInt = 2 ** 31 - 1;

export function scoresOf(scores: InferenceInput['scores'], note: Note): Record<string, number> {
  const usable = Object.entries(scores ?? {}).filter(([name, score]) => {
    const cause = signedProblem(score);
    if (cause !== undefined) note(`scores.${name}`, cause);
    return cause === undefined;
  });
  return Object.fromEntries(usable);
}

/** When it happened, as epoch milliseconds, a Date or RFC 3339 text; text without a zone is UTC. */
export function timeOf(given: InferenceInput['occurredAt'], now: EpochMs): EpochMs {
  if (given === undefined || given === null) return now;
  const at = typeof given === 'string' ? parseTime(given) : Math.floor(Number(given));
  if (!isTime(at)) throw new RangeError(`occurredAt: ${timeRule}`);
  return at;
}

/** An id as its text: 10007 and "10007" are one user. */
export function idOf(field: string, id: unknown): string | null {
  if (id === undefined || id === null) return null;
  const text = idText(id);
  if (text === undefined) throw new RangeError(`${field}: ${idProblem(id)}`);
  return text;
}

/** Of an outcome: without it there is nothing to say. */
export function outcomeValueOf(value: unknown): number | null {
  if (value === null) return null;
  const cause = signedProblem(value);
  if (cause !== undefined) throw new RangeError(`value: ${cause}`);
  return value as number;
}

type Ids = {
  readonly unit?: string;
  readonly userId?: string;
  readonly orgId?: string;
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly entity?: { readonly type: string; readonly id: string };
};

/** The same with every id as text: what is assigned under a number is recorded under its text. */
export function idsAsText<S extends Ids>(subject: S): S {
  const { entity } = subject;
  const texts = (['unit', 'userId', 'orgId', 'sessionId', 'requestId'] as const).flatMap((field) =>
    typeof subject[field] === 'number' ? [[field, idOf(field, subject[field])] as const] : [],
  );
  const isTextual = typeof entity?.id !== 'number';
  if (texts.length === 0 && isTextual) return subject;
  return {
    ...subject,
    ...Object.fromEntries(texts),
    ...(!isTextual && entity && { entity: { ...entity, id: idOf('entity.id', entity.id) } }),
  };
}
