/**
 * A unit that changes its name: a session before sign-in, a user after it. In one phase of an experiment with a
 * `fallback_unit` one of its names counts; the linker says which, the joiner obeys. Both say it with outcomes, as an
 * erase does: a new branch of the record's union could not be read by stages that still run the older schema.
 */

/** `unit_type` of what the linker sends to a unit because of its other names. The redactor never writes it. */
export const aliasUnitType = 'alias';

/** One phase of one experiment, as names of units are held apart. */
export const phaseKeyOf = (experimentId: string, phase: number): string => `${experimentId}/${phase}`;

const aliasKindPrefix = 'tripline.alias/';
/** Kind of the outcome that tells a unit: in this phase you are counted under another name. */
export const aliasKindOf = (phaseKey: string): string => `${aliasKindPrefix}${phaseKey}`;
export const isAliasKind = (kind: string): boolean => kind.startsWith(aliasKindPrefix);
