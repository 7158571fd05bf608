/** A text as detectors are given it: `aTask('born 1980', { key: 'note' })`, with the hits that a test says. */
import type { Task } from '../../../services/redaction/detector.ts';
import { noHits } from '../../../services/redaction/detector.ts';
import { noHints } from '../../../services/redaction/trigger-literals.ts';

export const aTask = (text: string, more: Partial<Task> = {}): Task => ({
  text,
  key: undefined,
  hints: noHints,
  hits: noHits,
  foreignHits: noHits,
  budget: { left: Number.POSITIVE_INFINITY },
  found: [],
  out: [],
  ...more,
});
