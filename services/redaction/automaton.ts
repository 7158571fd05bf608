/** Aho and Corasick's automaton over a dense table: all literals in one pass, one look-up a unit. */
import { once } from './once.ts';
import { isPlain } from './fold-tables.ts';

export type Automaton = {
  /**
   * The state behind `state` on a unit: `next[(state << shift) | classOf[unit]]`; two bytes a cell, and states near the
   * root stand together, for the processor's caches.
   */
  readonly next: Uint16Array | Uint32Array;
  readonly shift: number;
  /** Class of every UTF-16 unit; 0 = in no literal. */
  readonly classOf: Uint16Array;
  readonly firstOutput: number;
  /** Of state `firstOutput + index`: the literals that end there, the longest first. */
  readonly outputs: readonly (readonly number[])[];
};

/** Have the lowest classes, so that what most texts ask of a state lies in one line of the processor's cache. */
const commonUnits = [...' etaoinsrhldcumfpgwybvkxjqz'];

/** Every unit of the basic plane whose lower case is another one, and that. */
const lowerCases = once(() => {
  const pairs: (readonly [code: number, lower: number])[] = [];
  for (let code = 0; code < 65_536; code += 1) {
    const lower = isPlain(code) ? '' : String.fromCharCode(code).toLowerCase();
    if (lower.length === 1 && lower.charCodeAt(0) !== code) pairs.push([code, lower.charCodeAt(0)]);
  }
  return pairs;
});

/**
 * `literals`: lower case. Upper case reads as lower, `_` as a space where no literal holds it. States with outputs have
 * the highest numbers, so that one comparison tells them.
 */
export function buildAutomaton(literals: readonly string[]): Automaton {
  const classOf = new Uint16Array(65_536);
  let width = 1;
  for (const literal of [
    commonUnits.filter((char) => literals.some((literal) => literal.includes(char))).join(''),
    ...literals,
  ]) {
    for (const char of literal.split('')) {
      const code = char.charCodeAt(0);
      if (classOf[code] === 0) classOf[code] = width++;
    }
  }
  for (const [code, lower] of lowerCases()) if (classOf[code] === 0) classOf[code] = classOf[lower] as number;
  if (classOf[95] === 0) classOf[95] = classOf[32] as number;
  const children: Map<number, number>[] = [new Map()];
  const found: number[][] = [[]];
  literals.forEach((literal, index) => {
    let state = 0;
    for (const char of literal.split('')) {
      const unit = classOf[char.charCodeAt(0)] ?? 0;
      let child = children[state]?.get(unit);
      if (child === undefined) {
        child = children.push(new Map()) - 1;
        found.push([]);
        children[state]?.set(unit, child);
      }
      state = child;
    }
    found[state]?.push(index);
  });
  const table = children.map(() => new Int32Array(width));
  const fail = new Int32Array(children.length);
  const queue = [0];
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head] ?? 0;
    const back = fail[state] ?? 0;
    if (state !== 0) found[state]?.push(...(found[back] ?? []));
    // Where a state has no child it goes where the one behind it goes: its row, with a few cells of its own.
    const row = table[state] as Int32Array;
    const behind = table[back] as Int32Array;
    if (state !== 0) row.set(behind);
    for (const [unit, child] of [...(children[state] ?? [])].sort(([a], [b]) => a - b)) {
      fail[child] = state === 0 ? 0 : (behind[unit] as number);
      row[unit] = child;
      queue.push(child);
    }
  }
  const order = [...queue].sort((a, b) => Number((found[a]?.length ?? 0) > 0) - Number((found[b]?.length ?? 0) > 0));
  const place = new Int32Array(children.length);
  order.forEach((state, index) => {
    place[state] = index;
  });
  const shift = Math.ceil(Math.log2(width));
  const cells = children.length << shift;
  const next = children.length > 65_535 ? new Uint32Array(cells) : new Uint16Array(cells);
  for (const [state, row] of table.entries())
    for (let unit = 0; unit < width; unit += 1)
      next[((place[state] ?? 0) << shift) + unit] = place[row[unit] ?? 0] ?? 0;
  const firstOutput = order.filter((state) => found[state]?.length === 0).length;
  return { next, shift, classOf, firstOutput, outputs: order.slice(firstOutput).map((state) => found[state] ?? []) };
}
