/**
 * A mixture of seven products that is watched after every unit, from every restart at once, in tens of nanoseconds. It is E1 or E2 of the statistics
 * design with E6's union: it fires when, for some restart k, log v_k + logsumexp_j(log w_j + S_kj) reaches the bound.
 *
 * Two ideas make it cheap and lose nothing. What a new unit adds is added to every restart, so it is kept once (`base`) and a restart keeps
 * what it must not count (`offset`): S_k = base - offset_k. And one unit raises no mixture by more than its largest log factor, so the largest
 * of all is followed by an upper limit (`ceiling`) and computed only when that limit reaches the bound. A crossing is never missed.
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
  readonly offset: Float64Array;
  readonly logPriors: Float64Array;
  restarts: number;
  /** At least the largest weighted log e of all restarts. */
  ceiling: number;
  /** log(1 / alpha): reached means fired. */
  readonly bound: number;
  fired: boolean;
  /** The restart that fired, -1 before. */
  firedBy: number;
};

/** `weights` sum to 1; `capacity` restarts at most; `bound` = log(1 / alpha). */
export const createMixture = (weights: readonly number[], bound: number, capacity: number): Mixture => ({
  logWeights: Float64Array.from(weights, Math.log), base: new Float64Array(gridLength), offset: new Float64Array(gridLength * capacity), logPriors: new Float64Array(capacity),
  restarts: 0, ceiling: -Infinity, bound, fired: false, firedBy: -1,
});

/** As new, for the next run. */
export function resetMixture(mixture: Mixture): void {
  mixture.base.fill(0);
  mixture.restarts = 0;
  mixture.ceiling = -Infinity;
  mixture.fired = false;
  mixture.firedBy = -1;
}

/** A test from here on. `logPrior`: log of all its weights, restart and metric. Returns its index. */
export function openRestart(mixture: Mixture, logPrior: number): number {
  const index = mixture.restarts;
  if (index >= mixture.logPriors.length) throw new RangeError(`a mixture with room for ${mixture.logPriors.length} restarts has no more`);
  mixture.offset.set(mixture.base, index * gridLength);
  mixture.logPriors[index] = logPrior;
  mixture.restarts += 1;
  if (logPrior > mixture.ceiling) mixture.ceiling = logPrior;
  return index;
}

/** log w_j + S_kj, largest over j. */
function largestTerm({ base, offset, logWeights }: Mixture, restart: number): number {
  const at = restart * gridLength;
  let top = -Infinity;
  for (let j = 0; j < gridLength; j += 1) {
    const term = (logWeights[j] as number) + (base[j] as number) - (offset[at + j] as number);
    if (term > top) top = term;
  }
  return top;
}

/** Weighted log e of one restart. */
export function logEOfRestart(mixture: Mixture, restart: number): number {
  const { base, offset, logWeights, logPriors } = mixture;
  const top = largestTerm(mixture, restart);
  const at = restart * gridLength;
  let sum = 0;
  for (let j = 0; j < gridLength; j += 1) sum += Math.exp((logWeights[j] as number) + (base[j] as number) - (offset[at + j] as number) - top);
  return (logPriors[restart] as number) + top + Math.log(sum);
}

/** The sum of seven terms is at most seven times the largest: where that is far from the bound, no exponential is taken. */
const logGridLength = Math.log(gridLength);
const near = 1.5;

/** Follows every restart anew; fires when one has reached the bound. */
function settle(mixture: Mixture): void {
  const { bound, logPriors } = mixture;
  let top = -Infinity;
  for (let restart = 0; restart < mixture.restarts; restart += 1) {
    let limit = (logPriors[restart] as number) + largestTerm(mixture, restart) + logGridLength;
    if (limit > bound - near && limit > top) {
      limit = logEOfRestart(mixture, restart);
      if (limit >= bound && !mixture.fired) {
        mixture.fired = true;
        mixture.firedBy = restart;
      }
    }
    if (limit > top) top = limit;
  }
  mixture.ceiling = top;
}

/** A unit never seen before: every restart counts it. */
export function addToAll(mixture: Mixture, table: FactorTable, row: number): void {
  const { base } = mixture;
  const { logs } = table;
  const at = row * gridLength;
  for (let j = 0; j < gridLength; j += 1) base[j] = (base[j] as number) + (logs[at + j] as number);
  mixture.ceiling += table.rise[row] as number;
  if (mixture.ceiling + roundingRoom >= mixture.bound) settle(mixture);
}

/** A unit that comes back: restarts `from`..`to` (both included) have not counted it yet. */
export function addToSome(mixture: Mixture, table: FactorTable, row: number, from: number, to: number): void {
  if (from > to) return;
  const { offset } = mixture;
  const { logs } = table;
  const at = row * gridLength;
  for (let restart = from; restart <= to; restart += 1) {
    const place = restart * gridLength;
    for (let j = 0; j < gridLength; j += 1) offset[place + j] = (offset[place + j] as number) - (logs[at + j] as number);
  }
  // The others stand still: the limit never falls here.
  const rise = table.rise[row] as number;
  if (rise > 0) mixture.ceiling += rise;
  if (mixture.ceiling + roundingRoom >= mixture.bound) settle(mixture);
}
