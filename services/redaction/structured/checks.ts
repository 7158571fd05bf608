/**
 * Checksums of identifiers, each from its issuer's public definition. Arguments are compact: digits, or upper-case
 * letters and digits.
 */
import { createHash } from 'node:crypto';

/** Value of the digit at `index`. */
export const digitAt = (text: string, index: number): number => text.charCodeAt(index) - 48;

/** ISO/IEC 7812-1 annex B. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let index = digits.length - 1, double = false; index >= 0; index -= 1, double = !double) {
    const digit = digitAt(digits, index);
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum % 10 === 0;
}

/** Sum of digit times weight over as many digits as there are weights. */
export const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * digitAt(digits, index), 0);

/** ISO 7064 mod 11, 10 (DE tax id, HR OIB). */
export function mod1110(digits: string): boolean {
  let product = 10;
  for (let index = 0; index < digits.length - 1; index += 1) {
    const sum = (digitAt(digits, index) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1);
}

/** Remainder of a long number written in digits and letters (A = 10). */
export function remainder(text: string, modulus: number): number {
  let rest = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    rest = code < 58 ? (rest * 10 + code - 48) % modulus : (rest * 100 + code - 55) % modulus;
  }
  return rest;
}

/** ISO 13616 over ISO 7064 mod 97-10. */
export const iban97 = (iban: string): boolean => remainder(iban.slice(4) + iban.slice(0, 4), 97) === 1;

const dihedral = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const permutation = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];
/** Verhoeff 1969; IN Aadhaar. */
export function verhoeff(digits: string): boolean {
  let state = 0;
  for (let index = digits.length - 1, position = 0; index >= 0; index -= 1, position += 1)
    state = digitAt(dihedral[state] as string, digitAt(permutation[position % 8] as string, digitAt(digits, index)));
  return state === 0;
}

/** ICAO 9303 weights 7, 3, 1 over digits and letters. */
export function icao(text: string): boolean {
  let sum = 0;
  for (let index = 0; index < text.length - 1; index += 1)
    sum += Number.parseInt(text[index] as string, 36) * ([7, 3, 1][index % 3] as number);
  return sum % 10 === digitAt(text, text.length - 1);
}

const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
export const isDay = (month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= (monthDays[month - 1] as number);
/** Two digits each, at their places in the text. */
export const hasDay = (
  digits: string,
  monthAt: number,
  dayAt: number,
  {
    monthOffsets = [0],
    dayOffsets = [0],
  }: { readonly monthOffsets?: readonly number[]; readonly dayOffsets?: readonly number[] } = {},
): boolean => {
  const month = Number(digits.slice(monthAt, monthAt + 2));
  const day = Number(digits.slice(dayAt, dayAt + 2));
  return monthOffsets.some((shift) => dayOffsets.some((other) => isDay(month - shift, day - other)));
};

const base58Alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
/** Bitcoin's base58check: four bytes of a double SHA-256 at the end. */
export function base58check(text: string): boolean {
  const bytes: number[] = [];
  for (const char of text) {
    let carry = base58Alphabet.indexOf(char);
    if (carry < 0) return false;
    for (let index = 0; index < bytes.length; index += 1) {
      carry += (bytes[index] as number) * 58;
      bytes[index] = carry & 255;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 255);
  }
  for (let index = 0; text[index] === '1'; index += 1) bytes.push(0);
  if (bytes.length < 9) return false;
  const raw = Buffer.from(bytes.reverse());
  return sha256(sha256(raw.subarray(0, -4)))
    .subarray(0, 4)
    .equals(raw.subarray(-4));
}

const bech32Alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const bech32Generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** BIP 173 and BIP 350. `text` is lower case. */
export function bech32(text: string): boolean {
  const split = text.lastIndexOf('1');
  const prefix = text.slice(0, split);
  let state = 1;
  const step = (value: number): void => {
    const top = state >>> 25;
    state = ((state & 0x1ffffff) << 5) ^ value;
    for (let bit = 0; bit < 5; bit += 1) if ((top >>> bit) & 1) state ^= bech32Generator[bit] as number;
  };
  for (const char of prefix) step(char.charCodeAt(0) >> 5);
  step(0);
  for (const char of prefix) step(char.charCodeAt(0) & 31);
  for (const char of text.slice(split + 1)) {
    const value = bech32Alphabet.indexOf(char);
    if (value < 0) return false;
    step(value);
  }
  return state === 1 || state === 0x2bc830a3;
}
