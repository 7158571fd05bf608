/** Labels the words of a text with the trained weights, left to right, and joins labelled neighbours into findings. */
import { caseMode, featureCount, featuresAt } from './features.ts';
import { isCandidate, gap, shape, type Tokens } from './tokens.ts';
import { flag } from './lexicon.ts';
import { hashWord } from './letters.ts';
import { weightTable } from './weights.ts';

export const label = { none: 0, person: 1, place: 2, organisation: 3 } as const;

let weights: Int32Array | undefined;
/**
 * Four bytes a feature, one a label, each 128 too high: two labels are added in one step and no sum of 26 overflows its
 * 16 bits.
 */
const loadWeights = (): Int32Array => {
  if (weights === undefined) {
    const bytes = Buffer.from(weightTable, 'base64');
    weights = Int32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(index * 4) ^ 0x80808080);
  }
  return weights;
};

/**
 * In weight units (a feature weighs -127..127, 26 are summed): how much a word is taken for a name, or for a place,
 * before anything is known of it. A missed name costs more than a word too many.
 */
const eagerness = 50;
const placeEagerness = 30;

const cells = new Int32Array(featureCount);

/** `US`, `U.S.`, `United States`: capitals that a table knows as a country, in a text that is not all capitals. */
function sureCountry(all: Tokens, at: number, mode: number): boolean {
  if (mode > 2) return false;
  const form = all.shape[at] ?? 0;
  if (form === shape.allCapitals && ((all.bits[at] ?? 0) & (flag.country | flag.capitalised)) === flag.country)
    return true;
  return form !== shape.lower && form !== shape.glued && ((all.phrase[at] ?? 0) & flag.country) !== 0;
}

/** Two to four capitals that no table knows, in a text of small letters: `AWS`, `SLA`. */
const isAcronym = (all: Tokens, at: number, mode: number): boolean =>
  mode <= 2 &&
  all.shape[at] === shape.allCapitals &&
  (all.end[at] ?? 0) - (all.start[at] ?? 0) <= (mode === 1 ? 4 : 3) &&
  ((all.bits[at] ?? 0) & (flag.given | flag.surname | flag.city | flag.country)) === 0 &&
  (all.shape[at + 1] === shape.lower || all.shape[at + 1] === shape.number);

const byTables = (bits: number): number =>
  (bits & (flag.veryCommon | flag.dictionary | flag.foreign | flag.capitalised)) !== 0
    ? label.none
    : (bits & (flag.given | flag.surname)) !== 0
      ? label.person
      : (bits & (flag.country | flag.city)) !== 0
        ? label.place
        : label.none;

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
    let best = 0;
    const candidate = isCandidate(all, at);
    if (candidate) left -= 1;
    if (candidate && left < 0) best = byTables(all.bits[at] ?? 0);
    else if (candidate) {
      featuresAt(text, all, at, mode, before, beforeThat, false, cells);
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
      const firm = odd >>> 16;
      const top = Math.max(person, place, firm);
      best = top <= none ? 0 : top === person ? label.person : top === place ? label.place : label.organisation;
    }
    if (best !== label.place && sureCountry(all, at, mode)) best = label.place;
    else if (best !== label.none && best !== label.organisation && isAcronym(all, at, mode)) best = label.none;
    labels[at] = best;
    beforeThat = before;
    before = best;
  }
}

/** Small words inside names: `van`, `de la`, `bin`. */
const particles = new Set(
  [
    'van',
    'von',
    'der',
    'den',
    'de',
    'del',
    'della',
    'di',
    'da',
    'dos',
    'das',
    'du',
    'la',
    'las',
    'los',
    'le',
    'el',
    'al',
    'bin',
    'ibn',
    'ben',
    'bint',
    'ter',
    'ten',
    'zu',
    'af',
    'y',
    'e',
  ].map(hashWord),
);

const of = hashWord('of');
const shortForms = new Set(['st', 'ste', 'mt', 'ft'].map(hashWord));

/** What one word's label says of its neighbours: `St. Thomas` is one name, `Price:` is a heading. */
export function resolveLabels(all: Tokens, labels: Uint8Array): void {
  for (let at = 0; at < all.count; at += 1) {
    if (labels[at] === label.none && all.shape[at] !== shape.capital) continue;
    if (
      shortForms.has(all.hash[at] ?? 0) &&
      all.shape[at] === shape.capital &&
      all.shape[at + 1] === shape.capital &&
      at + 1 < all.count &&
      (all.gap[at + 1] ?? 0) !== gap.line &&
      labels[at + 1] !== label.person &&
      ((all.bits[at + 1] ?? 0) & flag.veryCommon) === 0
    ) {
      labels[at] = label.place;
      labels[at + 1] = label.place;
    }
    const bits = all.bits[at] ?? 0;
    // A very common word standing alone is no name on the tagger's word only.
    if (
      labels[at] !== label.none &&
      (((bits & flag.veryCommon) !== 0 && (bits & (flag.given | flag.surname | flag.city | flag.country)) === 0) ||
        ((bits & flag.capitalised) !== 0 && (bits & (flag.given | flag.city | flag.country)) === 0)) &&
      (all.phrase[at] ?? 0) === 0 &&
      (at === 0 || labels[at - 1] === label.none) &&
      (at + 1 >= all.count || labels[at + 1] === label.none)
    )
      labels[at] = label.none;
    if (
      labels[at] !== label.none &&
      all.gap[at + 1] === gap.colon &&
      all.gap[at] !== gap.space &&
      (bits & (flag.veryCommon | flag.dictionary | flag.foreign | flag.organisation | flag.title)) !== 0 &&
      (bits & (flag.given | flag.country)) === 0
    )
      labels[at] = label.none;
  }
}

export const isParticle = (all: Tokens, at: number): boolean => particles.has(all.hash[at] ?? 0);

const joins = (kind: number): boolean =>
  kind === gap.space || kind === gap.hyphen || kind === gap.apostrophe || kind === gap.none || kind === gap.period;

/** Index of the last token of the name that begins at `first`. */
export function nameEnd(all: Tokens, labels: Uint8Array, first: number): number {
  const kind = labels[first];
  let last = first;
  for (let next = first + 1; next < all.count; next += 1) {
    const between = all.gap[next] ?? 0;
    // A period joins only behind an initial or a short form: `J. Smith`, `Jr. Smith`, never two sentences.
    const joined =
      (joins(between) && between !== gap.period) ||
      (shortForms.has(all.hash[next - 1] ?? 0) && (between === gap.sentence || between === gap.period)) ||
      ((between === gap.sentence || between === gap.period) &&
        all.shape[next - 1] === shape.initial &&
        next - 1 === last);
    if (!joined) break;
    if (labels[next] === kind) last = next;
    else if (kind === label.place && all.hash[next] === of && next - last === 1) continue;
    else if (!(kind === label.person && particles.has(all.hash[next] ?? 0) && next - last <= 2)) break;
  }
  // `Tampa bay`, `Sand Hill park`: the kind of place belongs to its name.
  if (
    kind === label.place &&
    last + 1 < all.count &&
    all.gap[last + 1] === gap.space &&
    ((all.bits[last + 1] ?? 0) & flag.street) !== 0 &&
    labels[last + 1] !== label.person &&
    (all.end[last + 1] ?? 0) - (all.start[last + 1] ?? 0) > 2
  )
    last += 1;
  return last;
}
