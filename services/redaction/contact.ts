import { type Detector, standsAlone } from './detector.ts';

/** Countries' calling codes by their first digits; E.164 numbers have 8 to 15 digits with it. */
const callingCode = /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42\d|50\d|59\d|67\d|68\d|69\d|8[058]\d|9[679]\d)/;

const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');
const phoneWord = /(?:phone|tel|t[ée]l|mobil|mobile|cell|call|fax|whatsapp|sms|ring|contact|numer|número|telefon|telefoon|handy|dial|hotline|reach me|电话|手机|電話|전화|هاتف|тел)/i;
const notPhoneWord = /(?:version|order|invoice|ticket|ref|id|sku|port|commit|build|trace|request|batch|tracking|serial|part|model|isbn|issn|doi|release)[\s#:.=_-]*$/i;

function international(match: RegExpExecArray): boolean {
  const digits = digitsOf(match[0]).replace(/^00/, '');
  return digits.length >= 8 && digits.length <= 15 && callingCode.test(digits);
}

/** A national number has a grouping that people use for phones, or a word before it that says so. */
function national(match: RegExpExecArray, text: string): boolean {
  const { index } = match;
  if (!standsAlone(text, index, index + match[0].length)) return false;
  const next = text[index + match[0].length] ?? '';
  if (/[.:/-]/.test(next) && /\d/.test(text[index + match[0].length + 1] ?? '')) return false;
  if (/[.:/@#=_-]/.test(text[index - 1] ?? '') && !/[:=]/.test(text[index - 1] ?? '')) return false;
  const digits = digitsOf(match[0]);
  if (digits.length < 7 || digits.length > 12) return false;
  if (/^(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])/.test(match[0]) || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(match[0])) return false;
  const before = text.slice(Math.max(0, index - 32), index);
  if (notPhoneWord.test(before)) return false;
  if (phoneWord.test(before)) return true;
  const groups = match[0].split(/[^\d]+/).filter(Boolean).map((group) => group.length);
  if (/\(\d{2,5}\)/.test(match[0])) return digits.length >= 9;
  if (groups.length === 3 && groups[0] === 3 && groups[1] === 3 && groups[2] === 4) return /^[2-9]/.test(digits);
  if (digits.startsWith('0') && groups.length >= 2 && digits.length >= 9 && digits.length <= 12) return groups.every((size) => size <= 8);
  return groups.length === 2 && digits.length === 10 && /^[2-9]/.test(digits) && groups[1] === 7;
}

export const contactDetectors: readonly Detector[] = [
  {
    type: 'EMAIL', rank: 80, anchor: /@/,
    pattern: /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}[\p{L}][\p{L}\p{N}-]{1,23}/gu,
    accept: (match, text) => {
      // Text glued to the address in a script without spaces is no part of it.
      const lead = /^[\u3000-\u9fff\uac00-\ud7af\u3040-\u30ff'"`*=/{|]+(?=[A-Za-z0-9])/u.exec(match[0])?.[0].length ?? 0;
      const tail = /[\u3000-\u9fff\uac00-\ud7af\u3040-\u30ff]+$/u.exec(match[0])?.[0].length ?? 0;
      const start = match.index + lead;
      const end = match.index + match[0].length - tail;
      return end - start > 5 && text.slice(start, end).includes('@') ? { start, end } : true;
    },
  },
  {
    type: 'EMAIL', rank: 79, anchor: /\b(?:at|dot)\b|\[at\]|\(at\)/i,
    pattern: /[A-Za-z0-9._%+-]{1,64}\s{0,2}[[({<]\s?at\s?[\])}>]\s{0,2}[A-Za-z0-9-]{1,63}(?:\s{0,2}(?:[[({<]\s?dot\s?[\])}>]|\.)\s{0,2}[A-Za-z0-9-]{2,63}){1,4}|\b[A-Za-z0-9._%+-]{1,64} at [A-Za-z0-9-]{1,63} dot [A-Za-z]{2,24}\b/gi,
  },
  { type: 'PHONE', rank: 52, anchor: /\+\s?\d|\b00\d/, pattern: /(?:\+\s?|\b00)\d(?:[\s().\u00a0/-]{0,3}\d){6,14}(?!\d)/g, accept: international },
  { type: 'PHONE', rank: 48, anchor: /\d{2}/, pattern: /\(?\d{2,5}\)?(?:[\s.\u00a0/-]{1,2}\(?\d{1,8}\)?){1,5}(?:\s{0,2}(?:x|ext\.?)\s{0,2}\d{1,6})?|\b\d{7,11}\b/g, accept: national },
];
