// Trains the names tagger and writes services/redaction/names/weights.ts: an averaged perceptron (Collins 2002,
// doi:10.3115/1118693.1118694) on the WNUT17 training tweets (CC-BY-4.0, named in NOTICE), the banking77 questions
// (CC-BY-4.0; they name nobody) and own sentences (name-sentences.ts) filled from name-samples.json. Nothing under
// share-alike is read. Deterministic: its chance comes from a counter.   TRIPLINE_TEST_DATA=<folder> node --import tsx
// infra/scripts/name-weights.ts [--check]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { isCandidate } from '../../services/redaction/names/candidates.ts';
import { caseMode, featureBits, featureCount, featuresAt } from '../../services/redaction/names/features.ts';
import { flag, lexicon } from '../../services/redaction/names/lexicon.ts';
import { tokenize } from '../../services/redaction/names/tokenize.ts';
import { vocabularyOf } from '../../services/redaction/names/vocabulary.ts';
import { wordList } from '../../services/redaction/word-list.ts';
import { decoys, sentences } from './name-sentences.ts';
import { packedTable } from './packed-table.ts';

type Span = { readonly start: number; readonly end: number; readonly type: string };
type Example = { readonly text: string; readonly spans: readonly Span[]; readonly blind: number };
const labels = ['', 'PERSON', 'LOCATION', 'ORG'];
const data = resolve(process.env['TRIPLINE_TEST_DATA'] ?? '../shared/data');
const target = fileURLToPath(new URL('../../services/redaction/names/weights.ts', import.meta.url));

let state = 0x2545f491;
const chance = (): number => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};
const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;

const samples = JSON.parse(
  readFileSync(fileURLToPath(new URL('./name-samples.json', import.meta.url)), 'utf8'),
) as Readonly<Record<'given' | 'surname' | 'city' | 'town' | 'country', readonly string[]>>;
const syllables = wordList(`
  ka lo ri men tas vil dor bek shi zu han mar el os tin gar fo nya qui rek sol tov
  ug wen yor ald bru cze dra eng`);
const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const invented = (): string =>
  title(Array.from({ length: 2 + Math.floor(chance() * 2) }, () => pick(syllables)).join(''));
const capitalised = vocabularyOf('capitalised').slice(0, 230);
const known = (list: readonly string[], share = 0.8): string => (chance() < share ? pick(list) : invented());
/** `Maria Berg`, `Maria K. Berg`, `Maria Berg-Olsen`. Chance is asked in the order of the words. */
function fullName(): string {
  const given = known(samples.given, 0.9);
  const initial = chance() < 0.12 ? `${pick(syllables).charAt(0).toUpperCase()}. ` : '';
  const surname = known(samples.surname);
  return `${given} ${initial}${surname}${chance() < 0.05 ? `-${pick(samples.surname)}` : ''}`;
}
const placeStarts = wordList('Lake Mount Cape Port Fort San Saint El Gulf_of Bay_of City_of');
const placeEnds = wordList(`
  River Park Bridge Beach Island Valley Hills County Street Avenue Road Mountain Bay Square Airport Hall Harbor Stadium
  Castle Falls Desert Province Grill Hotel`);
const firmEnds = wordList('Inc Corp Ltd Group Bank Systems Hotel Motors Energy LLC');
const cityFirmEnds = wordList('United Times Hospital Police Museum Airlines');
const firms = wordList(`
  Enron Toyota Reuters BBC CNN NATO UN FBI NASA Sony Nike Walmart Starbucks Pepsi IBM Intel Hamas Congress Senate`);
const countries = wordList(`
  Texas California Iraq UK USA U.S. Europe America Ohio Bavaria Iran Africa US Ontario Florida England Scotland Asia`);
const slots: Readonly<Record<string, () => readonly [string, string]>> = {
  G: () => [known(samples.given, 0.9), 'PERSON'],
  S: () => [known(samples.surname), 'PERSON'],
  F: () => [fullName(), 'PERSON'],
  P: () => (slots[pick(['G', 'S', 'F'])] as () => readonly [string, string])(),
  C: () => [known(chance() < 0.7 ? samples.city : samples.town, 0.85), 'LOCATION'],
  N: () => [pick(chance() < 0.6 ? samples.country : countries), 'LOCATION'],
  L: () => (slots[pick(['C', 'N'])] as () => readonly [string, string])(),
  K: () => [
    pick([
      () => `${pick(placeStarts)} ${known(chance() < 0.5 ? samples.surname : samples.town)}`,
      () => `${known(chance() < 0.5 ? samples.surname : samples.town)} ${pick(placeEnds)}`,
    ])(),
    'LOCATION',
  ],
  O: () => [
    pick([
      () => `${known(samples.surname)} ${pick(firmEnds)}`,
      () => `University of ${pick(samples.city)}`,
      () => `Bank of ${pick(samples.country)}`,
      () => `${pick(samples.city)} ${pick(cityFirmEnds)}`,
      invented,
      () => pick(firms),
    ])(),
    'ORG',
  ],
  D: () => [chance() < 0.5 ? pick(decoys) : title(pick(capitalised)), ''],
};
function fill(template: string): Example {
  const spans: Span[] = [];
  let text = '';
  let from = 0;
  for (const match of template.matchAll(/\{([A-Z])\}/g)) {
    text += template.slice(from, match.index);
    const [word, type] = (slots[match[1] ?? ''] as () => readonly [string, string])();
    if (type !== '') spans.push({ start: text.length, end: text.length + word.length, type });
    text += word;
    from = match.index + match[0].length;
  }
  return { text: text + template.slice(from), spans, blind: 0.6 };
}
const recase = (example: Example, lower: boolean): Example => {
  const text = lower ? example.text.toLowerCase() : example.text.toUpperCase();
  return text.length === example.text.length ? { ...example, text } : example;
};

const examples: Example[] = [];
for (const line of readFileSync(join(data, 'redaction/dev/train-ner-wnut17.jsonl'), 'utf8').trim().split('\n')) {
  const { text, spans } = JSON.parse(line) as Example;
  examples.push({ text, spans, blind: 0.15 });
}
const tweets = examples.length;
const questions = gunzipSync(readFileSync(join(data, 'text/banking77_train.csv.gz')))
  .toString('utf8')
  .split('\n')
  .slice(1)
  .filter((_, index) => index % 10 === 0);
for (const line of questions)
  examples.push({ text: line.replace(/,[a-z_A-Z?]+\r?$/, '').replaceAll('"', ''), spans: [], blind: 0 });
const rounds = Number(process.env['ROUNDS'] ?? 40);
for (let round = 0; round < rounds; round += 1) for (const template of sentences) examples.push(fill(template));
for (const example of [...examples]) {
  const luck = chance();
  if (luck < 0.07) examples.push(recase(example, true));
  else if (luck < 0.13) examples.push(recase(example, false));
}

const size = (1 << featureBits) * 4;
const weights = new Float64Array(size);
const totals = new Float64Array(size);
const stamps = new Float64Array(size);
let clock = 0;
const bump = (cellIndex: number, by: number): void => {
  totals[cellIndex] = (totals[cellIndex] ?? 0) + (clock - (stamps[cellIndex] ?? 0)) * (weights[cellIndex] ?? 0);
  stamps[cellIndex] = clock;
  weights[cellIndex] = (weights[cellIndex] ?? 0) + by;
};
const words = lexicon();
const cells = new Int32Array(featureCount);
let right = 0;
let seen = 0;
/** What a wrong answer costs while training: a missed name more than a word too many. */
const missMargin = Number(process.env['MARGIN'] ?? 6);
function learn({ text, spans, blind }: Example): void {
  const all = tokenize(text, words);
  const mode = caseMode(all);
  let before = 0;
  let beforeThat = 0;
  for (let at = 0; at < all.count; at += 1) {
    let guess = 0;
    if (isCandidate(all, at)) {
      const from = all.start[at] ?? 0;
      const gold = Math.max(0, labels.indexOf(spans.find(({ start, end }) => start <= from && from < end)?.type ?? ''));
      const common = ((all.bits[at] ?? 0) & (flag.veryCommon | flag.dictionary | flag.capitalised)) !== 0;
      featuresAt(text, all, at, mode, before, beforeThat, !common && chance() < blind, cells);
      const scores = [gold === 0 ? 0 : missMargin, 1, 1, 1];
      for (const cell of cells)
        for (let label = 0; label < 4; label += 1)
          scores[label] = (scores[label] ?? 0) + (weights[cell * 4 + label] ?? 0);
      scores[gold] = (scores[gold] ?? 0) - (gold === 0 ? 0 : 1);
      guess = scores.indexOf(Math.max(...scores));
      clock += 1;
      seen += 1;
      if (guess === gold) right += 1;
      else
        for (const cell of cells) {
          bump(cell * 4 + gold, 1);
          bump(cell * 4 + guess, -1);
        }
      guess = gold;
    }
    beforeThat = before;
    before = guess;
  }
}
const epochs = Number(process.env['EPOCHS'] ?? 5);
// One perceptron depends on the order of its examples by a point or two; the sum of several hardly does.
const votes = Number(process.env['VOTES'] ?? 6);
const sums = new Float64Array(size);
for (let vote = 0; vote < votes; vote += 1) {
  for (const table of [weights, totals, stamps]) table.fill(0);
  clock = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    right = 0;
    seen = 0;
    for (let last = examples.length - 1; last > 0; last -= 1) {
      const other = Math.floor(chance() * (last + 1));
      [examples[last], examples[other]] = [examples[other] as Example, examples[last] as Example];
    }
    for (const example of examples) learn(example);
  }
  console.error(`vote ${vote}: ${((100 * right) / seen).toFixed(2)}% of ${seen}`);
  for (let index = 0; index < size; index += 1) {
    bump(index, 0);
    sums[index] = (sums[index] ?? 0) + (totals[index] ?? 0) / clock;
  }
}
const largest = [...sums].map((value) => Math.abs(value)).sort((a, b) => b - a)[Math.floor(size / 1_000)] ?? 1;
const scale = 127 / largest;
const packed = Int8Array.from(sums, (value) => Math.max(-127, Math.min(127, Math.round(value * scale))));
const file = packedTable(
  [
    `Generated by infra/scripts/name-weights.ts from ${tweets} tweets of WNUT17 (CC-BY-4.0, see NOTICE),`,
    `${questions.length} questions of banking77 (CC-BY-4.0) and own sentences. Not edited by hand.`,
  ],
  'weightTable',
  new Uint8Array(packed.buffer),
);
if (process.argv.includes('--check')) {
  const fresh = existsSync(target) && readFileSync(target, 'utf8') === file;
  if (!fresh) console.error('services/redaction/names/weights.ts is stale: run infra/scripts/name-weights.ts');
  process.exit(fresh ? 0 : 1);
}
writeFileSync(target, file);
const used = packed.filter((value) => value !== 0).length;
console.log(`${examples.length} examples, ${used} of ${size} weights, unit ${scale * votes}`);
