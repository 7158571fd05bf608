/**
 * The fields of one line, each read as what it must be. What cannot be used is noted with its field and cause, the
 * value itself never; the first of them is what is said of the line.
 */
import { amountProblem, countProblem, idProblem, idText, kindOf, signedProblem } from '../kernel/values.ts';
import { type EpochMs, parseTime, timeRule } from '../kernel/time.ts';

/** `field` is empty when it is about the whole line. */
export type LineProblem = { readonly field: string; readonly cause: string };

export type FieldReader = {
  /** Missing or null: a problem. */
  requiredId(name: string): string;
  id(name: string): string | null;
  /** Text, or a number for the text of it: a version, a code. May be empty, and of any length. */
  name(name: string): string | null;
  text(name: string): string | null;
  count(name: string): number | null;
  amount(name: string): number | null;
  /** A number that may be below 0; null stays, missing is a problem. */
  requiredSigned(name: string): number | null;
  flag(name: string): boolean | null;
  requiredTime(name: string): EpochMs;
  time(name: string): EpochMs | null;
  /** Adds what only shows when fields are seen together. */
  note(field: string, cause: string | undefined): void;
  problem(): LineProblem | undefined;
};

/** The line's fields, or why it has none. */
export function parseLine(line: string): { readonly fields: Readonly<Record<string, unknown>> } | LineProblem {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { fields: value as Record<string, unknown> };
    return { field: '', cause: `no JSON object, but ${kindOf(value)}` };
  } catch {
    return { field: '', cause: 'no JSON object' };
  }
}

const nameProblem = (value: unknown): string | undefined => (typeof value === 'string' ? undefined : idProblem(value));

export function createFieldReader(fields: Readonly<Record<string, unknown>>): FieldReader {
  const problems: LineProblem[] = [];
  const note: FieldReader['note'] = (field, cause) => {
    if (cause !== undefined) problems.push({ field, cause });
  };
  const given = (name: string): unknown => (Object.hasOwn(fields, name) ? (fields[name] ?? null) : null);
  const isMissing = (name: string): boolean => {
    if (given(name) !== null) return false;
    note(name, 'missing');
    return true;
  };
  /** The value if it may be used, else null; unknown is null too. */
  const known = <T>(name: string, problem: (value: unknown) => string | undefined, read: (value: unknown) => T) => {
    const value = given(name);
    if (value === null) return null;
    const cause = problem(value);
    note(name, cause);
    return cause === undefined ? read(value) : null;
  };
  const required = (name: string): string => known(name, idProblem, (value) => idText(value) ?? null) ?? '';
  // Exports write nothing as an empty text.
  const id: FieldReader['id'] = (name) => (given(name) === '' ? null : required(name) || null);
  const time: FieldReader['time'] = (name) =>
    known(
      name,
      (value) =>
        typeof value !== 'string'
          ? `${kindOf(value)}, where a time as text belongs`
          : parseTime(value) === undefined
            ? timeRule
            : undefined,
      (value) => parseTime(value as string) ?? null,
    );
  const wanted = (kind: string, type: 'string' | 'boolean') => (value: unknown) =>
    typeof value === type ? undefined : `${kindOf(value)}, where ${kind} belongs`;
  return {
    note,
    id,
    time,
    requiredId: (name) => (isMissing(name) ? '' : required(name)),
    requiredTime: (name) => (isMissing(name) ? 0 : (time(name) ?? 0)),
    name: (name) => known(name, nameProblem, (value) => idText(value) ?? null),
    text: (name) => known(name, wanted('a text', 'string'), (value) => value as string),
    flag: (name) => known(name, wanted('true or false', 'boolean'), (value) => value as boolean),
    count: (name) => known(name, countProblem, Number),
    amount: (name) => known(name, amountProblem, Number),
    requiredSigned: (name) => {
      if (!Object.hasOwn(fields, name)) note(name, 'missing (null takes it back)');
      return known(name, signedProblem, Number);
    },
    problem: () => problems[0],
  };
}
