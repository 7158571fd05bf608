/**
 * Fixed-point numbers of thousands of bits: what the special functions are measured against. Slow, short, and with
 * nothing in common with them.
 */

/** A double as an integer multiple of 2^-bits, exactly for bits >= 1100. */
export function fixed(x: number, bits: number): bigint {
  if (x < 0) return -fixed(-x, bits);
  let exponent = 0;
  let mantissa = x;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent += 1;
  }
  return (BigInt(mantissa) << BigInt(bits)) >> BigInt(exponent);
}
/** log(top / bottom) of positive integers, relatively exact for ratios near 1 too. */
function logRatio(top: bigint, bottom: bigint): number {
  const bits = 200n;
  if (2n * top > bottom && top < 2n * bottom) return Math.log1p(scaled(((top - bottom) << bits) / bottom, 200));
  const shift = BigInt(top.toString(2).length - bottom.toString(2).length);
  return (
    Math.log(scaled(shift > 0n ? (top << bits) / (bottom << shift) : (top << (bits - shift)) / bottom, 200)) +
    Number(shift) * Math.LN2
  );
}
/** n / 2^bits as a double. */
function scaled(n: bigint, bits: number): number {
  const extra = Math.max(0, (n < 0n ? -n : n).toString(2).length - 64);
  return Number(n >> BigInt(extra)) * 2 ** (extra - bits);
}

const isqrt = (n: bigint): bigint => {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
};
/** exp(-x) by its series after dividing x by 2^16. */
function expMinus(x: bigint, bits: number): bigint {
  const small = x >> 16n;
  let [term, sum] = [1n << BigInt(bits), 1n << BigInt(bits)];
  for (let k = 1n; term !== 0n; k += 1n) {
    term = -((term * small) >> BigInt(bits)) / k;
    sum += term;
  }
  for (let k = 0; k < 16; k += 1) sum = (sum * sum) >> BigInt(bits);
  return sum;
}
function pi(bits: number): bigint {
  const atanInverse = (n: bigint): bigint => {
    let power = (1n << BigInt(bits)) / n;
    let [sum, sign] = [power, -1n];
    for (let k = 3n; power !== 0n; k += 2n) {
      power /= n * n;
      sum += (sign * power) / k;
      sign = -sign;
    }
    return sum;
  };
  return 4n * (4n * atanInverse(5n) - atanInverse(239n));
}

/** log Phi(z) for -25 <= z <= 25, from Phi(z) = 1/2 + phi(z) sum z^(2k+1)/(2k+1)!!. */
export function logNormalCdfExactly(z: number): number {
  const bits = 1400;
  const x = fixed(z, bits);
  const square = (x * x) >> BigInt(bits);
  let [term, sum] = [x, x];
  for (let k = 3n; term !== 0n && term !== -1n; k += 2n) {
    term = ((term * square) >> BigInt(bits)) / k;
    sum += term;
  }
  const density = (expMinus(square >> 1n, bits) << BigInt(bits)) / isqrt((2n * pi(bits)) << BigInt(bits));
  return logRatio((1n << BigInt(bits - 1)) + ((density * sum) >> BigInt(bits)), 1n << BigInt(bits));
}

/**
 * log P(Bin(n, x) >= a), that is log I_x(a, n - a + 1), for whole 0 < a <= n and 0.1 <= x <= 0.9; and log P(Bin(n, x) <
 * a).
 */
export function logBinomialTails(a: number, n: number, x: number): { readonly lower: number; readonly upper: number } {
  const bits = Math.ceil(n * 3.4) + 400;
  const one = 1n << BigInt(bits);
  const [p, q] = [fixed(x, bits), one - fixed(x, bits)];
  let term = one;
  for (let k = 0; k < n; k += 1) term = (term * q) >> BigInt(bits);
  let below = 0n;
  let total = 0n;
  for (let j = 0; j <= n; j += 1) {
    if (j < a) below += term;
    total += term;
    term = (term * BigInt(n - j) * p) / (BigInt(j + 1) * q);
  }
  return { lower: logRatio(total - below, total), upper: logRatio(below, total) };
}

/** log B(a, b) of whole a, b. */
export function logBetaExactly(a: number, b: number): number {
  let [top, bottom] = [1n, 1n];
  for (let k = 1; k < b; k += 1) {
    top *= BigInt(k);
    bottom *= BigInt(a + k);
  }
  return logRatio(top, bottom * BigInt(a));
}
