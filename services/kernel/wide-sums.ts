/**
 * Sums that pass 2^53. A test aggregate keeps what a double holds exactly, and in `high` how many multiples of 2^40 are
 * to be added: exact up to 2^93 for each sum, whatever the order in which it is added up. Bets come to about 2^32 an
 * entry, so a billion entries need 2^62.
 */
import { type TestSums, testSumScalars } from './evidence.ts';

/** One of `high` is so much of the sum. */
const unit = 2 ** 40;
const unitBits = 40n;
/** Sums are carried before they pass this, so that hundreds of them can be added without a rounded bit. */
const carryAt = 2 ** 44;

const countOf = (value: number): number => Math.floor(value / unit);

function carryField(high: TestSums, sums: TestSums, field: (typeof testSumScalars)[number]): void {
  const count = countOf(sums[field]);
  high[field] += count;
  sums[field] -= count * unit;
}

function carryBets(high: number[], low: number[]): void {
  for (let j = 0; j < low.length; j += 1) {
    const count = countOf(low[j] ?? 0);
    high[j] = (high[j] ?? 0) + count;
    low[j] = (low[j] ?? 0) - count * unit;
  }
}

/** Every sum to `high` and a rest in [0, 2^40). */
export function carry(sums: TestSums): void {
  const high = sums.high ?? emptyHigh(sums);
  sums.high = high;
  for (const field of testSumScalars) carryField(high, sums, field);
  carryBets(high.harm, sums.harm);
  carryBets(high.win, sums.win);
}

function emptyHigh(sums: TestSums): TestSums {
  const high = { ...sums, harm: sums.harm.map(() => 0), win: sums.win.map(() => 0) };
  for (const field of testSumScalars) high[field] = 0;
  delete high.high;
  return high;
}

/** The sums that grow fastest: bets and squares of weights. */
const isLarge = ({ sv, svv, ww, wwxx, harm, win }: TestSums): boolean =>
  Math.abs(sv) > carryAt ||
  Math.abs(svv) > carryAt ||
  ww > carryAt ||
  ww < -carryAt ||
  Math.abs(wwxx) > carryAt ||
  hasLarge(harm) ||
  hasLarge(win);

function hasLarge(logs: readonly number[]): boolean {
  for (let j = 0; j < logs.length; j += 1) if (Math.abs(logs[j] ?? 0) > carryAt) return true;
  return false;
}

export function carryWhenLarge(sums: TestSums): void {
  if (isLarge(sums)) carry(sums);
}

/** One sum as doubles hold it: rounded once, so that equal sums are equal numbers however they were added up. */
function rounded(low: number, high: number): number {
  const count = countOf(low);
  return (high + count) * unit + (low - count * unit);
}

/** The sums as plain numbers, exact up to 2^53, rounded once beyond. */
export function roundedSums(sums: TestSums): TestSums {
  const { high } = sums;
  if (high === undefined) return sums;
  const bets = (low: readonly number[], above: readonly number[]): number[] =>
    low.map((value, j) => rounded(value, above[j] ?? 0));
  const result = { ...sums, harm: bets(sums.harm, high.harm), win: bets(sums.win, high.win) };
  for (const field of testSumScalars) result[field] = rounded(sums[field], high[field]);
  delete result.high;
  return result;
}

/** A stored sum as what a double holds and multiples of 2^40. */
export const splitSum = (value: bigint): readonly [low: number, high: number] => {
  const high = value >> unitBits;
  return [Number(value - (high << unitBits)), Number(high)];
};

export const joinSum = (low: number, high = 0): bigint => (BigInt(high) << unitBits) + BigInt(low);
