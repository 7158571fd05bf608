/** Postal codes: behind a word for them, and alone on the last line of an address. Their shapes are too common to be found by themselves. */
import type { ScoredFinding } from './index.ts';

/** Codes as the Universal Postal Union lists them, the longer ones first. */
const code = '(?:\\d{5}-\\d{3,4}|\\d{3}-\\d{4}|\\d{2}-\\d{3}|\\d{3} \\d{2,3}|[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}|[A-Z]\\d[A-Z][ -]?\\d[A-Z]\\d|\\d{4} ?[A-Z]{2}|[A-Z]\\d[\\dW] ?[A-Z\\d]{4}|[A-Z]{1,3}-?\\d{3,6}|\\d{3,8})(?![\\w]|[-.,/]\\w)';
/** Between the word and the code: `code`, `number`, `is` in some languages, punctuation. */
const behindWord = new RegExp(`^[\\p{L}]{0,3}[\\s:="'\`(.#*_-]{0,5}(?:(?:code|codes|kodu|kodas|number|no|nr|is|was|ist|est|es|è|é|er|är|je|to|on|de|del|हो|है|は|是|为)[\\s:="'.*]{1,4}){0,3}(${code})`, 'iu');
const lastLine = new RegExp(`^[^\\n]{1,60}\\n[ \\t]{0,12}(?:[^\\n]{2,40}\\n[ \\t]{0,12}){0,2}(?:[^\\n\\d]{2,40} )?(${code})[ \\t]{0,8}(?:\\n|$)`);

/** ASCII words, lower case; a letter before one makes it another word (`unzip`). */
export const postalWords = ['zip', 'postal', 'postcode', 'post code', 'plz', 'postleitzahl', 'postnummer', 'postnr', 'postinumero', 'pocztow', 'pincode', 'pin code', 'eircode', 'posta kodu', 'postitus', 'postanski', 'kode pos', 'cep ', 'cep:'] as const;
/** Words that stand above the last line of an address. */
export const addressWords = ['apt. ', 'apt ', 'suite ', 'billing address', 'shipping address', 'mailing address'] as const;
/** Words outside ASCII. */
export const foreignPostalWords = ['邮编', '郵編', '邮政编码', '郵遞區號', '郵便番号', '〒', '우편번호', 'индекс', 'індекс', 'psč', 'irányítószám', 'poštanski broj', 'poštna številka', 'pašto kodas', 'pasta indeks', 'ταχυδρομικός', 'รหัสไปรษณีย์', 'الرمز البريدي', 'מיקוד', 'mã bưu', 'पिन कोड'] as const;

function push(found: RegExpExecArray | null, from: number, out: ScoredFinding[]): void {
  const value = found?.[1];
  if (found === null || value === undefined) return;
  const start = from + found.index + found[0].lastIndexOf(value);
  out.push({ start, end: start + value.length, type: 'ZIP', rank: 40, score: 0.7 });
}

/** `end`: one past the word. */
export const findPostalCode = (text: string, end: number, out: ScoredFinding[]): void => push(behindWord.exec(text.slice(end, end + 48)), end, out);

export function findPostalCodes(text: string, at: number, word: string, out: ScoredFinding[]): void {
  if (/[A-Za-z]/.test(text[at - 1] ?? '')) return;
  if ((addressWords as readonly string[]).includes(word)) {
    const block = text.slice(at, at + 200);
    if (/\n/.test(block) && /\d/.test(block)) push(lastLine.exec(block), at, out);
  } else findPostalCode(text, at + word.trimEnd().replace(/:$/, '').length, out);
}
