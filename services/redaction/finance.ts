import { type Detector, standsAlone } from './detector.ts';

/** Luhn's check over the digits of a card number. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = digits.length - 1, double = false; index >= 0; index -= 1, double = !double) {
    const digit = digits.charCodeAt(index) - 48;
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum % 10 === 0;
}

/** Issuer ranges (ISO/IEC 7812 prefixes as the networks publish them) with the lengths they use. */
const issuers: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] },
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^3(?:0[0-59]|[689])/, lengths: [14, 15, 16, 17, 18, 19] },
  { prefix: /^(?:6011|64[4-9]|65|62|81)/, lengths: [16, 17, 18, 19] },
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16, 17, 18, 19] },
  { prefix: /^(?:50|5[6-9]|6)/, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { prefix: /^220[0-4]/, lengths: [16, 17, 18, 19] },
];

function isCard(match: RegExpExecArray, text: string): boolean {
  if (!standsAlone(text, match.index, match.index + match[0].length)) return false;
  const digits = match[0].replaceAll(/\D/g, '');
  if (/^(\d)\1+$/.test(digits)) return false;
  return passesLuhn(digits) && issuers.some(({ prefix, lengths }) => prefix.test(digits) && lengths.includes(digits.length));
}

/** Length of an IBAN by country (SWIFT IBAN registry). */
const ibanLengths: Readonly<Record<string, number>> = {
  AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BR: 29, BY: 28, CH: 21, CR: 22, CY: 28, CZ: 24, DE: 22, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FO: 18, FR: 27,
  GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20, LV: 21, LY: 25, MC: 27,
  MD: 24, ME: 22, MK: 19, MR: 27, MT: 31, MU: 30, NL: 18, NO: 15, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29, RO: 24, RS: 22, SA: 24, SC: 31, SE: 24, SI: 19, SK: 24, SM: 27, ST: 25, SV: 28, TL: 23,
  TN: 24, TR: 26, UA: 29, VA: 22, VG: 24, XK: 20,
};

/** ISO 13616: the rearranged number is 1 modulo 97. */
export function passesMod97(iban: string): boolean {
  let remainder = 0;
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function ibanRange(match: RegExpExecArray, text: string): boolean | { start: number; end: number } {
  const country = match[0].slice(0, 2).toUpperCase();
  const length = ibanLengths[country];
  if (length === undefined || (match.index > 0 && /[A-Za-z0-9]/.test(text[match.index - 1] ?? ''))) return false;
  let compact = '';
  for (let index = 0; index < match[0].length; index += 1) {
    const char = match[0][index] ?? '';
    if (/[A-Za-z0-9]/.test(char)) compact += char.toUpperCase();
    if (compact.length === length) return passesMod97(compact) && { start: match.index, end: match.index + index + 1 };
  }
  return false;
}

export const financeDetectors: readonly Detector[] = [
  { type: 'IBAN', rank: 75, anchor: /[A-Za-z]{2}\d\d/, pattern: /[A-Za-z]{2}\d{2}(?:[ \u00a0.-]{0,2}[A-Za-z0-9]){11,30}/g, accept: ibanRange },
  { type: 'CREDIT_CARD', rank: 72, anchor: /\d{3}/, pattern: /\d(?:[ \t\u00a0.-]{0,2}\d){11,18}(?!\d)/g, accept: isCard },
  { type: 'CRYPTO', rank: 60, anchor: /0x|bc1|[13]/, pattern: /\b(?:0x[0-9a-fA-F]{40}|bc1[02-9ac-hj-np-z]{11,71}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\b/g, accept: (match) => /[A-Za-z]/.test(match[0].slice(1)) && /\d/.test(match[0]) },
];
