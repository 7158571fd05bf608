/** What is found in a text, on its way from a detector to the replacement. */
import type { EntityType } from './entity-types.ts';

/** Who found it, as counts and `--explain` show it. */
export type Tier = 'structured' | 'secrets' | 'names' | 'field' | 'encoded' | 'own' | 'budget';

/**
 * What a detector says: half-open range in UTF-16 units of the text it was given, type, trust against overlapping
 * others (`rank`, 0..100, higher wins; ties: longer wins), and how likely it is right (`score`, 0..1; rank / 100 when
 * absent).
 */
export type Finding = {
  readonly start: number;
  readonly end: number;
  readonly type: EntityType;
  readonly rank: number;
  readonly score?: number;
};

/** The same with its tier. Types of a policy's own patterns are no entity types. */
export type Found = {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly rank: number;
  readonly score: number;
  readonly tier: Tier;
};

/** `quote`: the replacement becomes a JSON string, in quotes that are escaped as often as the text around is. */
export type Placed = Found & { readonly quote?: string };

export const withTier = ({ start, end, type, rank, score }: Finding, tier: Tier): Found => ({
  start,
  end,
  type,
  rank,
  score: score ?? rank / 100,
  tier,
});
