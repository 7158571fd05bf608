/** Sums of units in a slice, from the units in words. */
import type { SliceSums } from '../../services/statistics/index.ts';

export type UnitInSlice = { readonly y: number; readonly x: number };
type Of = Pick<SliceSums, 'metric' | 'arm' | 'slice' | 'kind' | 'value'> & { readonly unknown?: number };

export function sumsOfUnits({ unknown = 0, ...of }: Of, units: readonly UnitInSlice[]): SliceSums {
  const sums = { sumY: 0, sumX: 0, sumYY: 0, sumXX: 0, sumXY: 0, sumYYY: 0, sumYYX: 0, sumYXX: 0, sumXXX: 0 };
  for (const { y, x } of units) {
    sums.sumY += y;
    sums.sumX += x;
    sums.sumYY += y * y;
    sums.sumXX += x * x;
    sums.sumXY += x * y;
    sums.sumYYY += y * y * y;
    sums.sumYYX += y * y * x;
    sums.sumYXX += y * x * x;
    sums.sumXXX += x * x * x;
  }
  return { ...of, ...sums, unknown, known: sums.sumX, units: units.length };
}

/** Units of one call each, of which so many have the event. */
export const oneCallEach = (units: number, events: number): UnitInSlice[] =>
  Array.from({ length: units }, (_, at) => ({ y: at < events ? 1 : 0, x: 1 }));

/** Rows of one slice of one metric, and the row of all of it: units by arm and value. */
export function aSlice(
  metric: string,
  slice: string,
  arms: Readonly<Record<string, Readonly<Record<string, readonly UnitInSlice[]>>>>,
): SliceSums[] {
  return Object.entries(arms).flatMap(([arm, values]) => [
    sumsOfUnits({ metric, arm, slice: '', kind: 'all', value: '' }, Object.values(values).flat()),
    ...Object.entries(values).map(([value, units]) => sumsOfUnits({ metric, arm, slice, kind: 'value', value }, units)),
  ]);
}
