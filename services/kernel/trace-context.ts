/**
 * W3C Trace Context, the `traceparent` header. An app may send anything under that name; what is not well-formed goes
 * no further.
 */

export type TraceContext = {
  readonly version: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
};

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Lower-case hex, of any version; undefined for anything else. A receiver who reads more than the shape asks for
 * version 00.
 */
export function parseTraceparent(traceparent: string | undefined): TraceContext | undefined {
  const [, version, traceId, spanId, flags] = shape.exec(traceparent ?? '') ?? [];
  return version === undefined || traceId === undefined || spanId === undefined || flags === undefined
    ? undefined
    : { version, traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** May be repeated in another header as it is. */
export const isTraceparent = (traceparent: string | undefined): traceparent is string =>
  traceparent !== undefined && shape.test(traceparent);

/** A trace context is recorded per event only when its sampled flag is set (version 00). */
export function isSampled(traceparent: string | undefined): traceparent is string {
  const parsed = parseTraceparent(traceparent);
  return parsed?.version === '00' && (parsed.flags & 1) === 1;
}
