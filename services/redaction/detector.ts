/** What every detector is: the literals that trigger it, and a search of the text around them. */
import type { EntityType } from './entity-types.ts';
import type { Finding, Found } from './finding.ts';
import type { Hints, LiteralHits } from './trigger-literals.ts';

/** What is left of a text's budget, in steps: one is about what reading a candidate's digits costs. */
export type Budget = { left: number };

/** One text and what is known of it when a detector is called. */
export type Task = {
  /** Folded: digits, dashes, spaces, full-width forms and look-alikes are ASCII (`fold-text.ts`). */
  readonly text: string;
  /** Name of the JSON key above the text, lower case. */
  readonly key: string | undefined;
  readonly hints: Hints;
  /** Where the detector's `literals` are: index and place, in turns. */
  readonly hits: LiteralHits;
  /** Where its `foreignLiterals` are: index and one past the end, in turns. */
  readonly foreignHits: LiteralHits;
  readonly budget: Budget;
  /** What the detectors before this one found. */
  readonly found: readonly Found[];
  readonly out: Finding[];
};

export type Detector = {
  readonly name: string;
  readonly tier: 'structured' | 'secrets' | 'names';
  readonly types: readonly EntityType[];
  /** Lower-case ASCII. One scan of the text looks for those of all detectors. */
  readonly literals: readonly string[];
  /** Lower case, with letters beyond ASCII. One scan of texts that hold such looks for those of all detectors. */
  readonly foreignLiterals?: readonly string[];
  /** Hints that make a text worth a call in which none of the literals is. */
  readonly hints?: readonly ('digits' | 'ats' | 'colons' | 'macs')[];
  /** The same, asked of the text as it was given. */
  wants?(given: string): boolean;
  /**
   * Appends what it finds to `task.out`. Reads bounded windows around hits or hints, so that its cost is linear in the
   * text, and takes what it costs from the budget; with nothing left it may stop anywhere, the text goes out whole.
   */
  find(task: Task): void;
};

export const noHits: LiteralHits = [];
