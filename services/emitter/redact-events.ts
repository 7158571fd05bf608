/**
 * The emitter's own redaction, when it has a policy: texts are cleaned before an event is encoded, ids stay as they
 * are. Redaction is large, so it loads only for an emitter that asks for it, and in the background: until then events
 * are held (`emitter.ts`) and none leaves.
 */
import type { Exposure, InferenceEvent, OutcomeEvent } from '../../schemas/generated.ts';
import type { RedactionPolicy } from '../redaction/index.ts';

/** An event as it was recorded, not encoded yet. */
export type RecordedEvent =
  | { readonly record: 'inference-event'; readonly value: InferenceEvent }
  | { readonly record: 'outcome-event'; readonly value: OutcomeEvent }
  | { readonly record: 'exposure'; readonly value: Exposure };

export type EventRedaction = {
  /** False while redaction loads. */
  isReady(): boolean;
  /** Rejects when the policy cannot be used: nothing may leave then. */
  readonly ready: Promise<void>;
  /** Only once it is ready. */
  clean(event: RecordedEvent): RecordedEvent;
  /** `TYPE tier` -> how many. */
  readonly counts: Readonly<Record<string, number>>;
};

type Clean = EventRedaction['clean'];

export function createEventRedaction(asked: RedactionPolicy | Promise<RedactionPolicy> | undefined): EventRedaction {
  const counts: Record<string, number> = {};
  let clean: Clean | undefined = asked === undefined ? (event) => event : undefined;
  const load = async (policy: RedactionPolicy | Promise<RedactionPolicy>): Promise<void> => {
    clean = await loadCleaner(await policy, counts);
  };
  const ready = asked === undefined ? Promise.resolve() : load(asked);
  ready.catch(() => {}); // whoever waits for it tells
  return {
    isReady: () => clean !== undefined,
    ready,
    clean: (event) => {
      if (clean === undefined) throw new Error('redaction has not loaded yet');
      return clean(event);
    },
    counts,
  };
}

async function loadCleaner(policy: RedactionPolicy, counts: Record<string, number>): Promise<Clean> {
  const { addCounts, cleanInferenceTexts, cleanOutcomeTexts, createRedactionCounts } = await import(
    '../redaction/records.ts'
  );
  return (event) => {
    if (event.record === 'exposure') return event;
    const found = createRedactionCounts(policy);
    const cleaned: RecordedEvent =
      event.record === 'inference-event'
        ? { record: event.record, value: cleanInferenceTexts(event.value, found) }
        : { record: event.record, value: cleanOutcomeTexts(event.value, found) };
    addCounts(counts, found.tiers);
    return cleaned;
  };
}
