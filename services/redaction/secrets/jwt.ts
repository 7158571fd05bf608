/**
 * JSON web tokens, signed, unsigned, encrypted or cut off: three (two, five) parts of base64url, of which the first
 * decodes to a JSON object.
 */
import { alphabet, beginsToken, type SecretRule, runEnd } from './secret-rule.ts';

const base64url = alphabet('_-');
const maxPart = 16_384;
/** `{"` and a letter or white space, in base64. */
const openings = ['eyj', 'ewog', 'ew0k', 'eyai', 'eyag', 'ewoj'];

/** Does it decode to a JSON object? A header that was mangled by hand is no token any more: no server takes it. */
function isHeader(part: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Does the part that ends before `to` code the end of an object, read at one of base64's four beginnings? A token whose
 * first units were cut off has such a one in front.
 */
function endsHeader(text: string, to: number): boolean {
  let from = to;
  while (from > 0 && to - from < 400 && base64url[text.charCodeAt(from - 1)] === 1) from -= 1;
  if (to - from < 4) return from === 0 || !/[A-Za-z0-9]/.test(text[from - 1] ?? '');
  for (let skip = 0; skip < 4; skip += 1)
    if (
      /^[ -~]*["\]\w]\s?\}\s*$/.test(
        Buffer.from(text.slice(from + skip, to), 'base64url')
          .toString('latin1')
          .slice(1),
      )
    )
      return true;
  return false;
}

export const jwts: SecretRule = {
  literals: openings,
  findAt(text, at, _literal, out) {
    if (
      !/^(?:eyJ|ewog|ew0K|eyAi|eyAg|ewoJ)/.test(text.slice(at, at + 4)) ||
      !(beginsToken(text, at) || text[at - 1] === '_')
    )
      return at;
    const ends: number[] = [];
    let end = at;
    for (let from = at; ends.length < 5; from = end + 1) {
      end = runEnd(text, from, base64url, maxPart);
      // Padding is not part of the format, and written all the same.
      const padded =
        text.startsWith('==', end) && text[end + 2] === '.'
          ? end + 2
          : text[end] === '=' && text[end + 1] === '.'
            ? end + 1
            : end;
      end = padded;
      ends.push(end);
      if (
        text[end] !== '.' ||
        end - from >= maxPart ||
        (base64url[text.charCodeAt(end + 1)] !== 1 && !(ends.length === 1 && text[end + 1] === '.'))
      )
        break;
    }
    const first = ends[0] ?? at;
    const second = ends[1];
    if (
      second === undefined ||
      first - at < 12 ||
      (text[at - 1] === '.' && base64url[text.charCodeAt(at - 2)] === 1 && !endsHeader(text, at - 1))
    )
      return end;
    const parts = ends.length;
    if ((second - first < 6 && parts < 5) || !isHeader(text.slice(at, first).replace(/=+$/, ''))) return first;
    // A sentence's full stop and the next word are no third part.
    const last = parts === 3 && end - second < 5 && /\s|$/.test(text[end] ?? '') ? second : end;
    out.push({ start: at, end: last, type: 'SECRET_JWT', rank: 95 });
    return last;
  },
};
