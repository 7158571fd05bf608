/**
 * What a field of a call or an outcome may hold, wherever it comes in: a file's line, an app's call, a raw record. Each
 * says what is wrong, undefined when nothing is. No message quotes a value.
 */

/** Ids longer than this are somebody's text, not an id. */
export const maxIdLength = 512;
/** A million million tokens, or a thousand dollars for one call in 1e-9 USD: beyond it sums stop being exact. */
export const maxCount = 1e12;
/** Milliseconds of one call (twelve days), a score, an outcome's value. */
export const maxAmount = 1e9;

/** The kind of a value that is not what it should be, in words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'undefined':
      return 'missing';
    default:
      return 'an object';
  }
}

function numberProblem(value: unknown, least: number, most: number): string | undefined {
  if (typeof value !== 'number') return `${kindOf(value)}, where a number belongs`;
  if (!Number.isFinite(value)) return 'no finite number';
  if (value < least) return least === 0 ? 'below 0' : `below ${least}`;
  return value > most ? `above ${most}` : undefined;
}

/** Tokens, nano-dollars. */
export const countProblem = (value: unknown, least = 0, most = maxCount): string | undefined =>
  numberProblem(value, least, most) ??
  (Number.isInteger(value) ? undefined : 'a fraction, where a whole number belongs');

/** Milliseconds. */
export const amountProblem = (value: unknown): string | undefined => numberProblem(value, 0, maxAmount);

/** Scores and outcomes' values, which may be below 0. */
export const signedProblem = (value: unknown): string | undefined => numberProblem(value, -maxAmount, maxAmount);

/**
 * An id as text: a number becomes its decimal text, so that 10007 and "10007" are one user. Undefined: it is neither a
 * text nor a number that arrived as it was written.
 */
export function idText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER) return undefined;
  const text = String(value);
  return text.includes('e') || Number.isNaN(value) ? undefined : text;
}

export function idProblem(value: unknown): string | undefined {
  const text = idText(value);
  if (text === undefined)
    return typeof value === 'number'
      ? 'a number too large or too small to be exact: write it as a text'
      : `${kindOf(value)}, where a text or a number belongs`;
  if (text === '') return 'empty';
  return text.length > maxIdLength ? `longer than ${maxIdLength} characters` : undefined;
}
