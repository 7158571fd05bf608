/**
 * A mixture of seven products that is watched after every unit, from every test start at once, in tens of nanoseconds.
 * It is betting or first events with the union over test starts (`services/statistics/README.md`): it fires when, for
 * some test start k, log v_k + logsumexp_j(log w_j + S_kj) reaches the bound.
 *
 * Two ideas make it cheap and lose nothing. A unit is counted from every test start since its last visit: all of them
 * for a new unit (`base`), the latest ones for one that comes back; so test starts keep differences (`steps`), and S_k
 * = base - (step_0 + ... + step_k). And one unit raises no mixture by more than its largest log factor, so the largest
 * of all is followed by an upper limit (`ceiling`) and computed only when that limit reaches the bound. A crossing is
 * never missed.
 */
export const gridLength = 7;
/** What the running limit may have lost to rounding, far above it. */
const roundingRoom = 1e-9;

/** One row of `gridLength` log factors per kind of unit, and the largest of each row. */
export type FactorTable = { readonly logs: Float64Array; readonly rise: Float64Array };

export function toFactorTable(rows: readonly (readonly number[])[]): FactorTable {
  const logs = new Float64Array(rows.length * gridLength);
  const rise = new Float64Array(rows.length);
  for (const [index, row] of rows.entries()) {
    if (row.length !== gridLength) throw new RangeError(`a row has ${gridLength} factors, this one ${row.length}`);
    logs.set(row, index * gridLength);
    rise[index] = Math.max(...row);
  }
  return { logs, rise };
}

export type Mixture = {
  readonly logWeights: Float64Array;
  readonly base: Float64Array;
  readonly steps: Float64Array;
  readonly logPriors: Float64Array;
  /** S of the test start at hand. */
  readonly sums: Float64Array;
  testStarts: number;
  /** At least the largest weighted log e of all test starts. */
  ceiling: number;
  /** log(1 / alpha): reached means fired. */
  readonly bound: number;
  fired: boolean;
  /** The test start that fired, -1 before. */
  firedBy: number;
};

/** `weights` sum to 1; `capacity` test starts at most; `bound` = log(1 / alpha). */
export const createMixture = (weights: readonly number[], bound: number, capacity: number): Mixture => ({
  logWeights: Float64Array.from(weights, Math.log),
  base: new Float64Array(gridLength),
  steps: new Float64Array(gridLength * capacity),
  logPriors: new Float64Array(capacity),
  sums: new Float64Array(gridLength),
  testStarts: 0,
  ceiling: -Infinity,
  bound,
  fired: false,
  firedBy: -1,
});

/** As new, for the next run. */
export function resetMixture(mixture: Mixture): void {
  mixture.base.fill(0);
  mixture.steps.fill(0);
  mixture.testStarts = 0;
  mixture.ceiling = -Infinity;
  mixture.fired = false;
  mixture.firedBy = -1;
}

/** A test from here on. `logPrior`: log of all its weights, test start and metric. Returns its index. */
export function openTestStart(mixture: Mixture, logPrior: number): number {
  const { testStarts: index, steps, base, sums } = mixture;
  if (index >= mixture.logPriors.length)
    throw new RangeError(`a mixture with room for ${mixture.logPriors.length} test starts has no more`);
  sums.set(base);
  for (let place = 0; place < index * gridLength; place += 1)
    sums[place % gridLength] = (sums[place % gridLength] as number) - (steps[place] as number);
  // What the last test start has counted is what this one must not count.
  steps.set(sums, index * gridLength);
  mixture.logPriors[index] = logPrior;
  mixture.testStarts += 1;
  if (logPrior > mixture.ceiling) mixture.ceiling = logPrior;
  return index;
}

/** log of the weighted mean of seven products. */
function logMixture(logWeights: Float64Array, sums: Float64Array, top: number): number {
  let sum = 0;
  for (let j = 0; j < gridLength; j += 1) sum += Math.exp((logWeights[j] as number) + (sums[j] as number) - top);
  return top + Math.log(sum);
}

/**
 * The sum of seven terms is at most seven times the largest: where that is far from the bound, no exponential is taken.
 */
const logGridLength = Math.log(gridLength);
const near = 1.5;

/**
 * Computes every test start anew; fires when one has reached the bound. `exact`: computes all of them. Returns the
 * limit on the largest.
 */
export function recompute(mixture: Mixture, exact?: Float64Array): number {
  const { bound, logPriors, logWeights, base, steps, sums, testStarts } = mixture;
  let highest = -Infinity;
  sums.set(base);
  for (let testStart = 0; testStart < testStarts; testStart += 1) {
    const at = testStart * gridLength;
    let top = -Infinity;
    for (let j = 0; j < gridLength; j += 1) {
      const sum = (sums[j] as number) - (steps[at + j] as number);
      sums[j] = sum;
      const term = (logWeights[j] as number) + sum;
      if (term > top) top = term;
    }
    const prior = logPriors[testStart] as number;
    let limit = prior + top + logGridLength;
    if (exact !== undefined || (limit > bound - near && limit > highest)) {
      limit = prior + logMixture(logWeights, sums, top);
      if (exact !== undefined) exact[testStart] = limit;
      if (limit >= bound && !mixture.fired) {
        mixture.fired = true;
        mixture.firedBy = testStart;
      }
    }
    if (limit > highest) highest = limit;
  }
  mixture.ceiling = highest;
  return highest;
}

/** A unit never seen before: every test start counts it. */
export function addToAll(mixture: Mixture, table: FactorTable, row: number): void {
  const { base } = mixture;
  const { logs } = table;
  const at = row * gridLength;
  for (let j = 0; j < gridLength; j += 1) base[j] = (base[j] as number) + (logs[at + j] as number);
  mixture.ceiling += table.rise[row] as number;
  if (mixture.ceiling + roundingRoom >= mixture.bound) recompute(mixture);
}

/** A unit that comes back: the test starts `from` and later have not counted it yet. */
export function addToLater(mixture: Mixture, table: FactorTable, row: number, from: number): void {
  if (from >= mixture.testStarts) return;
  const { steps } = mixture;
  const { logs } = table;
  const at = row * gridLength;
  const place = from * gridLength;
  for (let j = 0; j < gridLength; j += 1) steps[place + j] = (steps[place + j] as number) - (logs[at + j] as number);
  // The others stand still: the limit never falls here.
  const rise = table.rise[row] as number;
  if (rise > 0) mixture.ceiling += rise;
  if (mixture.ceiling + roundingRoom >= mixture.bound) recompute(mixture);
}
