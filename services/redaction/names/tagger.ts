/** Labels the words of a text with the trained weights, left to right, and joins labelled neighbours into findings. */
import { caseMode, featureCount, featuresAt } from './features.ts';
import { isCandidate, gap, shape, type Tokens } from './tokens.ts';
import { flag } from './lexicon.ts';
import { hashWord } from './letters.ts';
import { weightTable } from './weights.ts';

export const label = { none: 0, person: 1, place: 2, organisation: 3 } as const;

let weights: Int8Array | undefined;
const loadWeights = (): Int8Array => {
  if (weights === undefined) {
    const bytes = Buffer.from(weightTable, 'base64');
    weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return weights;
};

/** Added to the score of "no name": raised, fewer and surer findings. In weight units, of 26 weights of -127..127. Set on WNUT17's training tweets and own sentences. */
export const reluctance = { value: -30 };

const cells = new Int32Array(featureCount);

/** `US`, `U.S.`, `United States`: capitals that a table knows as a country, in a text that is not all capitals. */
function sureCountry(all: Tokens, at: number, mode: number): boolean {
  if (mode > 2) return false;
  const form = all.shape[at] ?? 0;
  if (form === shape.allCapitals && ((all.bits[at] ?? 0) & (flag.country | flag.capitalised)) === flag.country) return true;
  return form !== shape.lower && form !== shape.glued && ((all.phrase[at] ?? 0) & flag.country) !== 0;
}

/** Fills `labels` (one a token). */
export function tag(text: string, all: Tokens, labels: Uint8Array): void {
  const table = loadWeights();
  const mode = caseMode(all);
  let before = 0;
  let beforeThat = 0;
  for (let at = 0; at < all.count; at += 1) {
    let best = 0;
    if (isCandidate(all, at)) {
      featuresAt(text, all, at, mode, before, beforeThat, false, cells);
      let none = reluctance.value;
      let person = 0;
      let place = 0;
      let firm = 0;
      for (let index = 0; index < featureCount; index += 1) {
        const cell = (cells[index] ?? 0) * 4;
        none += table[cell] ?? 0;
        person += table[cell + 1] ?? 0;
        place += table[cell + 2] ?? 0;
        firm += table[cell + 3] ?? 0;
      }
      const top = Math.max(person, place, firm);
      best = top <= none ? 0 : top === person ? label.person : top === place ? label.place : label.organisation;
    }
    if (best !== label.place && sureCountry(all, at, mode)) best = label.place;
    labels[at] = best;
    beforeThat = before;
    before = best;
  }
}

/** Small words inside names: `van`, `de la`, `bin`. */
const particles = new Set(['van', 'von', 'der', 'den', 'de', 'del', 'della', 'di', 'da', 'dos', 'das', 'du', 'la', 'le', 'el', 'al', 'bin', 'ibn', 'ben', 'bint', 'ter', 'ten', 'zu', 'af', 'y', 'e'].map(hashWord));

const joins = (kind: number): boolean => kind === gap.space || kind === gap.hyphen || kind === gap.apostrophe || kind === gap.none || kind === gap.period;

/** Index of the last token of the name that begins at `first`. */
export function nameEnd(all: Tokens, labels: Uint8Array, first: number): number {
  const kind = labels[first];
  let last = first;
  for (let next = first + 1; next < all.count; next += 1) {
    const between = all.gap[next] ?? 0;
    // A period joins only behind an initial or a short form: `J. Smith`, `Jr. Smith`, never two sentences.
    const joined = joins(between) && (between !== gap.period) || (between === gap.sentence || between === gap.period) && all.shape[next - 1] === shape.initial && next - 1 === last;
    if (!joined) break;
    if (labels[next] === kind) last = next;
    else if (!(kind === label.person && particles.has(all.hash[next] ?? 0) && next - last <= 2)) break;
  }
  return last;
}
