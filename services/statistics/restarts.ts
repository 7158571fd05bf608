/**
 * Where tests begin, in each partition, and the sums of the units that entered since: E6 over a look's segments,
 * fingerprints and difference cells.
 */
import {
  addEntrySums,
  type EntryCell,
  type EntrySums,
  emptyEntrySums,
  type FingerprintMark,
  type Look,
  type SegmentMark,
} from '../kernel/evidence.ts';
import type { Restart } from '../kernel/evaluation.ts';
import { fingerprintWeight, slotWeight, suffixSums, wholePhaseWeight } from './math/e6.ts';

/**
 * A restart with the segment at which it begins in each partition; partitions that have not reached it contribute
 * nothing.
 */
export type PlacedRestart = { readonly restart: Restart; readonly from: ReadonlyMap<number, number> };

const dimensionOrder: Readonly<Record<FingerprintMark['dimension'], number>> = {
  prompt_version: 0,
  model_served: 1,
  rag_index_version: 2,
  tool_set_version: 3,
};

export function placeRestarts(look: Look): PlacedRestart[] {
  const byPart = new Map<number, SegmentMark[]>();
  for (const segment of look.segments) byPart.set(segment.part, [...(byPart.get(segment.part) ?? []), segment]);
  for (const segments of byPart.values()) segments.sort((a, b) => a.ordinal - b.ordinal);
  const placed: PlacedRestart[] = [
    {
      restart: { kind: 'whole', label: 'whole phase', index: 0, weight: wholePhaseWeight },
      from: new Map([...byPart.keys()].map((part) => [part, 0])),
    },
  ];
  const { restartEveryMs, horizonMs } = look.experiment.spec.analysis;
  const planned = Math.max(1, horizonMs / restartEveryMs);
  const slots = new Set(look.segments.filter(({ reason }) => reason === 'schedule').map(({ slot }) => slot));
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const from = new Map<number, number>();
    for (const [part, segments] of byPart) {
      const first = segments.find((segment) => segment.slot >= slot);
      if (first) from.set(part, first.ordinal);
    }
    placed.push({
      restart: { kind: 'schedule', label: `schedule ${slot}`, index: slot, weight: slotWeight(slot, planned) },
      from,
    });
  }
  return [...placed, ...placeFingerprints(look.fingerprints)];
}

/**
 * Values that an arm showed for the first time on one record are one fingerprint; what any partition saw as baseline is
 * baseline.
 */
function placeFingerprints(marks: readonly FingerprintMark[]): PlacedRestart[] {
  const values = new Map<string, FingerprintMark[]>();
  for (const mark of marks) {
    const key = `${mark.arm}\u001f${mark.dimension}\u001f${mark.value}`;
    values.set(key, [...(values.get(key) ?? []), mark]);
  }
  const fresh = [...values.values()].filter((sightings) => !sightings.some(({ baseline }) => baseline));
  const compare = (a: FingerprintMark, b: FingerprintMark): number =>
    a.firstSeenAt - b.firstSeenAt ||
    (a.arm < b.arm ? -1 : a.arm > b.arm ? 1 : 0) ||
    dimensionOrder[a.dimension] - dimensionOrder[b.dimension] ||
    (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) ||
    a.part - b.part;
  const ordered = fresh
    .map((sightings) => ({ first: [...sightings].sort(compare)[0] as FingerprintMark, sightings }))
    .sort((a, b) => compare(a.first, b.first));
  const groups: { first: FingerprintMark; members: (typeof ordered)[number][] }[] = [];
  for (const entry of ordered) {
    const same = groups.find(
      ({ first }) =>
        first.firstSeenAt === entry.first.firstSeenAt &&
        first.arm === entry.first.arm &&
        first.part === entry.first.part &&
        first.segment === entry.first.segment,
    );
    if (same) same.members.push(entry);
    else groups.push({ first: entry.first, members: [entry] });
  }
  return groups.map(({ members }, index) => {
    const from = new Map<number, number>();
    for (const { part, segment } of members.flatMap(({ sightings }) => sightings))
      from.set(part, Math.min(from.get(part) ?? Infinity, segment));
    const shown = members.map(({ first: { dimension, value } }) => `${dimension}=${value}`).join(', ');
    return {
      restart: {
        kind: 'fingerprint',
        label: `fingerprint ${shown}`,
        index: index + 1,
        weight: fingerprintWeight(index + 1),
      },
      from,
    };
  });
}

/** Sums of one arm from a restart on. */
export function sumsFrom(
  cells: ReadonlyMap<number, readonly EntrySums[]>,
  from: ReadonlyMap<number, number>,
): EntrySums {
  const total = emptyEntrySums();
  for (const [part, segment] of from) {
    const suffix = cells.get(part)?.[segment];
    if (suffix) addEntrySums(total, suffix);
  }
  return total;
}

/** Suffix sums per partition of one candidate's bets, one arm, one metric. */
export function suffixesOf(
  entries: readonly EntryCell[],
  segments: ReadonlyMap<number, number>,
): Map<number, readonly EntrySums[]> {
  const differences = new Map<number, (EntrySums | undefined)[]>();
  for (const { part, segment, sums } of entries) {
    const list =
      differences.get(part) ?? new Array<EntrySums | undefined>(segments.get(part) ?? segment + 1).fill(undefined);
    const known = list[segment];
    if (known) addEntrySums(known, sums);
    else list[segment] = { ...sums, harm: [...sums.harm], win: [...sums.win] };
    differences.set(part, list);
  }
  return new Map([...differences].map(([part, list]) => [part, suffixSums(list)]));
}

/** Segments per partition. */
export function segmentCounts(look: Look): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { part, ordinal } of look.segments) counts.set(part, Math.max(counts.get(part) ?? 0, ordinal + 1));
  return counts;
}
