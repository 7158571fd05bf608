/** JSON web tokens, signed, unsigned, encrypted or cut off: three (two, five) parts of base64url, of which the first decodes to a JSON object. */
import { alphabet, beginsToken, type Finder, runEnd } from './finder.ts';

const base64url = alphabet('_-');
const maxPart = 16_384;
/** `{"` and a letter or white space, in base64. */
const openings = ['eyj', 'ewog', 'ew0k', 'eyai', 'eyag', 'ewoj'];

/** Does it decode to a JSON object? 'like': printable and begins as one, but cut or mended by hand. */
function headerOf(part: string): 'json' | 'like' | 'no' {
  const decoded = Buffer.from(part, 'base64url').toString('utf8');
  try {
    const value: unknown = JSON.parse(decoded);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'json' : 'no';
  } catch {
    return /^\{\s*"[ -~\s]{3,}$/.test(decoded) ? 'like' : 'no';
  }
}

export const jwts: Finder = {
  anchors: openings,
  look(text, at, _anchor, out) {
    if (!/^(?:eyJ|ewog|ew0K|eyAi|eyAg|ewoJ)/.test(text.slice(at, at + 4)) || !(beginsToken(text, at) || text[at - 1] === '_')) return at;
    const ends: number[] = [];
    let end = at;
    for (let from = at; ends.length < 5; from = end + 1) {
      end = runEnd(text, from, base64url, maxPart);
      // Padding is not part of the format, and written all the same.
      const padded = text.startsWith('==', end) && text[end + 2] === '.' ? end + 2 : text[end] === '=' && text[end + 1] === '.' ? end + 1 : end;
      end = padded;
      ends.push(end);
      if (text[end] !== '.' || end - from >= maxPart || (base64url[text.charCodeAt(end + 1)] !== 1 && !(ends.length === 1 && text[end + 1] === '.'))) break;
    }
    const first = ends[0] ?? at;
    const second = ends[1];
    if (second === undefined || first - at < 12) return first;
    const kind = headerOf(text.slice(at, first).replace(/=+$/, ''));
    const parts = ends.length;
    if (kind === 'no' || (second - first < 6 && parts < 5) || (kind === 'like' && (parts < 3 || end - (ends[parts - 2] ?? at) < 20))) return first;
    // A sentence's full stop and the next word are no third part.
    const last = parts === 3 && end - second < 5 && /\s|$/.test(text[end] ?? '') ? second : end;
    out.push({ start: at, end: last, type: 'SECRET_JWT', rank: 95 });
    return last;
  },
};
