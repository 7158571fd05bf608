/** Checksums that one country has for one of its identifiers, from its issuer's definition. Arguments are digits. */
import { digitAt as digit, hasDay, luhn, remainder, weighted } from './checks.ts';

/** Value of the last digit. */
export const last = (text: string): number => digit(text, text.length - 1);
const isNot =
  (word: RegExp) =>
  (text: string): boolean =>
    !word.test(text);
export const notAllSame = isNot(/^(\d)\1+$/);
export const eleven = (text: string, weights: readonly number[], modulus = 11): number =>
  weighted(text, weights) % modulus;

export function cpf(text: string): boolean {
  const check = (length: number): number =>
    ((weighted(
      text,
      Array.from({ length }, (_, index) => length + 1 - index),
    ) *
      10) %
      11) %
    10;
  return notAllSame(text) && check(9) === digit(text, 9) && check(10) === digit(text, 10);
}
export function cnpj(text: string): boolean {
  const check = (weights: readonly number[]): number => ((rest) => (rest < 2 ? 0 : 11 - rest))(eleven(text, weights));
  return (
    notAllSame(text) &&
    check([5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(text, 12) &&
    check([6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(text, 13)
  );
}
export function tckn(text: string): boolean {
  const odd = weighted(text, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(text, [0, 1, 0, 1, 0, 1, 0, 1]);
  return (
    (((odd * 7 - even) % 10) + 10) % 10 === digit(text, 9) && (odd + even + digit(text, 9)) % 10 === digit(text, 10)
  );
}
export function baltic(text: string): boolean {
  const first = eleven(text, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
  const second = eleven(text, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
  return (first < 10 ? first : second < 10 ? second : 0) === last(text) && hasDay(text, 3, 5);
}
export const fnr = (text: string): boolean =>
  (11 - eleven(text, [3, 7, 6, 1, 8, 9, 4, 5, 2])) % 11 === digit(text, 9) &&
  (11 - eleven(text, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) % 11 === digit(text, 10) &&
  hasDay(text, 2, 0, { dayOffsets: [0, 40], monthOffsets: [0, 40, 80] });
export const belgian = (text: string): boolean =>
  [text.slice(0, 9), `2${text.slice(0, 9)}`].some((body) => 97 - remainder(body, 97) === Number(text.slice(9)));
export const inn12 = (text: string): boolean =>
  eleven(text, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 10 === digit(text, 10) &&
  eleven(text, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 10 === digit(text, 11);
export const snils = (text: string): boolean =>
  (weighted(text, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === Number(text.slice(9));
export const ean = (text: string): boolean =>
  (10 - (weighted(text, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === last(text);
export const complement = (text: string, weights: readonly number[], modulus = 11): number =>
  ((rest) => (rest > 9 ? 0 : rest))(modulus - (eleven(text, weights, modulus) || modulus));
export const rodne = (text: string): boolean =>
  (remainder(text, 11) === 0 || (remainder(text.slice(0, 9), 11) === 10 && last(text) === 0)) &&
  hasDay(text, 2, 4, { monthOffsets: [0, 20, 50, 70] });
export const personnummer = (text: string): boolean =>
  luhn(text.slice(-10)) && hasDay(text, text.length - 8, text.length - 6, { dayOffsets: [0, 60] });
export const rrn = (text: string): boolean => hasDay(text, 2, 4) && /^.{6}[0-9]/.test(text);

export const kennitala = (text: string): boolean =>
  complement(text, [3, 2, 7, 6, 5, 4, 3, 2]) === digit(text, 8) && /[09]$/.test(text) && hasDay(text, 2, 0);
export const rut = (text: string): boolean =>
  ((padded) => (11 - eleven(padded, [3, 2, 7, 6, 5, 4, 3, 2])) % 11 === last(text))(text.slice(0, -1).padStart(8, '0'));
