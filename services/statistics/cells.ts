/** A look's difference cells, found by metric and candidate, as suffix sums per partition: made once a look, read by every test. */
import type { EntryCell, EntrySums, Look } from '../kernel/evidence.ts';
import { controlOf } from '../kernel/experiment.ts';
import { segmentCounts, suffixesOf } from './restarts.ts';

export type Suffixes = ReadonlyMap<number, readonly EntrySums[]>;
export type CandidateCells = { readonly control: Suffixes; readonly candidate: Suffixes };

export function indexCells(look: Look): (metric: string, candidate: string) => CandidateCells {
  const control = controlOf(look.experiment.spec).id;
  const segments = segmentCounts(look);
  const groups = new Map<string, EntryCell[]>();
  const keyOf = (metric: string, candidate: string, side: 'a' | 'b'): string => `${metric}\u001f${candidate}\u001f${side}`;
  for (const cell of look.entries) {
    const key = keyOf(cell.metric, cell.candidate, cell.arm === control ? 'a' : 'b');
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  }
  const made = new Map<string, Suffixes>();
  const suffixes = (key: string): Suffixes => {
    const known = made.get(key);
    if (known) return known;
    const fresh = suffixesOf(groups.get(key) ?? [], segments);
    made.set(key, fresh);
    return fresh;
  };
  return (metric, candidate) => ({ control: suffixes(keyOf(metric, candidate, 'a')), candidate: suffixes(keyOf(metric, candidate, 'b')) });
}
