/**
 * The emitter's own redaction, when it has a policy: texts are cleaned before an event is encoded, ids stay as they
 * are.
 */
import type { InferenceEvent, OutcomeEvent } from '../../schemas/generated.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import {
  addCounts,
  cleanInferenceTexts,
  cleanOutcomeTexts,
  createRedactionCounts,
  type RedactionCounts,
} from '../redaction/records.ts';

export type EventRedaction = {
  inference(event: InferenceEvent): InferenceEvent;
  outcome(event: OutcomeEvent): OutcomeEvent /** `TYPE tier` -> how many. */;
  readonly counts: Readonly<Record<string, number>>;
};

export function createEventRedaction(policy: RedactionPolicy | undefined): EventRedaction {
  const counts: Record<string, number> = {};
  const counted =
    <E>(clean: (event: E, found: RedactionCounts) => E) =>
    (event: E): E => {
      if (policy === undefined) return event;
      const found = createRedactionCounts(policy);
      const result = clean(event, found);
      addCounts(counts, found.tiers);
      return result;
    };
  return { inference: counted(cleanInferenceTexts), outcome: counted(cleanOutcomeTexts), counts };
}
