/**
 * Is a piece of a value ordinary, as words, numbers, addresses and names in code are, or part of what somebody or a
 * generator made up? Where punctuation stands in a value, the piece behind it decides whether the value goes on.
 */
import { pattern } from '../pattern.ts';

const letterRuns = /[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g;
/** An address, a link, a path, a moment, an id: they have letters and digits in turns, and are nobody's password. */
const known = pattern('i')`
    @[\w-]+\.[A-Za-z]{2,}|^[a-z][a-z0-9+.-]*:\/\/|^(?:\.{1,2}|~)?\/[\w.-]*\/|^\d{4}-\d\d-\d\d(?:$|T)
    |^[0-9a-f]{8}-[0-9a-f]{4}-|^[0-9a-f]{16,}$
  `;
/** Ours or another redactor's: what stood there is gone. */
const placeholder = /\[\??[A-Z][A-Z_]+[:\]]/;

/** Letters of a word, of several in camel case, with a number before or behind. */
function isWord(token: string): boolean {
  if (/^\d+$/.test(token)) return true;
  const runs = token.match(letterRuns) ?? [];
  const letters = runs.reduce((sum, run) => sum + run.length, 0);
  const turns = token.match(/\d(?=[A-Za-z])|[A-Za-z](?=\d)/g)?.length ?? 0;
  if (turns < 2 && runs.length === 1) return !/^[A-Z][a-z]$/.test(token);
  return letters >= runs.length * 3;
}

/** `Sale!9`: a symbol between letters and digits that neither sentences nor code put there. */
const mixed = /^(?=.*\d)(?=.*[A-Za-z])[^\s/.=:]*[A-Za-z0-9][!^$#&%*~](?![0-9A-F]{2})[A-Za-z0-9]/;

/** Words, numbers, names of code, addresses: what stands next to a secret rather than in it. */
export const isOrdinary = (piece: string): boolean =>
  placeholder.test(piece) ||
  known.test(piece) ||
  (!mixed.test(piece) && (piece.match(/[A-Za-z0-9]+/g) ?? []).every(isWord));

/** Both cases and digits in turns, or long and random: no name of a variable, whatever stands in front of it. */
export const isClearlyMadeUp = (piece: string): boolean =>
  piece.length >= 8 &&
  /\d/.test(piece) &&
  /[A-Za-z]/.test(piece) &&
  !/[$%#]\{|\{\{|\}\}|<%/.test(piece) &&
  !isOrdinary(piece);
