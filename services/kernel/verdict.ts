/**
 * What a step says about one record. Nothing else can happen to a record: in = forwarded + dropped + parked + waiting.
 */
export type Verdict<T> =
  | { readonly kind: 'forward'; readonly value: T }
  | { readonly kind: 'drop'; readonly reason: string }
  | { readonly kind: 'park'; readonly code: ParkCode; readonly message: string };

/** Why a record can never work. A broken dependency is never one of these: the stage waits instead. */
export type ParkCode =
  | 'BAD_FRAME'
  | 'SCHEMA_UNKNOWN'
  | 'UNDECODABLE'
  | 'INVALID'
  | 'TOO_LARGE'
  | 'REDACTION_FAILED'
  | 'REFUSED';

export const forward = <T>(value: T): Verdict<T> => ({ kind: 'forward', value });
export const drop = (reason: string): Verdict<never> => ({ kind: 'drop', reason });
/** `message` is read by people and stored: it must never quote the record. */
export const park = (code: ParkCode, message: string): Verdict<never> => ({ kind: 'park', code, message });
