/**
 * Identifiers of letters and digits, by country: pattern of the compact upper-case form, grouping, checksum; see
 * `id-row.ts` for the fields.
 */
import { pattern } from '../pattern.ts';
import { digitAt as digit, hasDay, icao, weighted } from './checks.ts';
import { once } from '../once.ts';
import type { IdRow } from './id-row.ts';

const dniLetters = 'TRWAGMYFPDXBNJZSQVHLCKE';
const dni = (text: string): boolean => dniLetters[Number(text.slice(0, -1)) % 23] === text.at(-1);
const nie = (text: string): boolean =>
  dniLetters[Number(`${'XYZ'.indexOf(text[0] as string)}${text.slice(1, -1)}`) % 23] === text.at(-1);

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
function codiceFiscale(text: string): boolean {
  let sum = 0;
  for (let index = 0; index < 15; index += 1) {
    const code = text.charCodeAt(index);
    const value = code < 58 ? code - 48 : code - 65;
    sum += index % 2 === 0 ? (oddValues[value] as number) : value;
  }
  return text.charCodeAt(15) - 65 === sum % 26;
}
const hetuLetters = '0123456789ABCDEFHJKLMNPRSTUVWXY';
function hetu(text: string): boolean {
  const digits = text.replace(/^(.{6})[A-Z]/, '$1');
  return hetuLetters[Number(digits.slice(0, 9)) % 31] === digits[9] && hasDay(digits, 2, 0);
}
/** Sum of the decimal digits of digit times weight: German insurance numbers, with letters as two digits. */
const crossSum = (digits: string, weights: readonly number[]): number =>
  weights.reduce(
    (sum, weight, index) =>
      ((product) => sum + Math.floor(product / 10) + (product % 10))(weight * digit(digits, index)),
    0,
  );
const twoDigits = (letter: string): string => String(letter.charCodeAt(0) - 64).padStart(2, '0');
const rentenversicherung = (text: string): boolean =>
  crossSum(text.slice(0, 8) + twoDigits(text[8] as string) + text.slice(9, 11), [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) %
    10 ===
    digit(text, 11) && hasDay(text, 4, 2, { dayOffsets: [0, 50] });
const krankenversicherung = (text: string): boolean =>
  crossSum(twoDigits(text[0] as string) + text.slice(1, 9), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === digit(text, 9);
function nric(text: string): boolean {
  const sum = weighted(text.slice(1), [2, 7, 6, 5, 4, 3, 2]) + ({ T: 4, G: 4, M: 3 }[text[0] as string] ?? 0);
  const letters = /^[ST]/.test(text) ? 'JZIHGFEDCBA' : /^[FG]/.test(text) ? 'XWUTRQPNMLK' : 'XWUTRQPNJLK';
  const index = text.startsWith('M') ? 10 - (sum % 11) : sum % 11;
  return letters[index] === text.at(-1);
}
const taiwan = (text: string): boolean => {
  const first = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(text[0] as string) + 10;
  return (Math.floor(first / 10) + (first % 10) * 9 + weighted(text.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1])) % 10 === 0;
};
const hongKong = (text: string): boolean => {
  const letters = text.slice(0, -7).padStart(2, ' ');
  const values = [...letters].map((letter) => (letter === ' ' ? 36 : letter.charCodeAt(0) - 55));
  const check = text.endsWith('A') ? 10 : digit(text, text.length - 1);
  return (
    ((values[0] as number) * 9 + (values[1] as number) * 8 + weighted(text.slice(-7), [7, 6, 5, 4, 3, 2]) + check) %
      11 ===
    0
  );
};
const pps = (text: string): boolean =>
  'WABCDEFGHIJKLMNOPQRSTUV'[
    (weighted(text, [8, 7, 6, 5, 4, 3, 2]) + (text[8] && text[8] !== 'W' ? (text.charCodeAt(8) - 64) * 9 : 0)) % 23
  ] === text[7];
const rut = (text: string): boolean => {
  const body = text.slice(0, -1).padStart(8, '0');
  const rest = 11 - (weighted(body, [3, 2, 7, 6, 5, 4, 3, 2]) % 11);
  return text.at(-1) === (rest === 11 ? '0' : rest === 10 ? 'K' : String(rest));
};
const ric = (text: string): boolean =>
  '10X98765432'[weighted(text, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === text[17] &&
  hasDay(text, 10, 12);
const polish = (text: string): boolean =>
  (weighted(text.replaceAll(/[A-Z]/g, '0'), [0, 0, 0, 9, 1, 7, 3, 1, 7]) +
    [7, 3, 1].reduce((sum, weight, index) => sum + weight * (text.charCodeAt(index) - 55), 0)) %
    10 ===
  0;
const uen = (text: string): boolean => 'XMKECAWLJDB'[weighted(text, [10, 4, 9, 3, 8, 2, 7, 1]) % 11] === text[8];
const nir = (text: string): boolean =>
  97 - (Number(text.slice(0, 13).replace('2A', '19').replace('2B', '18')) % 97) === Number(text.slice(13));

const spaced = /^2([ .-])2(?:\1)2(?:\1)2(?:\1| ?)1$/;
const national: readonly Omit<IdRow, 'type'>[] = [
  {
    id: 'ES_DNI',
    test: /^\d{7,8}[A-HJ-NP-TV-Z]$/,
    check: dni,
    layout: /^(?:[78]-1|\d\.3\.3-1|2\.3\.31|8 1)$/,
    sure: 0.6,
  },
  { id: 'ES_DNI', test: /^[XYZ]\d{7}[A-HJ-NP-TV-Z]$/, check: nie, layout: /^(?:8-1|1-7-1|1 7 1)$/, sure: 0.65 },
  {
    id: 'UK_NINO',
    test: /^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/,
    layout: spaced,
    sure: 0.42,
  },
  {
    id: 'IT_CF',
    test: /^[A-Z]{6}[\dLMNP-V]{2}[ABCDEHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]$/,
    check: codiceFiscale,
    layout: /^6 5 5$|^3 3 5 5$/,
    sure: 0.9,
  },
  { id: 'FI_HETU', test: /^\d{9}[0-9A-FHJ-NPR-Y]$/, check: hetu, layout: /^6[-+]4$/, sure: 0.4 },
  { id: 'FI_HETU', test: /^\d{6}[A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]$/, check: hetu, sure: 0.75 },
  { id: 'DE_SV', test: /^\d{8}[A-Z]\d{3}$/, check: rentenversicherung, layout: /^2 6 1 3$/, sure: 0.7 },
  { id: 'DE_KV', test: /^[A-Z]\d{9}$/, check: krankenversicherung, sure: 0.32 },
  { id: 'DE_ID', test: /^[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\d]{8}$/, check: icao, sure: 0.1 },
  { id: 'SG_NRIC', test: /^[STFGM]\d{7}[A-Z]$/, check: nric, sure: 0.6, unsure: 0.3 },
  { id: 'IN_PAN', test: /^[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z]$/, sure: 0.4 },
  { id: 'IN_VOTER', test: /^[A-Z]{3}\d{7}$/, sure: 0.26 },
  {
    id: 'US_MBI',
    test: /^[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d{2}$/,
    layout: /^4-3-4$/,
    sure: 0.5,
  },
  { id: 'IE_PPS', test: /^\d{7}[A-W][A-IW]?$/, check: pps, sure: 0.35 },
  { id: 'MX_CURP', test: /^[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z]\d$/, sure: 0.9 },
  {
    id: 'MX_CURP',
    test: /^[A-ZÑ&]{3,4}\d{6}[0-9A-Z]{3}$/,
    check: (text) => hasDay(text, text.length - 7, text.length - 5),
    layout: /^[34]([ -])6(?:\1)3$/,
    sure: 0.2,
  },
  { id: 'CN_RIC', test: /^[1-9]\d{5}(?:18|19|20)\d{9}X$/, check: ric, sure: 0.9 },
  { id: 'HK_ID', test: /^[A-Z]{1,2}\d{6}[0-9A]$/, check: hongKong, layout: /^[78]\(1\)?$|^[78]-1$/, sure: 0.3 },
  { id: 'TW_ID', test: /^[A-Z][1289]\d{8}$/, check: taiwan, sure: 0.22 },
  { id: 'PL_ID', test: /^[A-Z]{3}\d{6}$/, check: polish, layout: /^3 6$/, sure: 0.2 },
  { id: 'CL_RUT', test: /^\d{7,8}[0-9K]$/, check: rut, layout: /^(?:[12]\.3\.3-1|[78]-1)$/, sure: 0.35 },
  { id: 'FR_NIR', test: /^[12]\d{4}2[AB]\d{8}$/, check: nir, sure: 0.8 },
  { id: 'IT_CIE', test: /^C[A-Z]\d{5}[A-Z]{2}$/, sure: 0.1 },
  { id: 'PT_CC', test: /^\d{9}[A-Z]{2}\d$/, layout: /^8 1 3$/, sure: 0.4 },
];
const business: readonly Omit<IdRow, 'type'>[] = [
  { id: 'IN_GSTIN', test: /^(?:0[1-9]|[12]\d|3[0-7])[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/, sure: 0.85 },
  { id: 'IN_GSTIN', test: /^(?:0[1-9]|[12]\d|3[0-7])[A-Z]{5}\d{4}[A-Z]\dZ\d$/, sure: 0.85 },
  { id: 'IN_GSTIN', test: /^(?:0[1-9]|[12]\d|3[0-7])[A-Z]{5}\d{4}[A-Z]\d?Z\d$/, sure: 0.8 },
  { id: 'SG_UEN', test: /^\d{8}[A-Z]$/, check: uen, sure: 0.35 },
  { id: 'SG_UEN', test: /^(?:19|20)\d{7}[A-Z]$/, sure: 0.35 },
  { id: 'SG_UEN', test: /^[TSR]\d{2}[A-Z]{2}\d{4}[A-Z]$/, sure: 0.6 },
  {
    id: 'EU_VAT',
    test: pattern()`
      ^(?:ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}
      |ES[A-Z0-9]\d{7}[A-Z0-9]|FI\d{8}|FR[A-Z0-9]{2}\d{9}|GB\d{9}|HR\d{11}|HU\d{8}|IE\d[A-Z0-9]\d{5}[A-Z]{1,2}
      |IT\d{11}|LT\d{9}|LU\d{8}|LV\d{11}|MT\d{8}|NL\d{9}B\d{2}|NO\d{9}|PL\d{10}|PT\d{9}|RO\d{8,10}|SE\d{12}
      |SI\d{8}|SK\d{10}|CHE\d{9})$
    `,
    layout: /./,
    sure: 0.4,
  },
  { id: 'ES_CIF', test: /^[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]$/, sure: 0.1 },
];
/** Documents whose numbers have a national pattern; most are known by the words around them alone (`documents.ts`). */
const documents: readonly IdRow[] = [
  {
    id: 'UK_DL',
    type: 'DRIVER_LICENSE',
    test: /^[A-Z]{1,5}9{0,4}\d[0156]\d[0-3]\d\d[A-Z9]{2}\d?[A-Z0-9]{2,3}$/,
    check: (text) => text.length >= 16 && text.length <= 18 && hasDay(text, 6, 8, { monthOffsets: [0, 50] }),
    sure: 0.8,
  },
  { id: 'DE_PASSPORT', type: 'PASSPORT', test: /^[CFGHJK][CFGHJKLMNPRTVWXYZ\d]{7}\d$/, check: icao, sure: 0.3 },
  { id: 'KR_PASSPORT', type: 'PASSPORT', test: /^[MSRODG]\d{3}[A-Z]\d{4}$/, sure: 0.4 },
];
export const idCodes: readonly IdRow[] = [
  ...national.map((one): IdRow => ({ ...one, type: 'NATIONAL_ID' })),
  ...business.map((one): IdRow => ({ ...one, type: 'BUSINESS_ID' })),
  ...documents,
];
/** Whether any row has this shape: one pattern of all of them, since most codes have none. */
export const anyCode = once(() => new RegExp(idCodes.map(({ test }) => test.source).join('|')));
