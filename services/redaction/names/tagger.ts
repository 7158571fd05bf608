/** Labels the words of a text with the trained weights, left to right, and joins labelled neighbours into findings. */
import { isCandidate } from './candidates.ts';
import { caseMode, featureCount, featuresAt } from './features.ts';
import { flag, has, ordinary } from './lexicon.ts';
import { isOf, isParticle, isShortForm } from './small-words.ts';
import { bitsAt, gap, gapAt, isPeriod, joinsWords, lengthAt, phraseAt, shape, shapeAt, type Tokens } from './tokens.ts';
import { weightTable } from './weights.ts';

export const label = { none: 0, person: 1, place: 2, organisation: 3 } as const;

let weights: Int32Array | undefined;
/**
 * Four bytes a feature, one a label, each 128 too high: two labels are added in one step and no sum of 26 overflows its
 * 16 bits. Decoded for the first text.
 */
function loadWeights(): Int32Array {
  if (weights === undefined) {
    const bytes = Buffer.from(weightTable, 'base64');
    weights = Int32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(index * 4) ^ 0x80808080);
  }
  return weights;
}

/**
 * In weight units (a feature weighs -127..127, 26 are summed): how much a word is taken for a name, or for a place,
 * before anything is known of it. A missed name costs more than a word too many.
 */
const eagerness = 50;
const placeEagerness = 30;

const cells = new Int32Array(featureCount);

/** The label with the highest sum of weights over the features in `cells`. */
function heaviest(table: Int32Array): number {
  let even = 0;
  let odd = 0;
  for (let index = 0; index < featureCount; index += 1) {
    const packed = table[cells[index] ?? 0] ?? 0;
    even += packed & 0xff00ff;
    odd += (packed >>> 8) & 0xff00ff;
  }
  const none = (even & 0xffff) - eagerness;
  const person = odd & 0xffff;
  const place = (even >>> 16) + placeEagerness;
  const organisation = odd >>> 16;
  const top = Math.max(person, place, organisation);
  if (top <= none) return label.none;
  return top === person ? label.person : top === place ? label.place : label.organisation;
}

/** `US`, `U.S.`, `United States`: capitals that a table knows as a country, in a text that is not all capitals. */
function isSureCountry(all: Tokens, at: number, mode: number): boolean {
  if (mode > 2) return false;
  const form = shapeAt(all, at);
  if (form === shape.allCapitals && (bitsAt(all, at) & (flag.country | flag.capitalised)) === flag.country) return true;
  return form !== shape.lower && form !== shape.glued && has(phraseAt(all, at), flag.country);
}

const known = flag.given | flag.surname | flag.city | flag.country;
/** Two to four capitals that no table knows, in a text of small letters: `AWS`, `SLA`. */
const isAcronym = (all: Tokens, at: number, mode: number): boolean =>
  mode <= 2 &&
  all.shape[at] === shape.allCapitals &&
  lengthAt(all, at) <= (mode === 1 ? 4 : 3) &&
  !has(bitsAt(all, at), known) &&
  (all.shape[at + 1] === shape.lower || all.shape[at + 1] === shape.number);

function labelByTables(bits: number): number {
  if (has(bits, ordinary)) return label.none;
  if (has(bits, flag.given | flag.surname)) return label.person;
  return has(bits, flag.country | flag.city) ? label.place : label.none;
}

/** Fills `labels` (one a token). */
export function tag(text: string, all: Tokens, labels: Uint8Array): void {
  const table = loadWeights();
  const mode = caseMode(all);
  let before = 0;
  let beforeThat = 0;
  // Texts that are nothing but candidates (lists, attacks) are judged by the tables alone from here on: cost stays
  // linear with a small factor.
  let left = 2_000 + text.length / 24;
  for (let at = 0; at < all.count; at += 1) {
    let best: number = label.none;
    if (isCandidate(all, at)) {
      left -= 1;
      if (left < 0) best = labelByTables(bitsAt(all, at));
      else {
        featuresAt(text, all, at, mode, before, beforeThat, false, cells);
        best = heaviest(table);
      }
    }
    if (best !== label.place && isSureCountry(all, at, mode)) best = label.place;
    else if (best !== label.none && best !== label.organisation && isAcronym(all, at, mode)) best = label.none;
    labels[at] = best;
    beforeThat = before;
    before = best;
  }
}

/** `St. Thomas`, `Mt Vernon`: a short form and a name that is no person's. */
const opensPlace = (all: Tokens, labels: Uint8Array, at: number): boolean =>
  all.shape[at] === shape.capital &&
  all.shape[at + 1] === shape.capital &&
  at + 1 < all.count &&
  isShortForm(all, at) &&
  gapAt(all, at + 1) !== gap.line &&
  labels[at + 1] !== label.person &&
  !has(bitsAt(all, at + 1), flag.veryCommon);

/** Known as a common word, or as one that is always written with a capital, and hardly as a name. */
const isHardlyName = (bits: number): boolean =>
  (has(bits, flag.veryCommon) && !has(bits, known)) ||
  (has(bits, flag.capitalised) && !has(bits, flag.given | flag.city | flag.country));
/** No neighbour has a label, and no known phrase goes over this word. */
const standsAlone = (all: Tokens, labels: Uint8Array, at: number): boolean =>
  phraseAt(all, at) === 0 &&
  (at === 0 || labels[at - 1] === label.none) &&
  (at + 1 >= all.count || labels[at + 1] === label.none);

const meaningful = flag.veryCommon | flag.dictionary | flag.foreign | flag.organisation | flag.title;
/** `Price: ...` at the start of something. */
const isHeading = (all: Tokens, at: number): boolean =>
  all.gap[at + 1] === gap.colon &&
  all.gap[at] !== gap.space &&
  has(bitsAt(all, at), meaningful) &&
  !has(bitsAt(all, at), flag.given | flag.country);

/** What one word's label says of its neighbours: `St. Thomas` is one name, `Price:` is a heading. */
export function resolveLabels(all: Tokens, labels: Uint8Array): void {
  for (let at = 0; at < all.count; at += 1) {
    if (labels[at] === label.none && all.shape[at] !== shape.capital) continue;
    if (opensPlace(all, labels, at)) {
      labels[at] = label.place;
      labels[at + 1] = label.place;
    }
    if (labels[at] === label.none) continue;
    // A very common word standing alone is no name on the tagger's word only.
    const isDoubtful = isHardlyName(bitsAt(all, at)) && standsAlone(all, labels, at);
    if (isDoubtful || isHeading(all, at)) labels[at] = label.none;
  }
}

/**
 * The token at `next` may belong to the name that has come as far as `last`. A period joins only behind an initial or a
 * short form: `J. Smith`, `St. Thomas`, never two sentences.
 */
function joinsName(all: Tokens, next: number, last: number): boolean {
  const between = gapAt(all, next);
  if (joinsWords(between)) return true;
  if (!isPeriod(between)) return false;
  return isShortForm(all, next - 1) || (all.shape[next - 1] === shape.initial && next - 1 === last);
}

/** `Tampa bay`, `Sand Hill park`: the kind of place belongs to its name. */
const isKindOfPlace = (all: Tokens, labels: Uint8Array, at: number): boolean =>
  at < all.count &&
  all.gap[at] === gap.space &&
  has(bitsAt(all, at), flag.street) &&
  labels[at] !== label.person &&
  lengthAt(all, at) > 2;

/** Index of the last token of the name that begins at `first`. */
export function nameEnd(all: Tokens, labels: Uint8Array, first: number): number {
  const kind = labels[first];
  let last = first;
  for (let next = first + 1; next < all.count && joinsName(all, next, last); next += 1) {
    if (labels[next] === kind) last = next;
    else if (kind === label.place && next - last === 1 && isOf(all, next)) continue;
    else if (!(kind === label.person && next - last <= 2 && isParticle(all, next))) break;
  }
  return kind === label.place && isKindOfPlace(all, labels, last + 1) ? last + 1 : last;
}
