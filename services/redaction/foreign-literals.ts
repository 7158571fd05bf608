/**
 * One scan of a text that holds letters beyond ASCII, over the foreign literals of all detectors. Texts in ASCII pay
 * nothing for it.
 */
import { buildAutomaton } from './automaton.ts';
import type { LiteralHits } from './trigger-literals.ts';

export type ForeignScanner = (text: string) => readonly (LiteralHits | undefined)[] | undefined;

/**
 * A scanner for these detectors' foreign literals. Answers by detector: index of the literal and one past its end, in
 * turns; of the literals that end at one place, the longest of each detector.
 */
export function createForeignScanner(
  detectors: readonly { readonly foreignLiterals?: readonly string[] }[],
): ForeignScanner {
  const owned = detectors.flatMap(({ foreignLiterals = [] }, detector) =>
    foreignLiterals.map((literal, index) => ({ literal, detector, index })),
  );
  const { next, shift, classOf, firstOutput, outputs } = buildAutomaton(owned.map(({ literal }) => literal));
  /** By state with outputs: detector and literal, in turns. */
  const pairs = outputs.map((ids) => {
    const longest = new Map<number, number>();
    for (const id of ids) {
      const { detector, index } = owned[id] as (typeof owned)[number];
      if (!longest.has(detector)) longest.set(detector, index);
    }
    return [...longest].flat();
  });
  return (text) => {
    let hits: (number[] | undefined)[] | undefined;
    let state = 0;
    for (let index = 0; index < text.length; index += 1) {
      state = next[(state << shift) | (classOf[text.charCodeAt(index)] as number)] as number;
      if (state < firstOutput) continue;
      const found = pairs[state - firstOutput] as readonly number[];
      hits ??= detectors.map(() => undefined);
      for (let each = 0; each < found.length; each += 2) {
        const detector = found[each] as number;
        let own = hits[detector];
        if (own === undefined) {
          own = [];
          hits[detector] = own;
        }
        own.push(found[each + 1] as number, index + 1);
      }
    }
    return hits;
  };
}
