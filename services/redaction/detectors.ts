/** Which detectors there are, and the tier that counts and `--explain` show. A detector that joins is one line here. */
import type { Detector } from './detector.ts';
import { namesDetector } from './names/index.ts';
import { secretDetector } from './secrets/index.ts';

export type Tier = 'structured' | 'secrets' | 'names' | 'field' | 'encoded' | 'own' | 'budget';
export const detectors: readonly { readonly detector: Detector; readonly tier: Tier }[] = [
  { detector: secretDetector, tier: 'secrets' },
  { detector: namesDetector, tier: 'names' },
];
