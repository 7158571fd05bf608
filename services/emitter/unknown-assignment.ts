import type { Assignment } from '../assignment/index.ts';

/** Control for an experiment that nothing is known of: it exposes nobody. */
export const unknownAssignment = (experimentId: string): Assignment => ({
  experimentId,
  phase: 0,
  revision: 0,
  variant: 'control',
  config: {},
  reason: 'UNKNOWN',
  unitType: '',
  unitId: '',
  bucket: 0,
  configSha: '',
});
