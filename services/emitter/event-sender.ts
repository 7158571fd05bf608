/**
 * The emitter's loop: sends what is queued, and waits for the broker for ever.
 *
 * States: idle (nothing is queued) -> lingering (a batch fills) -> sending -> idle. A send that fails: pausing, 50 ms
 * to 2 s, then sending again, the same batch. A batch that is refused for good: halved, until the one event to blame is
 * found, which loses its texts, and is dropped when that does not help. Closing: no linger, no pause; the loop ends
 * with an empty queue or the first failure.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { EventQueue, QueuedEvent } from './event-queue.ts';
import type { ProblemReport } from './problem-report.ts';
import type { EventRedaction, RecordedEvent } from './redact-events.ts';

/**
 * Resolves when every event of the batch is acknowledged. A rejection means: try the same batch again later; only
 * PipelineError BROKER_REFUSED means that some event of it can never be taken.
 */
export type EventSink = { send(batch: readonly QueuedEvent[]): Promise<void>; close(): Promise<void> };

type Flush = {
  /** Position in the queue that must be reached. */
  readonly upTo: number;
  readonly droppedBefore: number;
  readonly resolve: (complete: boolean) => void;
};

export type EventSender = {
  readonly queue: EventQueue;
  readonly sink: EventSink;
  readonly problems: ProblemReport;
  readonly redaction: EventRedaction;
  /** Encodes what was held until redaction had loaded; undefined: it is gone, and counted. */
  readonly encodeHeld: (event: QueuedEvent, held: RecordedEvent) => QueuedEvent | undefined;
  /** A single event that was refused, smaller; undefined: it cannot be made so. */
  readonly shorten: (event: QueuedEvent) => QueuedEvent | undefined;
  readonly lingerMs: number;
  phase: 'open' | 'closing';
  sent: number;
  sendErrors: number;
  flushes: Flush[];
  /** Something was queued, or somebody waits: whoever naps looks again. */
  wake: () => void;
};

const batchSize = 500;
/** One batch lands in one partition at worst, and must then still be one that brokers take. */
const batchBytes = 800_000;
/** First and longest pause after a send that failed. */
const pauseMs = { first: 50, longest: 2_000 } as const;

export const createEventSender = (
  deps: Pick<EventSender, 'queue' | 'sink' | 'problems' | 'redaction' | 'encodeHeld' | 'shorten' | 'lingerMs'>,
): EventSender => ({ ...deps, phase: 'open', sent: 0, sendErrors: 0, flushes: [], wake: () => {} });

const isClosing = ({ phase }: EventSender): boolean => phase === 'closing';

/** Until it is enough, or the time is over. Keeps no process alive. */
function nap(sender: EventSender, timeMs: number | undefined, isEnough: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isEnough()) return resolve();
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      sender.wake = () => {};
      resolve();
    };
    if (timeMs !== undefined) {
      timer = setTimeout(finish, timeMs);
      timer.unref();
    }
    sender.wake = () => {
      if (isEnough()) finish();
    };
  });
}

function tellFlushes(sender: EventSender): void {
  const { queue, flushes } = sender;
  const reached = flushes.filter(({ upTo }) => queue.oldest >= upTo);
  if (reached.length === 0) return;
  sender.flushes = flushes.filter(({ upTo }) => queue.oldest < upTo);
  for (const { resolve, droppedBefore } of reached) resolve(queue.dropped === droppedBefore);
}

function isBatchFull(sender: EventSender): boolean {
  const { queue, flushes } = sender;
  const full = queue.length >= batchSize || queue.bytes >= batchBytes;
  return full || flushes.length > 0 || isClosing(sender);
}

/** The batch in flight, all of it encoded. */
async function readyBatch({ queue, redaction, encodeHeld }: EventSender, batch: readonly QueuedEvent[]) {
  if (!batch.some(({ held }) => held !== undefined)) return batch;
  await redaction.ready;
  return queue.encodeHeld(encodeHeld);
}

/** 'sent'; 'divided': one event of it can never be taken, and the next try is of fewer; 'failed': later again. */
async function trySend(sender: EventSender): Promise<'sent' | 'divided' | 'failed'> {
  const { queue, sink, problems } = sender;
  let batch = queue.take(batchSize, batchBytes);
  try {
    batch = await readyBatch(sender, batch);
    if (batch.length > 0) await sink.send(batch);
    queue.done();
    sender.sent += batch.length;
    return 'sent';
  } catch (error) {
    sender.sendErrors += 1;
    problems.report(error);
    if (!(error instanceof PipelineError) || error.code !== 'BROKER_REFUSED') return 'failed';
    // Found by halving, so that the others are not lost with it.
    if (batch.length > 1) queue.giveBack(Math.ceil(batch.length / 2));
    else {
      const [event] = batch;
      const shorter = event && sender.shorten(event);
      if (shorter) queue.replace(shorter);
      else queue.refuse();
    }
    return 'divided';
  }
}

/** Ends when the sender is closing, with nothing queued or with the first send that fails. */
export async function runSender(sender: EventSender): Promise<void> {
  const { queue } = sender;
  let pause: number = pauseMs.first;
  for (;;) {
    tellFlushes(sender);
    await nap(sender, undefined, () => queue.length > 0 || isClosing(sender));
    if (queue.length === 0) break;
    await nap(sender, sender.lingerMs, () => isBatchFull(sender));
    const result = await trySend(sender);
    if (result === 'sent') pause = pauseMs.first;
    if (result !== 'failed') continue;
    if (isClosing(sender)) break;
    await nap(sender, pause, () => isClosing(sender));
    pause = Math.min(pause * 2, pauseMs.longest);
  }
  tellFlushes(sender);
}

/** True when everything queued before the call was acknowledged within the time. */
export function flushSender(sender: EventSender, timeoutMs: number): Promise<boolean> {
  const { queue } = sender;
  return new Promise<boolean>((resolve) => {
    if (queue.length === 0) return resolve(true);
    const flush: Flush = {
      upTo: queue.next,
      droppedBefore: queue.dropped,
      resolve: (complete) => {
        clearTimeout(timer);
        resolve(complete);
      },
    };
    const timer = setTimeout(() => {
      sender.flushes = sender.flushes.filter((other) => other !== flush);
      resolve(false);
    }, timeoutMs);
    sender.flushes.push(flush);
    sender.wake();
  });
}
