/**
 * Postal codes: behind a word for them, and alone on the last line of an address. Their shapes are too common to be
 * found by themselves.
 */
import type { ScoredFinding } from './index.ts';

/** Codes as the Universal Postal Union lists them, the longer ones first. */
const code =
  '(?:\\d{5}-\\d{3,4}|\\d{3}-\\d{4}|\\d{2}-\\d{3}|\\d{3} \\d{2,3}|[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}|[A-Z]\\d[A-Z][ -]?\\d[A-Z]\\d|\\d{4} ?[A-Z]{2}|[A-Z]\\d[\\dW] ?[A-Z\\d]{4}|[A-Z]{1,3}-?\\d{3,6}|\\d{3,8})(?![\\w]|[-.,/]\\w)';
/** Between the word and the code: `code`, `number`, `is` in some languages, punctuation. */
const between = '\\s:="\'`(.#*_\\-[{<>|~“„«→';
const behindWord = new RegExp(
  `^[\\p{L}]{0,3}[${between}]{0,5}(?:(?:code|codes|kodu|kodas|number|no|nr|is|was|ist|est|es|è|é|er|är|je|to|on|de|del|हो|है|は|是|为)[${between}]{1,4}){0,3}(${code})`,
  'iu',
);
const alone = new RegExp(`(?:^|^[^\\d]{1,39}\\s)(${code})$`);

/** ASCII words, lower case; a letter before one makes it another word (`unzip`). */
export const postalWords = [
  'zip',
  'postal',
  'postcode',
  'post code',
  'plz',
  'postleitzahl',
  'postnummer',
  'postnr',
  'postinumero',
  'pocztow',
  'pincode',
  'pin code',
  'eircode',
  'posta kodu',
  'postitus',
  'postanski',
  'kode pos',
  'cep ',
  'cep:',
] as const;
/** Words that stand above the last line of an address. */
export const addressWords = [
  'apt. ',
  'apt ',
  'suite ',
  'billing address',
  'shipping address',
  'mailing address',
] as const;
/** Words outside ASCII. */
export const foreignPostalWords = [
  '邮编',
  '郵編',
  '邮政编码',
  '郵遞區號',
  '郵便番号',
  '〒',
  '우편번호',
  'индекс',
  'індекс',
  'psč',
  'irányítószám',
  'poštanski broj',
  'poštna številka',
  'pašto kodas',
  'pasta indeks',
  'ταχυδρομικός',
  'รหัสไปรษณีย์',
  'الرمز البريدي',
  'מיקוד',
  'mã bưu',
  'पिन कोड',
] as const;

/** `end`: one past the word. */
export function findPostalCode(text: string, end: number, out: ScoredFinding[]): void {
  const found = behindWord.exec(text.slice(end, end + 48));
  const value = found?.[1];
  if (found !== null && value !== undefined) push(end + found[0].lastIndexOf(value), value, out);
}
const push = (start: number, value: string, out: ScoredFinding[]): void => {
  out.push({ start, end: start + value.length, type: 'ZIP', rank: 40, score: 0.7 });
};

const lineUnits = 60;
const mostLines = 3;
/** The code that is all of one of the next lines, or stands at its end behind a place's name. */
function findLastLine(text: string, at: number, out: ScoredFinding[]): void {
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

export function findPostalCodes(text: string, at: number, word: string, out: ScoredFinding[]): void {
  if (/[A-Za-z]/.test(text[at - 1] ?? '')) return;
  if ((addressWords as readonly string[]).includes(word)) findLastLine(text, at, out);
  else findPostalCode(text, at + word.trimEnd().replace(/:$/, '').length, out);
}
