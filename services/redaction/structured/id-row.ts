import type { EntityType } from '../entity-types.ts';

/** An identifier of one country: its shape, checksum and grouping. */
export type IdRow = {
  /** Country and name; also the tag of its own words in `context-words.ts`, where there is one. */
  readonly id: string;
  readonly type: EntityType;
  /** On the compact form, upper case. */
  readonly test: RegExp;
  readonly check?: (compact: string) => boolean;
  /** Sizes of the groups and the separators between, as in `3-2-4`; what other grouping there is speaks against it. */
  readonly layout?: RegExp;
  /** How far a number that passes convinces with nothing else around it, 0..1. */
  readonly sure: number;
  /** The same for a number whose checksum fails, where issuers are known to hand such out. */
  readonly unsure?: number;
};
