/**
 * Identifiers that are digits only, by country: length, grouping, checksum. Long because it is one table: a row an
 * identifier.
 */
import type { EntityType } from '../entity-types.ts';
import { once } from '../once.ts';
import { digitAt as digit, hasDay, luhn, mod1110, remainder, verhoeff, weighted } from './checks.ts';
import {
  baltic,
  belgian,
  cnpj,
  complement,
  cpf,
  ean,
  eleven,
  fnr,
  inn12,
  kennitala,
  last,
  notAllSame,
  personnummer,
  rodne,
  rrn,
  rut,
  snils,
  tckn,
} from './id-checks.ts';
import type { IdRow } from './id-row.ts';
import { lengthsOf } from './pattern-lengths.ts';

const three = /^3([ -])3(?:\1)3$/;
const national: readonly Omit<IdRow, 'type'>[] = [
  { id: 'CA_SIN', test: /^[1-79]\d{8}$/, check: luhn, layout: three, sure: 0.3 },
  {
    id: 'AU_TFN',
    test: /^\d{8,9}$/,
    check: (text) => text.length === 9 && eleven(text, [1, 4, 3, 7, 5, 8, 6, 9, 10]) === 0 && notAllSame(text),
    layout: three,
    sure: 0.3,
  },
  {
    id: 'NL_BSN',
    test: /^\d{9}$/,
    check: (text) => eleven(text, [9, 8, 7, 6, 5, 4, 3, 2, -1]) === 0 && notAllSame(text),
    layout: /^(?:3([ .-])3(?:\1)3|4[. ]2[. ]3)$/,
    sure: 0.2,
  },
  {
    id: 'PT_NIF',
    test: /^[1235689]\d{8}$/,
    check: (text) => complement(text, [9, 8, 7, 6, 5, 4, 3, 2]) === last(text),
    layout: /^3 3 3$/,
    sure: 0.2,
  },
  { id: 'IL_ID', test: /^\d{9}$/, check: (text) => luhn(text) && notAllSame(text), layout: /^8-1$/, sure: 0.2 },
  { id: 'GR_AMKA', test: /^\d{11}$/, check: (text) => luhn(text) && hasDay(text, 2, 0), sure: 0.4 },
  {
    id: 'NZ_IRD',
    test: /^\d{8,9}$/,
    check: (text) =>
      ((padded) => ((rest) => rest === last(padded))((11 - eleven(padded, [3, 2, 7, 6, 5, 4, 3, 2])) % 11))(
        text.padStart(9, '0'),
      ),
    layout: /^[23]-3-3$/,
    sure: 0.2,
  },
  {
    id: 'US_ITIN',
    test: /^9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/,
    check: () => true,
    layout: /^(?:3([ .-])2(?:\1)4|3-6|5-4)$/,
    sure: 0.32,
  },
  {
    id: 'UK_NHS',
    test: /^\d{10}$/,
    check: (text) => (11 - eleven(text, [10, 9, 8, 7, 6, 5, 4, 3, 2])) % 11 === last(text) && notAllSame(text),
    layout: /^3([ -])3(?:\1)4$/,
    sure: 0.3,
  },
  {
    id: 'US_NPI',
    test: /^[12]\d{9}$/,
    check: (text) => luhn(`80840${text}`) && notAllSame(text),
    layout: /^(?:4[ -]3[ -]3|10)$/,
    sure: 0.3,
  },
  {
    id: 'AU_MEDICARE',
    test: /^[2-6]\d{9,10}$/,
    check: (text) => weighted(text, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digit(text, 8),
    layout: /^4[ -]5[ -]1(?:[ /-]1)?$/,
    sure: 0.3,
  },
  { id: 'SE_PN', test: /^(?:1[89]|20)?\d{10}$/, check: personnummer, layout: /^[68][-+ ]4$/, sure: 0.35 },
  {
    id: 'BG_EGN',
    test: /^\d{10}$/,
    check: (text) =>
      eleven(text, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 10 === last(text) &&
      hasDay(text, 2, 4, { monthOffsets: [0, 20, 40] }),
    sure: 0.35,
  },
  { id: 'CZ_RC', test: /^\d{10}$/, check: rodne, layout: /^6\/4$/, sure: 0.4 },
  {
    id: 'CZ_RC',
    test: /^\d{9}$/,
    check: (text) => hasDay(text, 2, 4, { monthOffsets: [0, 50] }),
    layout: /^6\/3$/,
    sure: 0.1,
  },
  { id: 'DK_CPR', test: /^\d{10}$/, check: (text) => hasDay(text, 2, 0), layout: /^6[- ]4$/, sure: 0.12 },
  {
    id: 'FI_HETU',
    test: /^\d{10}$/,
    check: (text) => hasDay(text, 2, 0) && '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(text.slice(0, 9)) % 31] === text[9],
    layout: /^6[-+]4$/,
    sure: 0.45,
  },
  {
    id: 'AT_SV',
    test: /^[1-9]\d{9}$/,
    check: (text) => eleven(text, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) === digit(text, 3),
    layout: /^4[ /-]6$/,
    sure: 0.2,
  },
  {
    id: 'UA_RNOKPP',
    test: /^\d{10}$/,
    check: (text) => ((eleven(text, [-1, 5, 7, 9, 4, 6, 10, 5, 7]) + 11) % 11) % 10 === last(text),
    sure: 0.2,
  },
  { id: 'CO_CC', test: /^\d{6,10}$/, layout: /^(?:1\.3\.3\.3|2\.3\.3)$/, sure: 0 },
  { id: 'AR_DNI', test: /^\d{7,8}$/, layout: /^[12]\.3\.3$/, sure: 0 },
  { id: 'IS_KT', test: /^\d{10}$/, check: kennitala, layout: /^6-4$/, sure: 0.35 },
  { id: 'CL_RUT', test: /^\d{8,9}$/, check: rut, layout: /^(?:[12]\.3\.3-1|[78]-1)$/, sure: 0.22 },
  {
    id: 'AR_CUIT',
    test: /^(?:2[03-7]|3[034])\d{9}$/,
    check: (text) => complement(text, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) === last(text),
    layout: /^2-8-1$/,
    sure: 0.35,
  },
  { id: 'EC_CI', test: /^(?:0[1-9]|1\d|2[0-4]|30)[0-5]\d{7}$/, check: luhn, layout: /^9-1$/, sure: 0.15 },
  { id: 'DE_IDNR', test: /^[1-9]\d{10}$/, check: mod1110, layout: /^2 3 3 3$/, sure: 0.32 },
  { id: 'HR_OIB', test: /^\d{11}$/, check: mod1110, sure: 0.2 },
  {
    id: 'PL_PESEL',
    test: /^\d{11}$/,
    check: (text) =>
      (10 - (weighted(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === last(text) &&
      hasDay(text, 2, 4, { monthOffsets: [0, 20, 40, 60, 80] }),
    sure: 0.4,
  },
  { id: 'BR_CPF', test: /^\d{11}$/, check: cpf, layout: /^(?:3\.3\.3[-.]2|9-2|3 3 3 2)$/, sure: 0.45 },
  { id: 'TR_TCKN', test: /^[1-9]\d{10}$/, check: tckn, sure: 0.45 },
  { id: 'NO_FNR', test: /^\d{11}$/, check: fnr, layout: /^6 5$/, sure: 0.5 },
  { id: 'EE_IK', test: /^[1-8]\d{10}$/, check: baltic, sure: 0.4 },
  { id: 'LT_AK', test: /^[1-6]\d{10}$/, check: baltic, sure: 0.4 },
  {
    id: 'LV_PK',
    test: /^(?:[0-3]\d|32)\d{9}$/,
    check: (text) => text.startsWith('32') || hasDay(text, 2, 0),
    layout: /^6-5$/,
    sure: 0.15,
  },
  {
    id: 'BE_NN',
    test: /^\d{11}$/,
    check: (text) => belgian(text) && hasDay(text, 2, 4),
    layout: /^2\.2\.2-3[.-]2$/,
    sure: 0.5,
  },
  { id: 'RU_SNILS', test: /^\d{11}$/, check: snils, layout: /^3-3-3[ -]2$/, sure: 0.4 },
  { id: 'NG_NIN', test: /^\d{11}$/, layout: /^4[ -]3[ -]4$/, sure: 0 },
  { id: 'DO_CEDULA', test: /^\d{11}$/, check: luhn, layout: /^3-7-1$/, sure: 0.2 },
  { id: 'IN_AADHAAR', test: /^[2-9]\d{11}$/, check: verhoeff, layout: /^4([ :-])4(?:\1)4$/, sure: 0.4 },
  { id: 'RU_INN', test: /^\d{12}$/, check: inn12, sure: 0.5 },
  {
    id: 'JP_MYNUMBER',
    test: /^\d{12}$/,
    check: (text) =>
      ((rest) => (rest < 2 ? 0 : 11 - rest) === last(text))(eleven(text, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])),
    layout: /^4[ -]4[ -]4$/,
    sure: 0.25,
  },
  { id: 'MY_NRIC', test: /^\d{12}$/, check: (text) => hasDay(text, 2, 4), layout: /^6-2-4$/, sure: 0.2 },
  { id: 'VN_CCCD', test: /^0\d{11}$/, sure: 0 },
  { id: 'PH_TIN', test: /^\d{9}(?:\d{3})?$/, layout: /^3-3-3(?:-3)?$/, sure: 0 },
  {
    id: 'ZA_ID',
    test: /^\d{10}[01]\d\d$/,
    check: (text) => luhn(text) && hasDay(text, 2, 4),
    layout: /^6 4 3$/,
    sure: 0.5,
  },
  {
    id: 'TH_ID',
    test: /^[1-8](?:1[0-9]|2[0-7]|3\d|4\d|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])\d{10}$/,
    check: (text) => (11 - eleven(text, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) % 10 === last(text),
    layout: /^1[- ]4[- ]5[- ]2[- ]1$/,
    sure: 0.35,
  },
  { id: 'KR_RRN', test: /^\d{13}$/, check: rrn, layout: /^6-7$/, sure: 0.32 },
  {
    id: 'RO_CNP',
    test: /^[1-8]\d{12}$/,
    check: (text) =>
      ((rest) => (rest === 10 ? 1 : rest) === last(text))(eleven(text, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9])) &&
      hasDay(text, 3, 5),
    sure: 0.5,
  },
  {
    id: 'RS_JMBG',
    test: /^\d{13}$/,
    check: (text) => complement(text, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) === last(text) && hasDay(text, 2, 0),
    sure: 0.5,
  },
  { id: 'CH_AHV', test: /^756\d{10}$/, check: ean, layout: /^3\.4\.4\.2$/, sure: 0.7 },
  { id: 'PK_CNIC', test: /^[1-7]\d{12}$/, layout: /^5-7-1$/, sure: 0.1 },
  { id: 'EG_NID', test: /^[23]\d{13}$/, check: (text) => hasDay(text, 3, 5), sure: 0.3 },
  {
    id: 'FR_NIR',
    test: /^[1-478]\d{14}$/,
    check: (text) => 97 - remainder(text.slice(0, 13), 97) === Number(text.slice(13)),
    layout: /^1 2 2 [23] [23] 3(?: 2)?$/,
    sure: 0.8,
  },
  {
    id: 'FR_NIR',
    test: /^[12]\d{12}$/,
    check: (text) => hasDay(`${text.slice(3, 5)}01`, 0, 2),
    layout: /^1 2 2 2 3 3$/,
    sure: 0.1,
  },
  { id: 'AE_ID', test: /^784(?:19|20)\d{10}$/, check: luhn, layout: /^3-4-7-1$/, sure: 0.7 },
  { id: 'ID_NIK', test: /^[1-9]\d{15}$/, check: (text) => hasDay(text, 8, 6, { dayOffsets: [0, 40] }), sure: 0.2 },
  {
    id: 'CN_RIC',
    test: /^[1-9]\d{5}(?:18|19|20)\d{10}$/,
    check: (text) =>
      weighted(text, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1]) % 11 === 1 && hasDay(text, 10, 12),
    sure: 0.9,
  },
];
const business: readonly Omit<IdRow, 'type'>[] = [
  {
    id: 'AU_ACN',
    test: /^\d{9}$/,
    check: (text) => (10 - (weighted(text, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === last(text) && notAllSame(text),
    layout: /^3 3 3$/,
    sure: 0.27,
  },
  {
    id: 'DE_LANR',
    test: /^\d{9}$/,
    check: (text) => (10 - (weighted(text, [4, 9, 4, 9, 4, 9]) % 10)) % 10 === digit(text, 6) && notAllSame(text),
    sure: 0.27,
  },
  { id: 'FR_SIREN', test: /^\d{9}$/, check: luhn, layout: /^3 3 3$/, sure: 0.1 },
  {
    id: 'KR_BRN',
    test: /^\d{10}$/,
    check: (text) =>
      (10 - ((weighted(text, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((digit(text, 8) * 5) / 10)) % 10)) % 10 ===
      last(text),
    layout: /^3-2-5$/,
    sure: 0.32,
  },
  { id: 'SE_ORG', test: /^[2-9]\d[2-9]\d{7}$/, check: luhn, layout: /^6-4$/, sure: 0.32 },
  {
    id: 'PL_NIP',
    test: /^[1-9]\d{9}$/,
    check: (text) => eleven(text, [6, 5, 7, 2, 3, 4, 5, 6, 7]) === last(text),
    layout: /^3-(?:3-2-2|2-2-3)$/,
    sure: 0.22,
  },
  {
    id: 'RU_INN',
    test: /^\d{10}$/,
    check: (text) => eleven(text, [2, 4, 10, 3, 5, 9, 4, 6, 8]) % 10 === last(text),
    sure: 0.22,
  },
  {
    id: 'AU_ABN',
    test: /^[1-9]\d{10}$/,
    check: (text) => (weighted(text, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0,
    layout: /^2 3 3 3$/,
    sure: 0.4,
  },
  { id: 'IT_PIVA', test: /^\d{11}$/, check: (text) => luhn(text) && !/^0{10}/.test(text), layout: /^8_3$/, sure: 0.3 },
  { id: 'US_EIN', test: /^\d{9}$/, layout: /^2-7$/, sure: 0.05 },
  { id: 'BR_CNPJ', test: /^\d{14}$/, check: cnpj, layout: /^2\.3\.3\/4-2$/, sure: 0.55 },
  { id: 'FR_SIRET', test: /^\d{14}$/, check: luhn, layout: /^3 3 3 5$/, sure: 0.2 },
];
const others: readonly IdRow[] = [
  {
    id: 'US_ABA',
    type: 'BANK_ROUTING',
    test: /^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}$/,
    check: (text) => weighted(text, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0 && notAllSame(text),
    layout: /^4-4-1$/,
    sure: 0.3,
  },
  {
    id: 'KR_DL',
    type: 'DRIVER_LICENSE',
    test: /^(?:1[1-9]|2[0-8])\d{10}$/,
    layout: /^2([ -])2(?:\1)6(?:\1)2$/,
    sure: 0.3,
  },
];

const withType = (rows: readonly Omit<IdRow, 'type'>[], type: EntityType): readonly IdRow[] =>
  rows.map((row) => ({ ...row, type }));
/** Rows by the number of digits: each stands under the lengths that its pattern can have. */
export const numericIds = once((): ReadonlyMap<number, readonly IdRow[]> => {
  const all = [...withType(national, 'NATIONAL_ID'), ...withType(business, 'BUSINESS_ID'), ...others];
  return new Map(
    Array.from({ length: 13 }, (_, index) => index + 6).map((length) => [
      length,
      all.filter(({ test }) => lengthsOf(test).has(length)),
    ]),
  );
});
