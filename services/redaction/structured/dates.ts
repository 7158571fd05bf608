/** Dates of birth: a date that words of birth stand next to, or whose field says so. Other dates stay. */
import type { Detector } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { once } from '../once.ts';
import { pattern } from '../pattern.ts';
import { wordList } from '../word-list.ts';

/** Months begin so in the languages that support desks meet. */
const months = `
  jan feb fév fev mar maa mär már mrz apr ápr avr abr mai may maj máj mei jun jún juin jul júl juil lip aug
  août aou ago sep set sze okt oct out nov noi dec dez des déc dic gen mag giu lug ott ene ian iun iul sty lut kwi
  cze sie wrz paź lis gru oca şub nis haz tem ağu eyl eki kas ara led úno bře dub kvě čer srp zář říj pro
  tam hel huh tou kes hei elo syy lok jou янв фев мар апр ма[йя] июн июл авг сен окт
  ноя дек січ лют бер кві тра чер лип сер вер жов лис гру ιαν φεβ
  μαρ απρ μαϊ μαΐ ιουν ιουλ αυγ σεπ οκτ νοε δεκ يناير فبراير مارس
  [أا]بريل مايو يونيو يوليو [أا]غسطس سبتمبر [أا]كتوبر نوفمبر ديسمبر
`;
const year = '(?:(?:18|19|20)\\d\\d)';
const monthNumber = '(?:1[0-2]|0?[1-9])';
const day = '(?:3[01]|[12]\\d|0?[1-9])';
const datePattern = once(() => {
  const month = `(?:${wordList(months).join('|')})\\p{L}{0,9}\\.?`;
  return pattern('giu')`
    ${year}\s?[-./年년]\s?${monthNumber}\s?[-./月월]\s?${day}(?:日|일)?(?!\d)
    |(?<!\d)${day}\s?[-./]\s?${day}\s?[-./]\s?(?:${year}|\d\d)(?!\d)
    |(?<!\d)${day}(?:st|nd|rd|th|er|\.|º)?[\s-]{1,2}(?:of |de |d')?${month}
    (?:,|-|\s)\s?(?:de |of )?(?:${year}|'?\d\d(?!\d))
    |(?<!\p{L})${month}[\s-]{1,2}${day}(?:st|nd|rd|th)?,?[\s-]{1,2}(?:${year})(?!\d)
    |${year}\. ?${month} ${day}\.?(?!\d)
    |(?<!\d)${day} tháng ${monthNumber} năm ${year}
    |(?<!\p{L})${month},? (?:of |de )?${year}(?!\d)
    |(?<!\d)${year}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)
  `;
});

/** Words of birth in ASCII. Short ones are checked for their edges. */
const literals = wordList(`
  born birth dob d.o.b gebor geburt geb. naissance nacid nacim nascid nascim nato_il nata_il nascita geboorte urodz
  syntym syntyn szulet lahir narozen bday fodelse fodsels ur._ nasci_em naci_el verjaardag narodeni rojstva rojen
  gimim dzimsan cumplea compleanno
`);
const foreignLiterals = wordList(`
  né_le née_le né(e)_le né_en née_en född födelse født fødd fødsels fæðing fædd doğum g.datum рожд
  родил роден народ г.р γέννησ γεννή szület născut naștere nașterii rođen nací_
  dátum_narodenia gimė dzimšan sünni sündin 生年月日 出生 生日 생년월일 생일
  تاريخ_الميلاد مواليد ولد תאריך_לידה נולד ngày_sinh sinh_ngày
  วันเกิด เกิดวัน เกิดเมื่อ जन्म
`);
const beforeUnits = 26;
const afterUnits = 48;

function near(text: string, at: number, out: Finding[]): void {
  const from = Math.max(0, at - beforeUnits);
  const window = text.slice(from, at + afterUnits);
  // A date has two digits and more; words of birth mostly stand in prose.
  if (!/\d\D{0,24}\d/.test(window)) return;
  const date = datePattern();
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

const birthField = pattern()`
    ^(?:dob|bday|birthday|born|born_on|.*birth.*|.*geburt.*|.*naissance.*|.*nacimiento.*|.*nascimento.*
    |.*nascita.*|.*geboorte.*)$
  `;
function findInBirthField(text: string, out: Finding[]): void {
  for (const { 0: date, index } of text.slice(0, 64).matchAll(datePattern()))
    out.push({ start: index, end: index + date.length, type: 'DATE_OF_BIRTH', rank: 66, score: 0.95 });
}

export const birthDetector: Detector = {
  name: 'dates of birth',
  tier: 'structured',
  types: ['DATE_OF_BIRTH'],
  literals,
  foreignLiterals,
  hints: ['digits'],
  find({ text, key, hits, foreignHits, budget, out }) {
    budget.left -= hits.length * 8;
    if (budget.left <= 0) return;
    for (let hit = 1; hit < hits.length; hit += 2) {
      const at = hits[hit] as number;
      if (/[a-z]/i.test(text[at - 1] ?? '') && !/geburt|bday/i.test(text.slice(at, at + 6))) continue;
      near(text, at, out);
    }
    for (let hit = 1; hit < foreignHits.length; hit += 2) near(text, foreignHits[hit] as number, out);
    if (key !== undefined && birthField.test(key)) findInBirthField(text, out);
  },
};
