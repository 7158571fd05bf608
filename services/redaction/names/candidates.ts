/** Which words are worth the tagger's time: those written like a name, and small ones known as nothing else. */
import { anyPlace, flag, has } from './lexicon.ts';
import { bitsAt, gap, gapAt, isWritten, lengthAt, phraseAt, shape, shapeAt, type Tokens } from './tokens.ts';

const opensSentence = (kind: number): boolean =>
  kind === gap.start || kind === gap.line || kind === gap.sentence || kind === gap.quote;
/** A word of everyday use that names nobody and no big place. */
const isEveryday = (bits: number): boolean =>
  has(bits, flag.veryCommon | flag.foreign) && !has(bits, flag.given | flag.country | flag.city);

/** The capital of a sentence's first word, or of `I`, says nothing of a very common word. */
const hasIdleCapital = (all: Tokens, at: number, form: number): boolean =>
  (form === shape.initial || opensSentence(gapAt(all, at))) &&
  at + 1 < all.count &&
  all.shape[at + 1] === shape.lower &&
  isEveryday(bitsAt(all, at)) &&
  phraseAt(all, at) === 0;

const nameOrPlace = flag.given | flag.surname | flag.city | flag.country;
const anythingElse =
  flag.veryCommon | flag.foreign | flag.dictionary | flag.introduces | flag.street | flag.organisation;

/** Asked of every token. */
export function isCandidate(all: Tokens, at: number): boolean {
  const form = shapeAt(all, at);
  if (form === shape.mixed) return true;
  if (isWritten(form)) return !hasIdleCapital(all, at, form);
  if (form !== shape.lower) return false;
  if (has(phraseAt(all, at), anyPlace)) return true;
  const bits = bitsAt(all, at);
  return has(bits, nameOrPlace) && !has(bits, anythingElse) && lengthAt(all, at) > 2;
}
