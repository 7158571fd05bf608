/** Dates of birth: a date that words of birth stand next to, or whose field says so. Other dates stay. */
import { pattern } from '../pattern.ts';
import type { ScoredFinding } from './index.ts';

/** Months begin so in the languages that support desks meet. */
const month =
  '(?:jan|feb|fév|fev|mar|maa|mär|már|mrz|apr|ápr|avr|abr|mai|may|maj|máj|mei|jun|jún|juin|jul|júl|juil|lip|aug|août|aou|ago|sep|set|sze|okt|oct|out|nov|noi|dec|dez|des|déc|dic|gen|mag|giu|lug|ott|ene|ian|iun|iul|sty|lut|kwi|cze|sie|wrz|paź|lis|gru|oca|şub|nis|haz|tem|ağu|eyl|eki|kas|ara|led|úno|bře|dub|kvě|čer|srp|zář|říj|pro|tam|hel|huh|tou|kes|hei|elo|syy|lok|jou|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек|січ|лют|бер|кві|тра|чер|лип|сер|вер|жов|лис|гру|ιαν|φεβ|μαρ|απρ|μαϊ|μαΐ|ιουν|ιουλ|αυγ|σεπ|οκτ|νοε|δεκ|يناير|فبراير|مارس|[أا]بريل|مايو|يونيو|يوليو|[أا]غسطس|سبتمبر|[أا]كتوبر|نوفمبر|ديسمبر)\\p{L}{0,9}\\.?';
const year = '(?:(?:18|19|20)\\d\\d)';
const date = new RegExp(
  [
    `${year}\\s?[-./年년]\\s?(?:1[0-2]|0?[1-9])\\s?[-./月월]\\s?(?:3[01]|[12]\\d|0?[1-9])(?:日|일)?(?!\\d)`,
    `(?<!\\d)(?:3[01]|[12]\\d|0?[1-9])\\s?[-./]\\s?(?:3[01]|[12]\\d|0?[1-9])\\s?[-./]\\s?(?:${year}|\\d\\d)(?!\\d)`,
    `(?<!\\d)(?:3[01]|[12]\\d|0?[1-9])(?:st|nd|rd|th|er|\\.|º)?[\\s-]{1,2}(?:of |de |d')?${month}(?:,|-|\\s)\\s?(?:de |of )?(?:${year}|'?\\d\\d(?!\\d))`,
    `(?<!\\p{L})${month}[\\s-]{1,2}(?:3[01]|[12]\\d|0?[1-9])(?:st|nd|rd|th)?,?[\\s-]{1,2}(?:${year})(?!\\d)`,
    `${year}\\. ?${month} (?:3[01]|[12]\\d|0?[1-9])\\.?(?!\\d)`,
    `(?<!\\d)(?:3[01]|[12]\\d|0?[1-9]) tháng (?:1[0-2]|0?[1-9]) năm ${year}`,
    `(?<!\\p{L})${month},? (?:of |de )?${year}(?!\\d)`,
    `(?<!\\d)${year}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])(?!\\d)`,
  ].join('|'),
  'giu',
);

/** ASCII words of birth; the caller's literals. Short ones are checked for their edges. */
export const birthLiterals = [
  'born',
  'birth',
  'dob',
  'd.o.b',
  'gebor',
  'geburt',
  'geb.',
  'naissance',
  'nacid',
  'nacim',
  'nascid',
  'nascim',
  'nato il',
  'nata il',
  'nascita',
  'geboorte',
  'urodz',
  'syntym',
  'syntyn',
  'szulet',
  'lahir',
  'narozen',
  'bday',
  'fodelse',
  'fodsels',
  'ur. ',
  'nasci em',
  'naci el',
  'verjaardag',
  'narodeni',
  'rojstva',
  'rojen',
  'gimim',
  'dzimsan',
  'cumplea',
  'compleanno',
] as const;
/** Words of birth outside ASCII. */
export const foreignBirthWords = [
  'né le',
  'née le',
  'né(e) le',
  'né en',
  'née en',
  'född',
  'födelse',
  'født',
  'fødd',
  'fødsels',
  'fæðing',
  'fædd',
  'doğum',
  'g.datum',
  'рожд',
  'родил',
  'роден',
  'народ',
  'г.р',
  'γέννησ',
  'γεννή',
  'szület',
  'născut',
  'naștere',
  'nașterii',
  'rođen',
  'nací ',
  'dátum narodenia',
  'gimė',
  'dzimšan',
  'sünni',
  'sündin',
  '生年月日',
  '出生',
  '生日',
  '생년월일',
  '생일',
  'تاريخ الميلاد',
  'مواليد',
  'ولد',
  'תאריך לידה',
  'נולד',
  'ngày sinh',
  'sinh ngày',
  'วันเกิด',
  'เกิดวัน',
  'เกิดเมื่อ',
  'जन्म',
] as const;
const beforeUnits = 26;
const afterUnits = 48;

function near(text: string, at: number, out: ScoredFinding[]): void {
  const from = Math.max(0, at - beforeUnits);
  const window = text.slice(from, at + afterUnits);
  // A date has two digits and more; words of birth mostly stand in prose.
  if (!/\d\D{0,24}\d/.test(window)) return;
  let best: { start: number; end: number } | undefined;
  // Not matchAll: it copies the pattern each time, which takes longer than the search.
  date.lastIndex = 0;
  for (let match = date.exec(window); match !== null; match = date.exec(window)) {
    const start = from + match.index;
    // The first date behind the word; one before it only when none follows ("04.05.1980 geboren").
    if (best === undefined || (best.end <= at && start > at)) best = { start, end: start + match[0].length };
    if (best.end > at) break;
  }
  if (best && !(best.end <= at && /[.!?\n]/.test(text.slice(best.end, at))))
    out.push({ ...best, type: 'DATE_OF_BIRTH', rank: 66, score: 0.9 });
}

/** `behind`: ends of words outside ASCII. */
export function findBirthdays(
  text: string,
  literalsAt: readonly number[],
  behind: readonly number[],
  key: string | undefined,
  out: ScoredFinding[],
): void {
  for (const at of literalsAt) {
    if (/[a-z]/i.test(text[at - 1] ?? '') && !/geburt|bday/i.test(text.slice(at, at + 6))) continue;
    near(text, at, out);
  }
  for (const end of behind) near(text, end, out);
  if (
    key !== undefined &&
    pattern()`
      ^(?:dob|bday|birthday|born|born_on|.*birth.*|.*geburt.*|.*naissance.*|.*nacimiento.*|.*nascimento.*
      |.*nascita.*|.*geboorte.*)$
    `.test(key)
  )
    for (const match of text.slice(0, 64).matchAll(date))
      out.push({
        start: match.index,
        end: match.index + match[0].length,
        type: 'DATE_OF_BIRTH',
        rank: 66,
        score: 0.95,
      });
}
