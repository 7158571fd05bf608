/**
 * Postal codes: behind a word for them, and alone on the last line of an address. Their shapes are too common to be
 * found by themselves.
 */
import type { Detector } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { pattern } from '../pattern.ts';
import { wordList } from '../word-list.ts';

/** Codes as the Universal Postal Union lists them, the longer ones first. */
const code = pattern()`
    (?:\d{5}-\d{3,4}|\d{3}-\d{4}|\d{2}-\d{3}|\d{3} \d{2,3}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}
    |[A-Z]\d[A-Z][ -]?\d[A-Z]\d|\d{4} ?[A-Z]{2}|[A-Z]\d[\dW] ?[A-Z\d]{4}|[A-Z]{1,3}-?\d{3,6}|\d{3,8})
    (?![\w]|[-.,/]\w)
  `.source;
/** Between the word and the code: `code`, `number`, `is` in some languages, punctuation. */
const between = '\\s:="\'`(.#*_\\-[{<>|~“„«→';
const behindWord = pattern('iu')`
    ^[\p{L}]{0,3}[${between}]{0,5}
    (?:(?:code|codes|kodu|kodas|number|no|nr|is|was|ist|est|es|è|é|er|är|je|to|on|de|del|हो|है|は|是|为)
    [${between}]{1,4}){0,3}(${code})
  `;
const alone = new RegExp(`(?:^|^[^\\d]{1,39}\\s)(${code})$`);

/** Words for a postal code in ASCII; a letter before one makes it another word (`unzip`). */
const postalWords = wordList(`
  zip postal postcode post_code plz postleitzahl postnummer postnr postinumero pocztow pincode pin_code eircode
  posta_kodu postitus postanski kode_pos cep_ cep:
`);
/** Words that stand above the last line of an address. */
const addressWords = wordList('apt._ apt_ suite_ billing_address shipping_address mailing_address');
const literals = [...postalWords, ...addressWords];
const foreignLiterals = wordList(`
  邮编 郵編 邮政编码 郵遞區號 郵便番号 〒 우편번호 индекс індекс psč
  irányítószám poštanski_broj poštna_številka pašto_kodas pasta_indeks ταχυδρομικός
  รหัสไปรษณีย์ الرمز_البريدي מיקוד mã_bưu पिन_कोड
`);

/** `end`: one past the word. */
function findBehindWord(text: string, end: number, out: Finding[]): void {
  const found = behindWord.exec(text.slice(end, end + 48));
  const value = found?.[1];
  if (found !== null && value !== undefined) push(end + found[0].lastIndexOf(value), value, out);
}
const push = (start: number, value: string, out: Finding[]): void => {
  out.push({ start, end: start + value.length, type: 'ZIP', rank: 40, score: 0.7 });
};

const lineUnits = 60;
const mostLines = 3;
/** The code that is all of one of the next lines, or stands at its end behind a place's name. */
function findLastLine(text: string, at: number, out: Finding[]): void {
  let from = text.indexOf('\n', at);
  for (let line = 0; line < mostLines && from >= 0 && from - at < lineUnits * (line + 1); line += 1) {
    const next = text.indexOf('\n', from + 1);
    const end = next < 0 ? text.length : next;
    if (end - from > lineUnits) return;
    const content = text.slice(from + 1, end).trimEnd();
    const value = /[\dA-Z]$/.test(content) ? alone.exec(content.trimStart())?.[1] : undefined;
    if (value !== undefined) {
      push(from + 1 + content.length - value.length, value, out);
      return;
    }
    from = next;
  }
}

export const postalCodeDetector: Detector = {
  name: 'postal codes',
  tier: 'structured',
  types: ['ZIP'],
  literals,
  foreignLiterals,
  find({ text, hits, foreignHits, out }) {
    for (let hit = 0; hit < hits.length; hit += 2) {
      const literal = hits[hit] as number;
      const at = hits[hit + 1] as number;
      if (/[A-Za-z]/.test(text[at - 1] ?? '')) continue;
      const word = literals[literal] as string;
      if (literal >= postalWords.length) findLastLine(text, at, out);
      else findBehindWord(text, at + word.trimEnd().replace(/:$/, '').length, out);
    }
    for (let hit = 1; hit < foreignHits.length; hit += 2) findBehindWord(text, foreignHits[hit] as number, out);
  },
};
