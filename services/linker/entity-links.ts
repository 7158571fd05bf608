/** What the linker holds of a partition of the entity log, in plain data: `link.ts` and `link-names.ts` change it. */
import type { UnitRecord } from '../../schemas/generated.ts';
import type { EpochMs } from '../kernel/time.ts';

export type Owner = { unit: string; bucket: number; occurredAt: EpochMs };
/** `isExposed`: the unit was exposed under it; false: it was only said to be one of the unit's. */
export type Name = Owner & { isExposed: boolean };
/** Of one phase of one experiment: the name that counts, and those that were told that they do not. */
export type UnitNames = { counts: Name; readonly out: Set<string> };
export type WaitingOutcome = {
  revision: number;
  occurredAt: EpochMs;
  kind: string;
  value: number | null;
  /** Of a unit under its later name: it has reached that name, and is not missed when there is no other. */
  ofUnit?: true;
};
export type EntityLinks = {
  readonly owners: Map<string, Owner>;
  readonly outcomes: Map<string, WaitingOutcome>;
  /** The entity is a unit that experiments know under several names, by phase of an experiment (`link-names.ts`). */
  names?: Map<string, UnitNames>;
  touchedAt: EpochMs;
};

/** A record for the unit log, with the bucket that says where. */
export type Forward = { readonly bucket: number; readonly record: UnitRecord };

export type LinkerLimits = {
  /** Longest attribution window: an outcome that waited longer could not count any more. */
  readonly waitMs: number;
  /** How long a link is remembered after its last record: longer than any outcome takes. */
  readonly keepMs: number;
  /** Entities of one partition that wait for an owner, at most; past it those that waited longest are given up. */
  readonly maxWaiting: number;
};

export type LinkerState = {
  readonly partitionId: number;
  readonly limits: LinkerLimits;
  position: number;
  clock: EpochMs;
  /** How many of `entities` wait for an owner. */
  waiting: number;
  readonly entities: Map<string, EntityLinks>;
  readonly touched: Set<string>;
  readonly outgoing: Forward[];
  /** Outcomes that were given up, by kind: part of the state. */
  readonly unlinked: Map<string, number>;
  /** Since the process started. */
  readonly counts: { folded: number; forwarded: number; duplicates: number; moved: number };
};

/** Of the record that is folded. */
export type Context = {
  readonly id: string;
  readonly receivedAt: EpochMs;
  readonly traceId: Buffer | null;
  readonly position: number;
};
