/**
 * A subject asked to be forgotten: an outcome of this kind whose `unit` is set, everything else of it empty. Made by
 * the redactor, obeyed by the joiner.
 */
export const eraseKind = 'tripline.erase';
