/** Which exposures an app's emitter has to tell: each once by unit, experiment, phase, arm and reason. */
import type { Assignment } from '../assignment/index.ts';

/** Exposures remembered as told, the oldest forgotten first: a busy unit is not told a thousand times. */
const rememberedExposures = 10_000;

export type ExposureMemory = {
  /** The key of an exposure that is still to be told. */
  untold(assignment: Assignment): string | undefined;
  told(key: string): void;
  /** Whether the unit's exposure was told, under whatever names. */
  hasTold(assignment: Assignment): boolean;
};

/** With both names of a unit it is another exposure than with one: it tells that they are one. */
const keyOf = ({ experimentId, phase, variant, reason, unitId, primary }: Assignment): string =>
  `${experimentId}\u001f${phase}\u001f${variant}\u001f${reason}\u001f${unitId}\u001f${primary?.id ?? ''}`;

/**
 * An inference stands for the exposure of its unit. When every request is a unit, the inference is all there is to say.
 */
const hasExposure = ({ phase, unitId, unitType }: Assignment): boolean =>
  phase !== 0 && unitId !== '' && unitType !== 'request';

export function createExposureMemory(): ExposureMemory {
  const exposed = new Set<string>();
  return {
    untold: (assignment) => {
      if (!hasExposure(assignment)) return undefined;
      const key = keyOf(assignment);
      return exposed.has(key) ? undefined : key;
    },
    hasTold: ({ primary: _, ...anonymous }) => exposed.has(keyOf(anonymous)),
    told: (key) => {
      const oldest = exposed.size >= rememberedExposures ? exposed.values().next().value : undefined;
      if (oldest !== undefined) exposed.delete(oldest);
      exposed.add(key);
    },
  };
}
