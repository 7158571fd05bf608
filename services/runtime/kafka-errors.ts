/** What Kafka's error types mean to this client. Decided by type, never by message text. */
import { PipelineError } from '../kernel/pipeline-error.ts';

/** Kafka's errors of a partition whose leader is being elected. */
const leaderless: ReadonlySet<string> = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/**
 * Kafka's errors of a producer whose numbers are not what the broker expects: a send that timed out here and arrived
 * there, a partition that has forgotten the producer. kafkajs gives up on them. A producer with a new id begins at 0;
 * what it sends again may be in the log twice, which every reader expects.
 */
const numbersLost: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
]);

/**
 * Kafka's errors of a broker in trouble with itself: a full disk, a log folder that it has just given up. kafkajs gives
 * up on the first, whose cause the broker keeps to itself.
 */
const inTrouble: ReadonlySet<string> = new Set(['UNKNOWN', 'KAFKA_STORAGE_ERROR']);

/** kafkajs wraps what it will not try again. */
export const errorType = (error: unknown): string => {
  const { type, cause } = error as { readonly type?: string; readonly cause?: { readonly type?: string } };
  return type ?? cause?.type ?? '';
};

/** Broker error types that say that the batch as it is will never be taken. */
const refusals: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

/** kafkajs wraps what the broker said once or twice. */
export function isRefusal(error: unknown): boolean {
  for (
    let at: unknown = error, depth = 0;
    typeof at === 'object' && at !== null && depth < 4;
    at = 'cause' in at ? at.cause : undefined, depth += 1
  ) {
    if ('type' in at && typeof at.type === 'string' && refusals.has(at.type)) return true;
  }
  return false;
}

export const isLeaderless = (error: unknown): boolean => leaderless.has(errorType(error));

/** What to do about a send that failed: go on under a new producer id, wait for the broker, or give up. */
export function afterFailedSend(error: unknown): 'begin anew' | 'wait' | 'give up' {
  const type = errorType(error);
  return numbersLost.has(type) ? 'begin anew' : inTrouble.has(type) ? 'wait' : 'give up';
}

export const unavailable = (what: string, cause: unknown): PipelineError =>
  new PipelineError('BROKER_UNAVAILABLE', what, {
    retriable: true,
    cause,
    hint: 'check that the broker is running and KAFKA_BROKERS is right',
  });
