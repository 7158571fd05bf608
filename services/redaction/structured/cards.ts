/** Payment cards and IBANs: issuer ranges, lengths, groupings and checksums. */
import { pattern } from '../pattern.ts';
import { iban97, luhn } from './checks.ts';
import { type Chain, joinGroups, standsAloneOrGlued } from './chain.ts';

/** Issuer ranges (ISO/IEC 7812 prefixes as the networks publish them) with the lengths they use. */
const issuers: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] },
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^3(?:0[0-59]|[689])/, lengths: [14, 15, 16, 17, 18, 19] },
  { prefix: /^(?:6011|64[4-9]|65|62|81)/, lengths: [16, 17, 18, 19] },
  { prefix: /^(?:35|2131|1800)/, lengths: [15, 16, 17, 18, 19] },
  { prefix: /^(?:50|5[6-9]|6)/, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { prefix: /^(?:220[0-4]|9792|1946|9860|8600|94)/, lengths: [16, 17, 18, 19] },
];
export const isCardNumber = (digits: string): boolean =>
  digits.length >= 12 &&
  digits.length <= 19 &&
  luhn(digits) &&
  !/^(\d)\1+$/.test(digits) &&
  issuers.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits));

/** Sizes of groups in which cards are written; anything else is a row of other numbers that happens to pass. */
const groupings = pattern()`
    ^(?:48|84|412|124|610|4(?:4)+[1-4]?|4[67][45]|465|454|644|8{2}|4{2}8|84{2}|1{12,19}|2{6,9}1?
    |3{4,6}[1-4]?|66[1-7]|5551|555|4[58]{1,2}\d?)$
  `;

/** The longest card that starts at group `a`: its last group, or -1. */
export function cardFrom(text: string, chain: Chain, a: number): number {
  const { groups, separators } = chain;
  let best = -1;
  let total = 0;
  let sizes = '';
  for (let b = a; b < groups.length && b - a < 19; b += 1) {
    const { start, end } = groups[b] as { start: number; end: number };
    total += end - start;
    if (total > 19) break;
    sizes += end - start > 9 ? `${end - start}` : String(end - start);
    // Two groups with a point between are a decimal.
    if (total < 12 || (b > a && !groupings.test(sizes)) || (b === a + 1 && separators[a] === '.')) continue;
    if (
      b + 1 < groups.length &&
      /^[-./_]$/.test(separators[b] as string) &&
      (separators[b] === separators[b - 1] || b === a)
    )
      continue;
    const digits = joinGroups(text, chain, a, b, 19);
    if (
      digits !== undefined &&
      isCardNumber(digits) &&
      standsAloneOrGlued(text, (groups[a] as { start: number }).start, end)
    )
      best = b;
  }
  return best;
}

/** Length of an IBAN by country (SWIFT IBAN registry). */
const ibanLengths: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HN: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MN: 20,
  MR: 27,
  MT: 31,
  MU: 30,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
  YE: 30,
};
const alnum = /[A-Za-z0-9]/;

const ibanHead = /^[A-Za-z][ .\-_]?[A-Za-z][ .\-_]{0,2}\d[ .\-_]?\d/;

/**
 * End of the IBAN that starts at `start` (letters, letters, digit, digit, with up to two separators between units), or
 * -1.
 */
export function ibanEnd(text: string, start: number): number {
  // Two letters first: most candidates end here.
  if (
    !(text.charCodeAt(start) >= 65) ||
    !(text.charCodeAt(start + 1) >= 32) ||
    !ibanHead.test(text.slice(start, start + 8))
  )
    return -1;
  let compact = '';
  let length = 0;
  let gap = 0;
  for (let at = start; at < text.length && at - start < 110; at += 1) {
    const char = text[at] as string;
    if (!alnum.test(char)) {
      gap += 1;
      if (gap > 2 || !/[ \t.\-_/\n:]/.test(char)) return -1;
      continue;
    }
    gap = 0;
    compact += char.toUpperCase();
    if (compact.length === 2) {
      length = ibanLengths[compact] ?? 0;
      if (length === 0) return -1;
    } else if (compact.length === 4 && !/^\d\d$/.test(compact.slice(2))) return -1;
    if (compact.length === length)
      return iban97(compact) &&
        !/^[A-Za-z0-9]{4}/.test(text.slice(at + 1, at + 5)) &&
        (!alnum.test(text[at + 1] ?? '') || !/\d/.test(text[at + 1] ?? ''))
        ? at + 1
        : -1;
  }
  return -1;
}
