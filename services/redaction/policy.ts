/**
 * What leaves and how: types, thresholds, names, own patterns, shapes that stay, keys of tokens, budgets. A value;
 * files become one in `config.ts`.
 */

/** A version of the key of tokens, at least 16 bytes. `kid` is part of every token: 1 to 16 of a-z, 0-9 and dashes. */
export type KeyVersion = { readonly kid: string; readonly key: Uint8Array };
/** New tokens are made under the first key; tokens of `earlier` versions are still known as ours and pass. */
export type TokenKeys = KeyVersion & { readonly earlier?: readonly KeyVersion[] };

export type OwnPattern = {
  readonly type: string;
  /** With flags `gu`, judged safe before it got here (`config.ts`). */
  readonly pattern: RegExp;
};

export type RedactionPolicy = {
  readonly version: string;
  /**
   * Absent: values become `[TYPE]`. Present: `[TYPE:kid:16 hex]`, the same for the same value. Secrets never get a
   * token, only a class of length.
   */
  readonly tokens?: TokenKeys;
  /**
   * `value`: the same value has the same token wherever it stands. `unit`: within the texts of one unit only, under a
   * key that goes when the unit is erased; who redacts without knowing units makes the former.
   */
  readonly tokenScope?: 'value' | 'unit';
  /** Types that stay. */
  readonly off?: readonly string[];
  /** Least score by type, 0..1; where nothing is said the type's gate in `entity-types.ts`. */
  readonly thresholds?: Readonly<Record<string, number>>;
  /** The names tier: people, places, addresses. */
  readonly names?: boolean;
  readonly own?: readonly OwnPattern[];
  /** What matches one of these whole stays, whatever type it was found as. Secrets and cards do not listen. */
  readonly allow?: readonly RegExp[];
  /** Texts longer than this many UTF-16 units are worked on in pieces. */
  readonly pieceUnits: number;
  /** Texts longer than this are taken out whole. */
  readonly maxUnits: number;
  /**
   * Budget steps that one text may cost; beyond it the text is taken out whole. A step is about half a microsecond.
   */
  readonly maxSteps?: number;
};

export const defaultPolicy: RedactionPolicy = {
  version: 'default-2',
  names: true,
  pieceUnits: 256 * 1024,
  maxUnits: 4 * 1024 * 1024,
  maxSteps: 60_000,
};
