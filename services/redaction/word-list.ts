/** A table of words as text: a blank or a line's end between two, `_` for a blank inside of one. */
export const wordList = (words: string): readonly string[] =>
  words
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll('_', ' '));
