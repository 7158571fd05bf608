/**
 * Which families of patterns there are, and the tier that counts and `--explain` show. A family that joins is one line
 * here.
 */
import type { Family } from './family.ts';
import { namesFamily } from './names/index.ts';
import { secretFamily } from './secrets/index.ts';

export type Tier = 'structured' | 'secrets' | 'names' | 'field' | 'encoded' | 'own' | 'budget';
export const patternFamilies: readonly { readonly family: Family; readonly tier: Tier }[] = [
  { family: secretFamily, tier: 'secrets' },
  { family: namesFamily, tier: 'names' },
];
