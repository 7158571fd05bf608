/**
 * What becomes of each record of a batch, before anything is delivered: forwarded, dropped with a reason, or parked
 * with a code. Nothing here waits.
 */
import type { RecordName } from '../../schemas/generated.ts';
import { isSampled } from '../kernel/trace-context.ts';
import type { Verdict } from '../kernel/verdict.ts';
import type { LogRecord } from './log.ts';
import { count, type StageTracer } from './stage.ts';
import type { Decoded, Delivery, StageOptions } from './stage-options.ts';

type Parked = { readonly source: LogRecord; readonly code: string; readonly message: string };
type Span = ReturnType<StageTracer['span']>;

export type Judged<T> = {
  readonly forwarded: Delivery<T>[];
  readonly parked: Parked[];
  readonly dropped: Map<string, number>;
  /** End when the batch is delivered, or given up. */
  readonly spans: Span[];
};

function judge<K extends RecordName, T>(options: StageOptions<K, T>, source: LogRecord): Verdict<T> {
  if (options.raw) return options.raw(source);
  if (source.value === null) return options.tombstone?.(source) ?? { kind: 'drop', reason: 'tombstone' };
  const { length } = source.value;
  const { maxFrameBytes } = options;
  if (length > (maxFrameBytes ?? Infinity))
    return { kind: 'park', code: 'TOO_LARGE', message: `${length} bytes, at most ${maxFrameBytes}` };
  const decoded = options.codec.decode(options.records, source.value);
  if (!decoded.ok) return { kind: 'park', code: decoded.code, message: decoded.message };
  return options.step(decoded as never as Decoded<K>, source);
}

/** A span of this stage under the record's, when that one is recorded. */
function spanOf({ name, tracer }: Pick<StageOptions<never, never>, 'name' | 'tracer'>, source: LogRecord) {
  const parent = source.headers['traceparent'];
  if (tracer === undefined || !isSampled(parent)) return undefined;
  return tracer.span(name, { parent, attributes: { 'messaging.destination.name': source.topic } });
}

export function judgeRecords<K extends RecordName, T>(
  options: StageOptions<K, T>,
  sources: readonly LogRecord[],
): Judged<T> {
  const judged: Judged<T> = { forwarded: [], parked: [], dropped: new Map(), spans: [] };
  for (const source of sources) {
    const verdict = judge(options, source);
    if (verdict.kind === 'drop') count(judged.dropped, verdict.reason);
    else if (verdict.kind === 'park') judged.parked.push({ source, code: verdict.code, message: verdict.message });
    else {
      const span = spanOf(options, source);
      if (span) judged.spans.push(span);
      const traceparent = span?.traceparent ?? source.headers['traceparent'];
      judged.forwarded.push({ value: verdict.value, source, traceparent });
    }
  }
  return judged;
}
