/**
 * A regular expression over several lines: pattern('i')`...`. Line ends, and the blanks around them, are left out; so a
 * line neither begins nor ends with a blank that counts.
 */
export const pattern =
  (flags = '') =>
  ({ raw }: TemplateStringsArray, ...pieces: readonly string[]): RegExp =>
    new RegExp(String.raw({ raw: raw.map((part) => part.replace(/\s*\n\s*/g, '')) }, ...pieces), flags);
