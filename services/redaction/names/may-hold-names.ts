import { kindTable, unitKind } from './letters.ts';

const introduction = /\b(?:name|am|is)\b/;
/** A letter that a name may begin with: a capital, or one of a script without them; or words that announce one. */
export function mayHoldNames(text: string): boolean {
  const kinds = kindTable();
  for (let at = 0; at < text.length; at += 1) {
    const kind = kinds[text.charCodeAt(at)];
    if (kind === unitKind.upper || kind === unitKind.caseless) return true;
  }
  return introduction.test(text);
}
