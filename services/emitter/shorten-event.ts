/** An event that is too large for the broker goes without its longest texts. */
import { inferenceTexts, leaveOutTexts, outcomeTexts } from '../kernel/leave-out-texts.ts';
import type { EmitterOptions, EventEncoder } from './emitter-options.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { RecordedEvent } from './redact-events.ts';

export type Encoded = { readonly event: RecordedEvent; readonly frame: Buffer; readonly textsLeftOut: number };

/** As it is when it fits, else shortened; as it is too when nothing that may go would make it fit. */
export function encodeWithin(encode: EventEncoder, event: RecordedEvent, maxBytes: number): Encoded {
  const sizeOf = (value: unknown): number => encode(event.record, value as never).length;
  const frame = encode(event.record, event.value as never);
  const whole = { event, frame, textsLeftOut: 0 };
  if (frame.length <= maxBytes) return whole;
  const short = shorten(event, sizeOf, maxBytes);
  if (short === undefined) return whole;
  const { record, value } = short.event;
  return { event: short.event, frame: encode(record, value as never), textsLeftOut: short.textsLeftOut };
}

/** The broker takes less than was thought: to half, as often as it takes. Undefined: there is nothing more to lose. */
export function shortenQueued(
  emitter: { readonly options: Pick<EmitterOptions, 'encode' | 'decode'>; textsLeftOut: number },
  event: QueuedEvent,
): QueuedEvent | undefined {
  const { encode, decode } = emitter.options;
  const { record, frame } = event;
  if (decode === undefined) return undefined;
  const shorter = encodeWithin(encode, decode(record, frame), Math.floor(frame.length / 2));
  if (shorter.frame.length >= frame.length) return undefined;
  emitter.textsLeftOut += shorter.textsLeftOut;
  return { ...event, frame: shorter.frame };
}

type Shortened = { readonly event: RecordedEvent; readonly textsLeftOut: number };

function shorten(event: RecordedEvent, sizeOf: (value: unknown) => number, maxBytes: number): Shortened | undefined {
  switch (event.record) {
    case 'inference-event': {
      const short = leaveOutTexts(event.value, inferenceTexts, sizeOf, maxBytes);
      return short && { event: { record: event.record, value: short.record }, textsLeftOut: short.leftOut };
    }
    case 'outcome-event': {
      const short = leaveOutTexts(event.value, outcomeTexts, sizeOf, maxBytes);
      return short && { event: { record: event.record, value: short.record }, textsLeftOut: short.leftOut };
    }
    case 'exposure':
      return undefined; // ids and names alone
    default:
      return event satisfies never;
  }
}
