/**
 * A look's difference cells as the sums of each restart, by metric and candidate: made once a look, read by every test.
 */
import type { Restart } from '../kernel/evaluation.ts';
import type { EntryCell, EntrySums, Look } from '../kernel/evidence.ts';
import { controlOf } from '../kernel/experiment.ts';
import { type PlacedRestart, segmentCounts, suffixesOf, sumsFrom } from './restarts.ts';

/** Entries of both arms since a restart began, as bets of one candidate against control. */
export type RestartSums = { readonly restart: Restart; readonly control: EntrySums; readonly candidate: EntrySums };
/** One for each restart, the whole phase first. Nobody may change them: they are the same objects at every call. */
export type SumsOf = (metric: string, candidate: string) => readonly RestartSums[];

export function indexCells(look: Look, restarts: readonly PlacedRestart[]): SumsOf {
  const control = controlOf(look.experiment.spec).id;
  const segments = segmentCounts(look);
  const keyOf = (metric: string, candidate: string): string => `${metric}\u001f${candidate}`;
  const groups = new Map<string, { readonly control: EntryCell[]; readonly candidate: EntryCell[] }>();
  for (const cell of look.entries) {
    const key = keyOf(cell.metric, cell.candidate);
    const group = groups.get(key) ?? { control: [], candidate: [] };
    group[cell.arm === control ? 'control' : 'candidate'].push(cell);
    groups.set(key, group);
  }
  const made = new Map<string, readonly RestartSums[]>();
  return (metric, candidate) => {
    const key = keyOf(metric, candidate);
    const known = made.get(key);
    if (known) return known;
    const group = groups.get(key);
    const [a, b] = [suffixesOf(group?.control ?? [], segments), suffixesOf(group?.candidate ?? [], segments)];
    const fresh = restarts.map(
      ({ restart, from }): RestartSums => ({ restart, control: sumsFrom(a, from), candidate: sumsFrom(b, from) }),
    );
    made.set(key, fresh);
    return fresh;
  };
}
